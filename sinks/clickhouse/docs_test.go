package clickhouse

import (
	"os"
	"strings"
	"testing"

	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/histogram"
)

// The queries of the manual run.
func TestDocumentedQueries(t *testing.T) {
	page, err := os.ReadFile("../../docs/reporting.md")
	if err != nil {
		t.Fatal(err)
	}
	db := migrated(t)
	queries := 0
	for i, part := range strings.Split(string(page), "```sql\n") {
		if i == 0 {
			continue
		}
		sql, _, _ := strings.Cut(part, "```")
		rows, err := db.Conn().Query(t.Context(), strings.ReplaceAll(sql, "flyball.", db.Name()+"."))
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		for rows.Next() {
			t.Errorf("%s: gives rows of an empty database", sql)
		}
		if err := rows.Close(); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
		queries++
	}
	if queries < 5 {
		t.Errorf("the page has %d queries", queries)
	}
}

// A quantile that was not among those of the stored states is as exact.
func TestAnyQuantile(t *testing.T) {
	db := migrated(t)
	var w processors.Windows
	var h histogram.Histogram
	for i := range int64(50) { // 1 to 100,000 ms, once each
		h.Reset()
		for n := range int64(2000) {
			h.Add(float64(i*2000+n+1) * 1e6)
		}
		w.Append(processors.WindowRow{
			Indicator: "requests", Entity: "cart", Labels: "{}", Start: at(i * 10), End: at(i*10 + 10), Revision: 1, Count: 2000,
			Complete: true, Hist: h.AppendQuantilesDD(nil),
		})
	}
	put(t, db.Writer(), TableWindows, decode(t, w.Encode()), "")
	got := one[float64](t, db, `SELECT finalizeAggregation(CAST(quantilesDDMergeState(0.010830001253373618, 0.5, 0.9, 0.95, 0.99)(histogram)
		AS AggregateFunction(quantilesDD(0.010830001253373618, 0.999), Float64)))[1] / 1e6 FROM v_histograms`)
	if got < 99_900*0.989 || got > 99_900*1.011 {
		t.Errorf("p99.9 is %v, want 99900", got)
	}
}
