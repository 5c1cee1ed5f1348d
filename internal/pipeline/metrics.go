package pipeline

import (
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/notifications"
	"github.com/flyball-io/flyball/processors"
)

// Metrics are the numbers that Flyball shows about itself.
type Metrics struct {
	samples      *prometheus.CounterVec
	records      *prometheus.CounterVec
	rejected     *prometheus.CounterVec
	deadLetters  *prometheus.CounterVec
	transactions *prometheus.CounterVec
	seconds      *prometheus.HistogramVec
	sessionsLost *prometheus.CounterVec
	pollErrors   *prometheus.CounterVec
	watermark    *prometheus.GaugeVec
	emitted      *prometheus.CounterVec
	limited      *prometheus.CounterVec
	recorded     *prometheus.CounterVec
	retries      *prometheus.CounterVec
	skipped      *prometheus.CounterVec
	lag          *prometheus.GaugeVec
	behind       *prometheus.GaugeVec
	decisions    *prometheus.CounterVec
	corrections  *prometheus.CounterVec
	stateKeys    *prometheus.GaugeVec
	stateBytes   *prometheus.GaugeVec
	notify       *notifications.Metrics
}

// NewMetrics registers the metrics with r.
func NewMetrics(r prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "flyball_" + name, Help: help}, labels)
		r.MustRegister(c)
		return c
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "flyball_" + name, Help: help}, labels)
		r.MustRegister(g)
		return g
	}
	m := &Metrics{
		notify:       notifications.NewMetrics(r),
		records:      counter("records_total", "Records read from the topics of a source.", "source"),
		samples:      counter("samples_total", "Samples decoded.", "source"),
		rejected:     counter("rejected_samples_total", "Samples not taken; reason says why. A whole record counts as one.", "source", "reason"),
		deadLetters:  counter("dead_letters_total", "Records sent to the dead-letter topic.", "stage", "reason"),
		transactions: counter("transactions_total", "Kafka transactions by result.", "role", "result"),
		sessionsLost: counter("sessions_lost_total", "Sessions that ended with an error and were replaced.", "role"),
		pollErrors:   counter("poll_errors_total", "Errors of fetches.", "role", "topic"),
		emitted:      counter("emitted_total", "Results sent, by kind.", "kind"),
		limited:      counter("limited_total", "What a limit kept from growing, by the limit.", "role", "reason"),
		recorded:     counter("recorded_rows_total", "Rows written to ClickHouse.", "table"),
		retries:      counter("record_retries_total", "Inserts tried again.", "table"),
		skipped:      counter("record_skipped_total", "Records of result topics that could not be read.", "table", "reason"),
		watermark:    gauge("watermark_seconds", "Watermark of a source as evaluate sees it, seconds since the epoch.", "source", "partition"),
		lag:          gauge("source_lag_records", "Records of a source partition not read yet.", "topic", "partition"),
		behind:       gauge("lag_records", "Records of a partition that a role had not read at its last fetch.", "role", "topic", "partition"),
		decisions:    counter("decisions_total", "Decisions by what they came to, and the first gate that refused; \"\" where none did.", "verb", "gate"),
		corrections:  counter("corrections_total", "Windows sent again because of late samples.", "indicator"),
		stateKeys:    gauge("state_keys", "Keys of the state that is kept of a partition, on the state topic and in memory.", "role", "partition"),
		stateBytes:   gauge("state_bytes", "Bytes of the state that is kept of a partition, keys and values, as they are on the state topic.", "role", "partition"),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "flyball_transaction_seconds", Help: "Time from the end of polling to the end of the transaction.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}, []string{"role"}),
	}
	r.MustRegister(m.seconds)
	return m
}

// fetched shows how far behind a role is in the partitions that gave something.
func (m *Metrics) fetched(role string, fetches kgo.Fetches) {
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if n := len(p.Records); n > 0 {
			behind := max(p.LastStableOffset-p.Records[n-1].Offset-1, 0)
			m.behind.WithLabelValues(role, p.Topic, fmt.Sprint(p.Partition)).Set(float64(behind))
		}
	})
}

// gone shows no more of partitions that others have now.
func (m *Metrics) gone(role, topic string, partition int32) {
	m.behind.DeleteLabelValues(role, topic, fmt.Sprint(partition))
	switch role {
	case roleAggregate:
		m.lag.DeleteLabelValues(topic, fmt.Sprint(partition))
	case roleEvaluate:
		m.watermark.DeletePartialMatch(prometheus.Labels{"partition": fmt.Sprint(partition)})
	}
}

func (m *Metrics) transaction(role string, committed bool, d time.Duration) {
	result := "committed"
	if !committed {
		result = "aborted"
	}
	m.transactions.WithLabelValues(role, result).Inc()
	m.seconds.WithLabelValues(role).Observe(d.Seconds())
}

// decided counts decisions that are committed.
func (m *Metrics) decided(list []flyball.Decision) {
	for _, d := range list {
		gate := ""
		if i := slices.IndexFunc(d.Gates, func(g flyball.GateResult) bool { return !g.Pass }); i >= 0 {
			gate = d.Gates[i].Gate
		}
		m.decisions.WithLabelValues(string(d.Verb), gate).Inc()
	}
}

// Reasons of limited_total that the shell itself counts; those of the machines are
// processors.LimitSeries, LimitBudgets and LimitWatched.
const (
	limitLabelSets   = "label_sets"   // the label sets of a source were forgotten: there were too many
	limitLabelBytes  = "label_bytes"  // the same, because they took too much memory
	limitLabelLength = "label_length" // a label's value was cut
	limitDeadLetter  = "dead_letter"  // a dead letter was cut
	limitDrift       = "drift"        // a partition was not read on: it is too far ahead of another
)

// limits counts the limits that a machine hit.
func (m *Metrics) limits(role string, list []processors.Limited) {
	for _, l := range list {
		m.limited.WithLabelValues(role, l.Reason).Add(float64(l.Times))
	}
}
