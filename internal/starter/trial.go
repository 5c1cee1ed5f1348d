package starter

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/machines"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/aggregate"
)

// Report says what a configuration measures of the sample of one topic.
type Report struct {
	Topic      string         `json:"topic"`
	Source     string         `json:"source"`
	Format     string         `json:"format"`
	Encoding   string         `json:"encoding,omitempty"`
	Records    int            `json:"records"`
	Bytes      int            `json:"bytes"`
	Recognised int            `json:"recognised"`
	Others     map[string]int `json:"others,omitempty"`
	// Rejected counts samples, or whole records, by why they cannot be used; Rejection
	// is an example.
	Rejected   map[string]int `json:"rejected,omitempty"`
	Rejection  string         `json:"rejection,omitempty"`
	Indicators []*Measured    `json:"indicators"`
	Times      Times          `json:"times"`
	// Notes are what a person should look at.
	Notes []string `json:"notes,omitempty"`
}

// Times says how event times and the times of records differ.
type Times struct {
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// Delay is how long after its latest event time a record was on the topic.
	DelayMedian time.Duration `json:"delay_median_ns"`
	DelayMost   time.Duration `json:"delay_most_ns"`
	// OutOfOrder is how far records of a partition went back behind one before.
	OutOfOrder time.Duration `json:"out_of_order_ns"`
}

// Measured is what one indicator made of the sample.
type Measured struct {
	Indicator string `json:"indicator"`
	Samples   int64  `json:"samples"`
	Bad       int64  `json:"bad"`
	Series    int    `json:"series"`
	// Totals are points of cumulative streams: they count from the second on.
	Totals int `json:"totals,omitempty"`
	// Examples are labels of the largest series.
	Examples []string `json:"examples,omitempty"`
	Unit     string   `json:"unit,omitempty"`
	Median   *float64 `json:"median,omitempty"`
	P99      *float64 `json:"p99,omitempty"`
	Most     *float64 `json:"most,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

// trial decodes the sample of a topic as the source of a configuration does, and folds it
// into what its indicators measure.
type trial struct {
	source  flyball.Source
	report  *Report
	decoder ingest.Decoder
	builder *ingest.Builder
	machine *aggregate.Machine
	values  [][]float64
	ahead   map[int32]flyball.Time // the latest event time of each partition
	delays  []time.Duration
}

// try returns the report of a source on records.
func try(c *config.Config, p *plan, records []*kgo.Record, now time.Time) (*Report, error) {
	at := slices.IndexFunc(c.Sources, func(s flyball.Source) bool { return s.Name == p.source })
	indicators := machines.IndicatorsOf(c, p.source)
	projection := ingest.ProjectionOf(indicators)
	t := &trial{source: c.Sources[at], ahead: map[int32]flyball.Time{}, report: &Report{
		Topic: p.topic, Source: p.source, Format: p.survey.Format, Encoding: p.survey.Encoding, Records: p.survey.Records,
		Recognised: p.survey.Recognised, Others: p.survey.Others, Rejected: map[string]int{}, Notes: p.notes}}
	var err error
	if t.decoder, err = decode.New(t.source, projection); err != nil {
		return nil, err
	}
	dict := ingest.NewDictionary(len(projection.Labels))
	t.builder = ingest.NewBuilder(projection, dict, ingest.NewPool())
	t.builder.SetLatest(flyball.TimeOf(now.Add(t.source.MaxAhead)))
	t.machine, err = aggregate.New(aggregate.Config{Source: t.source, Indicators: indicators, Labels: projection.Labels, Values: projection.Values, Partitions: 1}, dict)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		t.take(r)
	}
	ready := t.machine.Step(aggregate.Input{Flush: &aggregate.Flush{Now: flyball.TimeOf(now)}})
	if err := t.measure(indicators, ready.Panes); err != nil {
		return nil, err
	}
	t.times(now)
	return t.report, nil
}

func (t *trial) take(r *kgo.Record) {
	t.report.Bytes += len(r.Value)
	if err := t.decode(r); err != nil {
		rejected, ok := ingest.Rejected(err)
		if !ok {
			rejected = &ingest.Rejection{Reason: ingest.ReasonMalformed, Detail: err.Error()}
		}
		t.report.Rejected[rejected.Reason] += max(rejected.Samples, 1)
		t.report.Rejection = cmp.Or(t.report.Rejection, fmt.Sprintf("partition %d offset %d: %v", r.Partition, r.Offset, rejected))
	}
	b := t.builder.Batch()
	defer b.Release()
	if b.MaxTime != flyball.NoTime {
		t.delays = append(t.delays, r.Timestamp.Sub(b.MaxTime.Std()))
		if last, known := t.ahead[r.Partition]; known && b.MaxTime < last {
			t.report.Times.OutOfOrder = max(t.report.Times.OutOfOrder, time.Duration(last-b.MaxTime))
		}
		t.ahead[r.Partition] = max(t.ahead[r.Partition], b.MaxTime)
		first, last := &t.report.Times.First, &t.report.Times.Last
		if at := b.MaxTime.Std().UTC(); first.IsZero() || at.Before(*first) {
			*first = at
		}
		if at := b.MaxTime.Std().UTC(); at.After(*last) {
			*last = at
		}
	}
	samples := machines.Samples(r.Topic, 0, b, t.values)
	t.values = samples.Values
	t.machine.Step(aggregate.Input{Samples: []aggregate.Samples{samples}})
}

func (t *trial) decode(r *kgo.Record) error {
	d, ok := t.decoder.(ingest.RecordDecoder)
	if !ok {
		return t.decoder.Decode(r.Value, t.builder)
	}
	var headers []ingest.Header
	for _, h := range r.Headers {
		headers = append(headers, ingest.Header{Key: h.Key, Value: h.Value})
	}
	return d.DecodeRecord(headers, r.Value, t.builder)
}

// seriesOf is one series of an indicator.
type seriesOf struct{ indicator, labels string }

// measure adds up the partial panes.
func (t *trial) measure(indicators []flyball.Indicator, blocks []processors.PaneBlock) error {
	panes, series, by := map[string]*processors.Pane{}, map[seriesOf]int64{}, map[string]*Measured{}
	for _, i := range indicators {
		by[i.Name] = &Measured{Indicator: i.Name, Unit: i.Unit}
		panes[i.Name] = processors.NewPane()
		t.report.Indicators = append(t.report.Indicators, by[i.Name])
	}
	var bad error
	for _, b := range blocks {
		if len(b.Panes) == 0 {
			continue
		}
		err := processors.ReadPanes(b.Panes, func(r processors.PaneRow) {
			m := by[r.Indicator]
			series[seriesOf{r.Indicator, r.Labels}] += r.Count
			if len(r.Point) > 0 {
				m.Totals++
			} else if err := panes[r.Indicator].MergeRow(r); err != nil {
				bad = cmp.Or(bad, err)
			}
		})
		if err = cmp.Or(err, bad); err != nil {
			return err
		}
	}
	for _, i := range indicators {
		finish(by[i.Name], panes[i.Name], series)
	}
	return nil
}

// finish fills in what is known of an indicator once all is added up.
func finish(m *Measured, pane *processors.Pane, series map[seriesOf]int64) {
	m.Samples, m.Bad = pane.Count, pane.Bad
	type one struct {
		labels string
		count  int64
	}
	var all []one
	for s, n := range series {
		if s.indicator == m.Indicator {
			all = append(all, one{s.labels, n})
		}
	}
	m.Series = len(all)
	slices.SortFunc(all, func(a, b one) int { return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.labels, b.labels)) })
	for _, s := range all[:min(3, len(all))] {
		m.Examples = append(m.Examples, labelText(s.labels))
	}
	if pane.Hist.Count() > 0 {
		median, p99, most := pane.Hist.Quantile(0.5), pane.Hist.Quantile(0.99), pane.Max
		m.Median, m.P99, m.Most = &median, &p99, &most
	}
	switch {
	case m.Samples == 0 && m.Totals == 0:
		m.Warnings = append(m.Warnings, "it measures nothing of the sample")
	case m.Series > 20 && int64(2*m.Series) > m.Samples+int64(m.Totals):
		m.Warnings = append(m.Warnings, fmt.Sprintf("%d series of %d samples: nearly every sample is a series; group by less", m.Series, m.Samples+int64(m.Totals)))
	case m.Series > 1000:
		m.Warnings = append(m.Warnings, fmt.Sprintf("%d series in a small sample: there will be many more; see seriesLimit", m.Series))
	}
}

// labelText shows canonical labels as people write them.
func labelText(canonical string) string {
	var labels flyball.Labels
	if json.Unmarshal([]byte(canonical), &labels) != nil {
		return canonical
	}
	return labels.String()
}

// times says what is unusual about the times of the sample.
func (t *trial) times(now time.Time) {
	x := &t.report.Times
	if len(t.delays) == 0 {
		return
	}
	slices.Sort(t.delays)
	x.DelayMedian, x.DelayMost = t.delays[len(t.delays)/2], t.delays[len(t.delays)-1]
	note := func(format string, args ...any) {
		t.report.Notes = append(t.report.Notes, fmt.Sprintf(format, args...))
	}
	if x.OutOfOrder > t.source.OutOfOrderness {
		note("records went back by up to %v within a partition: more than outOfOrderness (%v) of source %s; what comes later than that makes corrections",
			x.OutOfOrder.Round(time.Millisecond), t.source.OutOfOrderness, t.source.Name)
	}
	if t.delays[0] < -time.Second {
		note("event times are up to %v ahead of the records' times: a clock is wrong", (-t.delays[0]).Round(time.Millisecond))
	}
	if age := now.Sub(x.Last); age > 10*time.Minute {
		note("the latest event is of %s, %v ago: nothing live is on the topic, or its event times are not what they seem", x.Last.Format(time.RFC3339), age.Round(time.Second))
	}
}
