package e2e

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
)

// checkExamples checks that findings show failed spans of their service by traces that
// were sent, and that the table says the same.
func checkExamples(t *testing.T, conn driver.Conn, findings map[string]flyball.Finding, load *recording) {
	t.Helper()
	var want []string
	for id, f := range findings {
		if len(f.Examples) == 0 || len(f.Examples) > 5 {
			t.Errorf("finding %q has %d examples", f.Summary, len(f.Examples))
		}
		for _, e := range f.Examples {
			trace, err := hex.DecodeString(e.Trace)
			if err != nil || len(trace) != 16 || !load.sent(trace) {
				t.Errorf("trace %q was not sent", e.Trace)
			}
			if !e.Bad || e.Labels.Get("service.name") != f.Entity || e.At >= f.At || f.At.Sub(e.At) > 10*time.Minute {
				t.Errorf("a finding of %s at %s shows %+v", f.Entity, f.At, e)
			}
			want = append(want, fmt.Sprintf("%s %s %s %t", id, e.Trace, e.Indicator, e.Bad))
		}
	}
	got := query(t, conn, "SELECT concat(finding_id, ' ', trace_id, ' ', indicator, ' ', toString(is_bad)) FROM v_examples", func(rows driver.Rows) (string, error) {
		var s string
		return s, rows.Scan(&s)
	})
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(strings.Join(want, "\n"), strings.Join(got, "\n")); diff != "" {
		t.Errorf("v_examples (-want +got):\n%s", diff)
	}
}

// sent reports whether some record has a trace.
func (l *recording) sent(trace []byte) bool {
	for _, r := range l.records {
		if bytes.Contains(r.Value, trace) {
			return true
		}
	}
	return false
}
