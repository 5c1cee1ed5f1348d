package e2e

import (
	"fmt"
	"maps"
	"math"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
	"github.com/flyball-io/flyball/internal/loadgen"
	"github.com/flyball-io/flyball/internal/loadgen/shop"
)

// spansIndicator counts every span, by service, kind and name.
const spansIndicator = `---
apiVersion: flyball.dev/v1
kind: Indicator
metadata: {name: spans}
spec: {source: spans, groupBy: [span.kind, span.name], pane: 2s, window: 10s}
`

// tableRow is a row of v_windows, as far as a shop knows what is true.
type tableRow struct {
	Samples, Bad int64
	Sum          float64
	quantiles    [4]float64
	merged       [4]float64 // the same from the histogram
	rows         uint64
	labels       string
	start        int64
}

// quantiles are those that windows have.
var quantiles = [4]float64{0.5, 0.9, 0.95, 0.99}

// accuracy is what is promised for quantiles.
const accuracy = 0.011

// A simulated shop is counted exactly: every window of every series has the count,
// the errors and the sum of durations that the generator knows, and quantiles
// within what histograms promise.
func TestShopIsCountedExactly(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	db := embeddedtest.ClickHouse(t)
	cfg := shopLoad(2000, 2*time.Minute,
		shop.Incident{Kind: shop.ErrorBurst, Service: "checkout", Start: 30 * time.Second, Duration: 20 * time.Second, Severity: 0.5},
		shop.Incident{Kind: shop.SlowDependency, Service: "payment", Start: time.Minute, Duration: 20 * time.Second, Severity: 20})
	cfg.Topic, cfg.Partitions = b.prefix+"spans", 5
	cfg.Kafka.Brokers, cfg.Kafka.Compression, cfg.Kafka.Replication = b.addrs, "zstd", 1

	// The pipeline is there before the topic is.
	s := b.settings(db.DSN())
	p := run(t, s.write(t, spanSource(cfg.Topic)+spansIndicator))
	result, err := loadgen.Run(t.Context(), cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.produce(t, closers(t, cfg.Topic, cfg.Partitions, epoch.Add(10*time.Minute))...)

	want := map[windowID]windowValue{}
	for k, c := range result.Truth.Sum(nil) {
		id := windowID{"spans", labelsOf(t, "service.name", k.Service, "span.kind", k.Kind, "span.name", k.Name), k.Window, 0}
		v := want[id]
		want[id] = windowValue{
			End: k.Window + int64(cfg.TruthWindow), Count: v.Count + int64(c.Count), Bad: v.Bad + int64(c.Errors),
			Sum: v.Sum + float64(c.DurationNanos),
		}
	}
	f := b.follow(t, b.names().Windows())
	f.until(patience, "the windows of the shop", func() string {
		return diffMaps(want, latest(t, decodeWindows(t, f.records[b.names().Windows()])))
	})
	conn := db.Open(t)
	await(t, patience, "the windows in ClickHouse", func() string {
		if n := count(t, conn, "SELECT count() FROM v_windows"); n != len(want) {
			return fmt.Sprintf("%d of %d", n, len(want))
		}
		return ""
	})
	p.stop()
	if n := len(b.read(t, b.names().DeadLetters())); n > 0 {
		t.Errorf("%d dead letters", n)
	}
	exact := durations(t, cfg)
	got := shopTable(t, conn)
	if len(got) != len(want) {
		t.Errorf("v_windows has %d windows, want %d", len(got), len(want))
	}
	for id, w := range want {
		g, ok := got[id]
		if !ok || g.Samples != w.Count || g.Bad != w.Bad || g.Sum != w.Sum || g.rows != 1 {
			t.Errorf("v_windows %+v: got %+v, want %+v", id, g, w)
		}
	}
	checkQuantiles(t, got, exact)
	t.Logf("%d spans, %d records, %d windows", result.Spans, result.Records, len(want))
}

// latest keeps the last revision of every window, without what the truth does not
// know.
func latest(t *testing.T, all map[windowID]windowValue) map[windowID]windowValue {
	t.Helper()
	last := map[windowID]uint32{}
	for id := range all {
		key := id
		key.Revision = 0
		last[key] = max(last[key], id.Revision)
	}
	out := map[windowID]windowValue{}
	for key, revision := range last {
		id := key
		id.Revision = revision
		v := all[id]
		v.Hist, v.Complete = "", false
		out[key] = v
	}
	return out
}

func shopTable(t *testing.T, conn driver.Conn) map[windowID]tableRow {
	t.Helper()
	const sql = `SELECT w.labels, toUnixTimestamp64Nano(w.window_start), w.samples, w.bad_samples, w.value_sum,
		[w.value_p50, w.value_p90, w.value_p95, w.value_p99], h.q, count() OVER (PARTITION BY w.labels, w.window_start)
		FROM v_windows AS w JOIN (
			SELECT labels, window_start,
				quantilesDDMerge(0.010830001253373618, 0.5, 0.9, 0.95, 0.99)(histogram) AS q
			FROM v_histograms GROUP BY labels, window_start
		) AS h ON h.labels = w.labels AND h.window_start = w.window_start`
	out := map[windowID]tableRow{}
	for _, r := range query(t, conn, sql, func(rows driver.Rows) (tableRow, error) {
		var r tableRow
		var sum *float64
		var stored []*float64
		var merged []float64
		err := rows.Scan(&r.labels, &r.start, &r.Samples, &r.Bad, &sum, &stored, &merged, &r.rows)
		if err != nil {
			return r, err
		}
		r.Sum = *sum
		for i := range quantiles {
			r.quantiles[i], r.merged[i] = *stored[i], merged[i]
		}
		return r, nil
	}) {
		out[windowID{"spans", r.labels, r.start, 0}] = r
	}
	return out
}

func checkQuantiles(t *testing.T, got map[windowID]tableRow, exact map[loadgen.TruthKey][]int64) {
	t.Helper()
	checked, worst := 0, 0.0
	for _, k := range sortedKeys(exact) {
		list := exact[k]
		id := windowID{"spans", labelsOf(t, "service.name", k.Service, "span.kind", k.Kind, "span.name", k.Name), k.Window, 0}
		row, ok := got[id]
		if !ok {
			t.Errorf("no window %+v", id)
			continue
		}
		for i, q := range quantiles {
			want := float64(list[int(q*float64(len(list)-1))])
			for _, estimate := range []float64{row.quantiles[i], row.merged[i]} {
				off := math.Abs(estimate-want) / want
				worst = max(worst, off)
				checked++
				if !(off <= accuracy) {
					t.Errorf("%+v: quantile %v of %d spans is %v, want %v", id, q, len(list), estimate, want)
				}
			}
		}
	}
	if checked == 0 {
		t.Error("no quantile was checked")
	}
	t.Logf("%d quantiles, the worst is %.3f %% off", checked, 100*worst)
}

func sortedKeys[V any](m map[loadgen.TruthKey]V) []loadgen.TruthKey {
	var out []loadgen.TruthKey
	for k := range maps.Keys(m) {
		out = append(out, k)
	}
	return out
}
