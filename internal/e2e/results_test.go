package e2e

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/processors"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// windowID identifies one revision of one window of one series.
type windowID struct {
	Indicator, Labels string
	Start             int64
	Revision          uint32
}

// windowValue is what a window says.
type windowValue struct {
	End        int64
	Count, Bad int64
	Sum        float64
	Hist       string
	Complete   bool
}

// decodeWindows reads records of the windows topic. Every revision must be there
// once.
func decodeWindows(t *testing.T, records []*kgo.Record) map[windowID]windowValue {
	t.Helper()
	out := map[windowID]windowValue{}
	for _, r := range records {
		rec, err := processors.DecodeRecord(r.Value)
		if err != nil {
			t.Fatalf("windows at %d/%d: %v", r.Partition, r.Offset, err)
		}
		col := func(name string) arrow.Array { return rec.Column(rec.Schema().FieldIndices(name)[0]) }
		str := func(name string, i int) string { return col(name).(*array.String).Value(i) }
		i64 := func(name string, i int) int64 { return col(name).(*array.Int64).Value(i) }
		at := func(name string, i int) int64 { return int64(col(name).(*array.Timestamp).Value(i)) }
		for i := range int(rec.NumRows()) {
			id := windowID{str("indicator", i), str("labels", i), at("start", i), col("revision").(*array.Uint32).Value(i)}
			if _, twice := out[id]; twice {
				t.Errorf("window %v is there twice", id)
			}
			v := windowValue{
				End: at("end", i), Count: i64("count", i), Bad: i64("bad", i),
				Hist: string(col("hist").(*array.Binary).Value(i)), Complete: col("complete").(*array.Boolean).Value(i),
			}
			if sum := col("sum").(*array.Float64); sum.IsValid(i) {
				v.Sum = sum.Value(i)
			}
			out[id] = v
		}
		rec.Release()
	}
	return out
}

// eventIDs returns the ce_ids of records, each of which must be there once.
func eventIDs(t *testing.T, records []*kgo.Record) []string {
	t.Helper()
	count := map[string]int{}
	for _, r := range records {
		count[sinkkafka.Header(r, sinkkafka.HeaderID)]++
	}
	for id, n := range count {
		if n > 1 || id == "" {
			t.Errorf("event %q is there %d times", id, n)
		}
	}
	return slices.Sorted(maps.Keys(count))
}

// outcome is all that a run came to.
type outcome struct {
	Windows             map[windowID]windowValue
	Findings, Decisions []string
	Commands            []string
	SLO                 map[string]int
}

// outcome reads the result topics.
func (b *broker) outcome(t *testing.T, topics sinkkafka.Topics) outcome {
	t.Helper()
	return outcome{
		Windows:   decodeWindows(t, b.read(t, topics.Windows())),
		Findings:  eventIDs(t, b.read(t, topics.Findings())),
		Decisions: eventIDs(t, b.read(t, topics.Decisions())),
		Commands:  eventIDs(t, b.read(t, topics.Commands())),
		SLO:       decodeStatus(t, b.read(t, topics.SLO())),
	}
}

// decodeStatus counts the rows of SLO status by all that they say.
func decodeStatus(t *testing.T, records []*kgo.Record) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, r := range records {
		rec, err := processors.DecodeRecord(r.Value)
		if err != nil {
			t.Fatalf("slo status at %d/%d: %v", r.Partition, r.Offset, err)
		}
		for i := range int(rec.NumRows()) {
			row := ""
			for c, f := range rec.Schema().Fields() {
				row += fmt.Sprintf("%s=%s ", f.Name, rec.Column(c).ValueStr(i))
			}
			if out[row]++; out[row] > 1 {
				t.Errorf("slo status is there twice: %s", row)
			}
		}
		rec.Release()
	}
	return out
}

// same fails when two runs differ, and says in what.
func same(t *testing.T, what string, want, got outcome) {
	t.Helper()
	if diff := diffMaps(want.Windows, got.Windows); diff != "" {
		t.Errorf("%s: windows differ:\n%s", what, diff)
	}
	if diff := diffMaps(want.SLO, got.SLO); diff != "" {
		t.Errorf("%s: SLO status differs:\n%s", what, diff)
	}
	for name, pair := range map[string][2][]string{
		"findings": {want.Findings, got.Findings}, "decisions": {want.Decisions, got.Decisions}, "commands": {want.Commands, got.Commands},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Errorf("%s: %s differ (-want +got):\n%s", what, name, diff)
		}
	}
}

// diffMaps shows at most a handful of differences.
func diffMaps[K comparable, V comparable](want, got map[K]V) string {
	const shown = 8
	n, text := 0, ""
	note := func(format string, args ...any) {
		if n++; n <= shown {
			text += fmt.Sprintf(format, args...)
		}
	}
	for k, w := range want {
		if g, ok := got[k]; !ok {
			note("missing %+v: %+v\n", k, w)
		} else if g != w {
			note("%+v: got %+v, want %+v\n", k, g, w)
		}
	}
	for k, g := range got {
		if _, ok := want[k]; !ok {
			note("unexpected %+v: %+v\n", k, g)
		}
	}
	if n > shown {
		text += fmt.Sprintf("… and %d more of %d wanted, %d got\n", n-shown, len(want), len(got))
	}
	return text
}

// query returns the rows of a query as scanned by scan.
func query[T any](t *testing.T, conn driver.Conn, sql string, scan func(driver.Rows) (T, error)) []T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return out
}

// count returns the one number of a query, -1 while the table is not there.
func count(t *testing.T, conn driver.Conn, sql string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var n uint64
	if err := conn.QueryRow(ctx, sql).Scan(&n); err != nil {
		return -1
	}
	return int(n)
}
