package record

import (
	"os"
	"strings"
	"testing"

	"github.com/flyball-io/flyball/internal/embedded/chdb"
)

func BenchmarkRecord(b *testing.B) {
	for b.Loop() {
		r, err := Run(b.Context(), os.Stdout)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(r.Ratio, "ratio")
		b.ReportMetric(r.RowsPerSecond, "rows/s")
		b.ReportMetric(r.BytesPerRow, "disk-B/row")
	}
}

// The benchmark itself works and both ways arrive; the figures of so few rows
// say nothing.
func TestRun(t *testing.T) {
	if os.Getenv(chdb.SkipEnv) == "1" {
		t.Skipf("%s=1: no embedded ClickHouse", chdb.SkipEnv)
	}
	s := size{blocks: 2, rowsPerBlock: 3000, rounds: 2}
	var out strings.Builder
	r, err := run(t.Context(), &out, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(out.String())
	if r.Rows != s.blocks*s.rowsPerBlock || r.Ratio <= 0 || r.BytesPerRow <= 0 {
		t.Errorf("got %+v", r)
	}
	if !strings.Contains(out.String(), "ratio") {
		t.Errorf("the table has no ratio:\n%s", out.String())
	}
}
