package grafana

import (
	"os"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/histogram"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

// automated adds what automation did that day: windows with histograms, and the rows of
// testdata/rows.sql, one statement after the other.
func automated(t *testing.T, conn driver.Conn, w *clickhouse.Writer, database string) {
	t.Helper()
	var windows processors.Windows
	var h histogram.Histogram
	for n := range 1000 {
		h.Add(float64(n+1) * 1e6)
	}
	begin := flyball.TimeOf(end.Add(-20 * 60e9))
	for i := range int64(20) {
		row := processors.WindowRow{
			Indicator: "requests", Entity: "pay", Labels: `{"service.name":"pay"}`, Start: begin + flyball.Time(i*60_000), End: begin + flyball.Time((i+1)*60_000),
			Revision: 1, Count: 1000, Bad: i % 7, Complete: i != 3, Hist: h.AppendQuantilesDD(nil),
		}
		if i == 5 {
			row.Revision = 2
		}
		windows.Append(row)
	}
	rec, err := processors.DecodeRecord(windows.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Release()
	if err := w.Insert(t.Context(), clickhouse.TableWindows, rec, ""); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/rows.sql")
	if err != nil {
		t.Fatal(err)
	}
	statements := 0
	for _, sql := range strings.Split(strings.ReplaceAll(string(text), "{db}", database), ";\n") {
		if strings.TrimSpace(sql) == "" {
			continue
		}
		statements++
		if err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	if statements < 5 {
		t.Fatalf("testdata/rows.sql has %d statements", statements)
	}
}
