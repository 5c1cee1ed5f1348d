package clickhouse

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/histogram"
)

const quantiles = "quantilesDDMerge(0.010830001253373618, 0.5, 0.9, 0.95, 0.99)"

// Windows of many services and sizes, some without any value, are merged in SQL.
func TestQuantilesMergedInSQL(t *testing.T) {
	db := migrated(t)
	r := rand.New(rand.NewPCG(1, 2))
	var all []float64
	byEntity := map[string][]float64{}
	var rows []processors.WindowRow
	for i := range 200 {
		row := processors.WindowRow{Indicator: "latency", Entity: fmt.Sprint("service-", i%5), Start: at(int64(i) * 10), End: at(int64(i)*10 + 10), Revision: 1}
		if i%7 != 0 {
			var h histogram.Histogram
			for range 1 + r.IntN(300) {
				v := math.Max(1, math.Exp(17+float64(i%5)+r.NormFloat64())) // ns, tens of ms and up
				h.Add(v)
				all = append(all, v)
				byEntity[row.Entity] = append(byEntity[row.Entity], v)
			}
			row.Count = int64(h.Count())
			row.Hist = h.AppendQuantilesDD(nil)
		}
		rows = append(rows, row)
	}
	put(t, db.Writer(), TableWindows, windowsOf(t, rows...), "t")
	f := func(what string, values []float64, where string) {
		t.Helper()
		slices.Sort(values)
		got := one[[]float64](t, db, "SELECT "+quantiles+"(histogram) FROM v_histograms WHERE "+where)
		if len(got) != 4 {
			t.Fatalf("%s: %v", what, got)
		}
		for i, q := range []float64{0.5, 0.9, 0.95, 0.99} {
			// Rank q(n-1), rounded down: that of DDSketch and of ClickHouse.
			want := values[int(q*float64(len(values)-1))]
			if math.Abs(got[i]-want) > 0.011*want {
				t.Errorf("%s, quantile %v: %v, want %v within 1.1 %%: off by %.3f %%", what, q, got[i], want, 100*(got[i]/want-1))
			}
		}
	}
	f("everything", all, "1")
	for entity, values := range byEntity {
		f(entity, values, "entity = '"+entity+"'")
	}
	if got := one[uint64](t, db, "SELECT countIf(isNaN(finalizeAggregation(histogram)[1])) FROM v_histograms"); got != 29 {
		t.Errorf("%d windows have an empty histogram, want 29", got)
	}
}

// A state of ours and one that ClickHouse made must be one state when merged:
// the literal in the schema is what makes it so.
func TestQuantilesMergeWithNativeStates(t *testing.T) {
	db := migrated(t)
	var h histogram.Histogram
	for v := 1; v <= 1000; v++ {
		h.Add(float64(v))
	}
	row := processors.WindowRow{Indicator: "i", Start: at(0), End: at(10), Count: 1000, Hist: h.AppendQuantilesDD(nil)}
	put(t, db.Writer(), TableWindows, windowsOf(t, row), "t")
	got := one[[]float64](t, db, "SELECT "+quantiles+`(s) FROM (
		SELECT dd AS s FROM windows
		UNION ALL
		SELECT quantilesDDState(0.010830001253373618, 0.5, 0.9, 0.95, 0.99)(toFloat64(number + 1001)) AS s FROM numbers(1000))`)
	for i, want := range []float64{1000, 1800, 1900, 1980} {
		if math.Abs(got[i]-want) > 0.011*want+1 {
			t.Errorf("quantile %d: %v, want %v", i, got[i], want)
		}
	}
}
