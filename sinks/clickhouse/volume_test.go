package clickhouse

import (
	"fmt"
	"testing"

	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/histogram"
)

func TestInsertManyRows(t *testing.T) {
	const rows, series = 200_000, 1000
	db := migrated(t)
	var h histogram.Histogram
	var w processors.Windows
	var samples int64
	for i := range rows {
		h.Reset()
		h.AddN(1e6*float64(1+i%50), 7)
		h.AddN(2e7, uint64(i%3))
		samples += int64(h.Count())
		start := int64(i/series) * 10
		entity := fmt.Sprint("service-", i%20)
		w.Append(processors.WindowRow{
			Indicator: "latency", Entity: entity, Labels: fmt.Sprintf(`{"http.route":"/r/%d","service.name":"%s"}`, i%series, entity),
			Start: at(start), End: at(start + 10), Revision: 1, Count: int64(h.Count()), Sum: 1, Min: 1, Max: 2e7,
			P50: h.Quantile(0.5), Complete: true, Hist: h.AppendQuantilesDD(nil),
		})
	}
	put(t, db.Writer(), TableWindows, decode(t, w.Encode()), "windows:0:0-199999")
	if n := one[uint64](t, db, "SELECT count() FROM v_windows"); n != rows {
		t.Errorf("%d rows, want %d", n, rows)
	}
	if n := one[int64](t, db, "SELECT sum(samples) FROM v_windows"); n != samples {
		t.Errorf("%d samples, want %d", n, samples)
	}
	// Each histogram is next to the row that it came with.
	if n := one[uint64](t, db, "SELECT countIf(NOT abs(finalizeAggregation(dd)[1] / p50 - 1) < 0.022) FROM windows"); n != 0 {
		t.Errorf("%d rows have another row's histogram", n)
	}
}
