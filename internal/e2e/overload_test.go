package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/flyball-io/flyball/benchmarks/figures"
)

// These tests are small; make overload runs them in full: FLYBALL_OVERLOAD is how
// long telemetry comes too fast, FLYBALL_BOMB how many values a label has.
func overloadFor(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("FLYBALL_OVERLOAD")
	if text == "" {
		return 3 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func bombSize(t *testing.T) int {
	t.Helper()
	text := os.Getenv("FLYBALL_BOMB")
	if text == "" {
		return 300_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// figure writes what was measured, in full runs.
func figure(t *testing.T, name string, v any) {
	t.Helper()
	if os.Getenv("FLYBALL_OVERLOAD")+os.Getenv("FLYBALL_BOMB") == "" {
		return
	}
	if err := figures.Write("../../benchmarks/out/"+name+".json", v); err != nil {
		t.Fatal(err)
	}
}

var httpAddr = regexp.MustCompile(`"serving HTTP","addr":"([^"]+)"`)

// metrics returns what a process shows, by name and labels; nil while it does not.
func (p *process) metrics() map[string]float64 {
	m := httpAddr.FindStringSubmatch(p.log.String())
	if m == nil {
		return nil
	}
	resp, err := http.Get("http://" + m[1] + "/metrics")
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	out := map[string]float64{}
	for s := bufio.NewScanner(resp.Body); s.Scan(); {
		name, value, _ := strings.Cut(s.Text(), "} ")
		if value == "" {
			name, value, _ = strings.Cut(s.Text(), " ")
		} else {
			name += "}"
		}
		if f, err := strconv.ParseFloat(value, 64); err == nil && !strings.HasPrefix(name, "#") {
			out[name] = f
		}
	}
	return out
}

// sum adds up the series of a metric.
func sum(metrics map[string]float64, name string) float64 {
	total := 0.0
	for k, v := range metrics {
		if k == name || strings.HasPrefix(k, name+"{") {
			total += v
		}
	}
	return total
}

// memory is the memory of a process as it was seen.
type memory struct{ early, most float64 }

// see notes what a process takes: early is the most in the first third.
func (m *memory) see(bytes float64, first bool) {
	m.most = max(m.most, bytes)
	if first {
		m.early = max(m.early, bytes)
	}
}

// flat fails when the memory grew after the first third. A test of seconds has only just
// begun by then: the buffers of fetches are not all there. The race detector keeps several
// times as much.
func (m *memory) flat(t *testing.T, took time.Duration) {
	t.Helper()
	t.Logf("memory: %.0f MB in the first third, %.0f MB at most", m.early/1e6, m.most/1e6)
	slack := 64e6
	if took < time.Minute {
		slack = 256e6
	}
	if underRace {
		slack = 1e9
	}
	if m.early == 0 || m.most > 1.3*m.early+slack {
		t.Errorf("memory grew from %.0f MB to %.0f MB", m.early/1e6, m.most/1e6)
	}
}

// costlyIndicators makes every span cost so much that telemetry can easily be made
// faster than it is processed.
func costlyIndicators() string {
	text := getIndicator
	for i := range 60 {
		text += fmt.Sprintf("---\napiVersion: flyball.dev/v1\nkind: Indicator\nmetadata: {name: costly-%d}\n"+
			"spec: {source: spans, value: duration, groupBy: [span.name], filter: ['duration>=%dns'], pane: 1s, window: 5s}\n", i, i)
	}
	return text
}

// processed returns how many records of a topic aggregate has committed.
func (b *broker) processed(t *testing.T, topic string) int {
	t.Helper()
	n := 0
	for _, at := range b.head(t, b.prefix+"g-aggregate-spans", topic) {
		n += int(at)
	}
	return n
}

// Telemetry that comes at least twice as fast as it can be processed makes lag grow,
// which shows, and nothing else: memory stays, and every sample is counted.
func TestOverloadMakesLagOnly(t *testing.T) {
	length := overloadFor(t)
	b := newBroker(t)
	topic := b.topic(t, "spans", 2)
	t.Setenv("GOMAXPROCS", "1")
	s := b.settings("")
	p := start(t, "run", "--config", s.write(t, spanSource(topic)+costlyIndicators()))
	await(t, patience, "the process is there", func() string {
		if sum(p.metrics(), "flyball_transactions_total") == 0 {
			return "no transaction yet"
		}
		return ""
	})
	const each, atOnce = 100, 2400 // spans of a record, records that are sent at once
	list := make([]span, each)
	sent, windows := 0, map[int64]int{}
	var mem memory
	lag, processed := 0.0, 0
	began := time.Now()
	// On a machine that is busy it may take longer until what is sent begins to show.
	shown := func() bool { return processed > 0 && lag >= float64(sent)/each/4 }
	for since := time.Duration(0); since < length || since < patience && !shown(); since = time.Since(began) {
		seen := p.metrics()
		mem.see(seen["process_resident_memory_bytes"], since < length/3)
		lag, processed = max(lag, sum(seen, "flyball_source_lag_records")), b.processed(t, topic)*each
		if sent > 3*processed+2*atOnce*each {
			time.Sleep(10 * time.Millisecond) // it is too much already
			continue
		}
		at := epoch.Add(since)
		for i := range list {
			list[i] = span{service: "cart", name: "get", end: at, took: time.Millisecond}
		}
		value := spans(t, list...)
		var batch []*kgo.Record
		for i := range atOnce {
			batch = append(batch, &kgo.Record{Topic: topic, Partition: int32(i % 2), Value: value})
		}
		b.produce(t, batch...)
		sent += len(batch) * each
		windows[at.Truncate(5*time.Second).UnixNano()] += len(batch) * each
	}
	took := time.Since(began)
	t.Logf("%d spans in %s, of which %d were processed meanwhile (%.0f per second); lag of up to %.0f records",
		sent, took.Round(time.Millisecond), processed, float64(processed)/took.Seconds(), lag)
	if lag < float64(sent)/each/4 {
		t.Errorf("the lag is said to be %.0f records at most, of %d", lag, sent/each)
	}
	b.produce(t, closers(t, topic, 2, epoch.Add(took+time.Minute))...)
	await(t, patience+4*length, "all is processed", func() string {
		seen := p.metrics()
		mem.see(seen["process_resident_memory_bytes"], false)
		return b.caughtUp(t, b.prefix+"g-aggregate-spans", topic) + b.caughtUp(t, b.prefix+"g-evaluate", b.names().Panes())
	})
	mem.flat(t, length)
	p.terminate()
	for id, v := range decodeWindows(t, b.read(t, b.names().Windows())) {
		if id.Indicator == "gets" && strings.Contains(id.Labels, "cart") {
			if id.Revision != 1 {
				t.Errorf("%+v is a correction", id)
			}
			windows[id.Start] -= int(v.Count)
		}
	}
	for start, n := range windows {
		if n != 0 {
			t.Errorf("the window at %s lacks %d spans", time.Unix(0, start).UTC(), n)
		}
	}
	figure(t, "overload", map[string]any{
		"spans": sent, "seconds": took.Seconds(), "spans_per_s": float64(sent) / took.Seconds(), "processed_per_s": float64(processed) / took.Seconds(),
		"lag_records": lag, "early_rss_bytes": mem.early, "peak_rss_bytes": mem.most,
	})
}

// bombIndicator groups by a label that is never the same.
const bombIndicator = `---
apiVersion: flyball.dev/v1
kind: Indicator
metadata: {name: bomb}
spec: {source: spans, groupBy: [user.id], pane: 1s, window: 5s, seriesLimit: 1000}
`

// bomb encodes spans each of which has another user, from a number on.
func bomb(t *testing.T, from, n int, at time.Time) []byte {
	t.Helper()
	text := func(s string) *commonpb.AnyValue {
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: s}}
	}
	list := make([]*tracepb.Span, n)
	for i := range list {
		list[i] = &tracepb.Span{
			Name: "get", StartTimeUnixNano: uint64(at.UnixNano()), EndTimeUnixNano: uint64(at.UnixNano()) + 1000,
			Attributes: []*commonpb.KeyValue{{Key: "user.id", Value: text(fmt.Sprintf("user-%09d", from+i))}},
		}
	}
	value, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource:   &resourcepb.Resource{Attributes: []*commonpb.KeyValue{{Key: "service.name", Value: text("cart")}}},
		ScopeSpans: []*tracepb.ScopeSpans{{Spans: list}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// A label with a new value in every sample costs no more memory than the limits
// allow, and no sample: what is too much is counted together, and said.
func TestCardinalityBomb(t *testing.T) {
	size := bombSize(t)
	b := newBroker(t)
	topic := b.topic(t, "spans", 2)
	s := b.settings("")
	s.more = "  limits: {labelSets: " + strconv.Itoa(min(size/20, 500_000)) + "}\n"
	p := start(t, "run", "--config", s.write(t, spanSource(topic)+bombIndicator))
	const each = 1000
	var mem memory
	began := time.Now()
	for from := 0; from < size; {
		var batch []*kgo.Record
		for range max(20, size/each/100) {
			at := epoch.Add(time.Duration(float64(from) / float64(size) * float64(30*time.Second)))
			batch = append(batch, &kgo.Record{Topic: topic, Partition: int32(len(batch) % 2), Value: bomb(t, from, each, at)})
			from += each
		}
		b.produce(t, batch...)
		// Wait: this is about what a process keeps, not about lag.
		await(t, patience, "the bomb is read", func() string {
			return b.caughtUp(t, b.prefix+"g-aggregate-spans", topic)
		})
		mem.see(p.metrics()["process_resident_memory_bytes"], from <= size/3)
	}
	b.produce(t, closers(t, topic, 2, epoch.Add(time.Minute))...)
	f := b.follow(t, b.names().Windows())
	total, overflow := 0, 0
	f.until(patience, "the windows of the bomb", func() string {
		total, overflow = 0, 0
		for id, v := range decodeWindows(t, f.records[b.names().Windows()]) {
			if strings.Contains(id.Labels, "__overflow__") {
				overflow += int(v.Count)
			}
			if v.End <= epoch.Add(time.Minute).UnixNano() {
				total += int(v.Count)
			}
		}
		if total < size {
			return fmt.Sprintf("%d of %d samples", total, size)
		}
		return ""
	})
	seen := p.metrics()
	t.Logf("%d values in %s, %d samples in overflow series; %.0f times too many label sets", size, time.Since(began).Round(time.Millisecond), overflow,
		seen[`flyball_limited_total{reason="label_sets",role="aggregate"}`])
	mem.flat(t, time.Since(began))
	p.terminate()
	if total != size || overflow < size/2 {
		t.Errorf("%d samples are counted, %d of them in overflow series; want %d, most of them there", total, overflow, size)
	}
	for _, limit := range []string{`{reason="series",role="aggregate"}`, `{reason="series",role="evaluate"}`, `{reason="label_sets",role="aggregate"}`} {
		if seen["flyball_limited_total"+limit] == 0 {
			t.Errorf("flyball_limited_total%s says nothing", limit)
		}
	}
	figure(t, "bomb", map[string]any{
		"values": size, "seconds": time.Since(began).Seconds(), "early_rss_bytes": mem.early, "peak_rss_bytes": mem.most,
		"overflow_samples": overflow, "samples": total,
	})
}

// A label value as long as a record makes a name of bounded length, and is said to
// have been cut; what is grouped by it goes all the way to a window.
func TestOversizedLabels(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	topic := b.topic(t, "spans", 1)
	p := start(t, "run", "--config", b.settings("").write(t, spanSource(topic)+getIndicator))
	var records []*kgo.Record
	for i := range 5 {
		name := string(bytes.Repeat([]byte{byte('a' + i)}, 900_000))
		records = append(records, &kgo.Record{Topic: topic, Value: spans(t, span{service: "cart", name: name, end: epoch, took: time.Millisecond})})
	}
	b.produce(t, records...)
	b.produce(t, closers(t, topic, 1, epoch.Add(time.Minute))...)
	f := b.follow(t, b.names().Windows())
	f.until(patience, "windows of long names", func() string {
		n := 0
		for id := range decodeWindows(t, f.records[b.names().Windows()]) {
			if strings.Contains(id.Labels, "cart") {
				n++
				if len(id.Labels) > 2000 {
					t.Errorf("labels of %d bytes", len(id.Labels))
				}
			}
		}
		if n != len(records) {
			return fmt.Sprintf("%d of %d", n, len(records))
		}
		return ""
	})
	if n := p.metrics()[`flyball_limited_total{reason="label_length",role="aggregate"}`]; n < 5 {
		t.Errorf("%.0f labels are said to have been cut", n)
	}
	p.terminate()
}
