package chdb

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"
)

func TestClientMillionRows(t *testing.T) {
	s := startServer(t, nil)
	conn := openClient(t, s, nil)
	t.Logf("resident after start: %d MB", residentMB(t))
	mustExec(t, conn, `CREATE TABLE big (id UInt64, name LowCardinality(String), at DateTime64(3), value Float64, labels Array(String))
		ENGINE = MergeTree ORDER BY id`)
	const n = 1_000_000
	ids, names, ats, values, labels := make([]uint64, n), make([]string, n), make([]time.Time, n), make([]float64, n), make([][]string, n)
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		ids[i], values[i] = uint64(i), float64(i)/2
		names[i] = [...]string{"checkout", "cart", "payment"}[i%3]
		ats[i] = start.Add(time.Duration(i) * time.Millisecond)
		labels[i] = []string{"a", "b"}[:i%3%2]
	}
	began := time.Now()
	batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO big")
	if err != nil {
		t.Fatal(err)
	}
	for i, column := range []any{ids, names, ats, values, labels} {
		if err := batch.Column(i).Append(column); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
	t.Logf("1,000,000 rows of five columns in %v, resident %d MB", time.Since(began).Round(time.Millisecond), residentMB(t))
	var count, idSum, arrays uint64
	var sum float64
	var last time.Time
	var kinds uint64
	if err := conn.QueryRow(t.Context(), "SELECT count(), sum(id), sum(value), max(at), uniqExact(name), sum(length(labels)) FROM big").Scan(&count, &idSum, &sum, &last, &kinds, &arrays); err != nil {
		t.Fatal(err)
	}
	got := []any{count, idSum, sum, last.UTC(), kinds, arrays}
	want := []any{uint64(n), uint64(n) * (n - 1) / 2, float64(n) * (n - 1) / 4, start.Add((n - 1) * time.Millisecond), uint64(3), uint64(333_333)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	began = time.Now()
	rows, err := conn.Query(t.Context(), "SELECT * FROM big WHERE id < 200000 ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	read := uint64(0)
	for ; rows.Next(); read++ {
		var id uint64
		var name string
		var at time.Time
		var value float64
		var list []string
		if err := rows.Scan(&id, &name, &at, &value, &list); err != nil {
			t.Fatal(err)
		}
		if id != read || name != names[id] || value != values[id] || !at.Equal(ats[id]) || len(list) != len(labels[id]) {
			t.Fatalf("row %d is %d %s %v %v %v", read, id, name, at, value, list)
		}
	}
	if read != 200_000 || rows.Err() != nil {
		t.Errorf("read %d rows: %v", read, rows.Err())
	}
	t.Logf("read back in %v, resident %d MB", time.Since(began).Round(time.Millisecond), residentMB(t))
}

func residentMB(t testing.TB) int {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return -1
	}
	_, rest, _ := strings.Cut(string(data), "VmRSS:")
	var kb int
	fmt.Sscan(rest, &kb)
	return kb / 1024
}

func TestClientDeduplicationToken(t *testing.T) {
	s := startServer(t, nil)
	conn := openClient(t, s, nil)
	mustExec(t, conn, "CREATE TABLE d (a UInt64) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100")
	send := func(token string, rows ...uint64) {
		t.Helper()
		ctx := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"insert_deduplication_token": token}))
		batch, err := conn.PrepareBatch(ctx, "INSERT INTO d (a)")
		if err != nil {
			t.Fatal(err)
		}
		if err := batch.Column(0).Append(rows); err != nil {
			t.Fatal(err)
		}
		if err := batch.Send(); err != nil {
			t.Fatal(err)
		}
	}
	f := func(want uint64) {
		t.Helper()
		var count uint64
		if err := conn.QueryRow(t.Context(), "SELECT count() FROM d").Scan(&count); err != nil {
			t.Fatal(err)
		}
		if count != want {
			t.Errorf("%d rows, want %d", count, want)
		}
	}
	send("windows:0:10-20", 1, 2, 3)
	f(3)
	send("windows:0:10-20", 1, 2, 3)
	f(3)
	send("windows:0:10-20", 4, 5) // the token decides, not the rows
	f(3)
	send("windows:0:21-30", 1, 2, 3)
	f(6)
}

func TestClientSketchStatesSentAsStrings(t *testing.T) {
	s := startServer(t, nil)
	conn := openClient(t, s, nil)
	const kind = "AggregateFunction(quantilesDD(0.010830001253373618, 0.5, 0.99), Float64)"
	mustExec(t, conn, "CREATE TABLE w (id UInt8, hist String, dd "+kind+" MATERIALIZED CAST(hist AS "+kind+")) ENGINE = MergeTree ORDER BY id")
	batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO w (id, hist)")
	if err != nil {
		t.Fatal(err)
	}
	// 900 values near 1e6 in one state, 100 near 1e9 in the other.
	for id, state := range [][]byte{sketchState(1e6, 900), sketchState(1e9, 100)} {
		if err := batch.Append(uint8(id), string(state)); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
	f := func(sql string, want ...float64) {
		t.Helper()
		var got []float64
		if err := conn.QueryRow(t.Context(), sql).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		for i := range want {
			if d := got[i]/want[i] - 1; d > 0.011 || d < -0.011 {
				t.Errorf("quantile %d is %v, want %v within 1.1 %%", i, got[i], want[i])
			}
		}
	}
	const merge = "quantilesDDMerge(0.010830001253373618, 0.5, 0.99)(dd)"
	f("SELECT "+merge+" FROM w", 1e6, 1e9)
	f("SELECT "+merge+" FROM w WHERE id = 0", 1e6, 1e6)
	// Native states of ClickHouse's own merge with them.
	f("SELECT "+merge+" FROM (SELECT dd FROM w UNION ALL SELECT quantilesDDState(0.010830001253373618, 0.5, 0.99)(toFloat64(1e9)) FROM numbers(2000))", 1e9, 1e9)
}

func TestClientInsertsByStatement(t *testing.T) {
	s := startServer(t, nil)
	conn := openClient(t, s, nil)
	mustExec(t, conn, "CREATE TABLE i (a UInt64, b String) ENGINE = MergeTree ORDER BY a")
	mustExec(t, conn, "INSERT INTO i VALUES (1, 'a;b'), (2, 'c')")
	mustExec(t, conn, "INSERT INTO i VALUES ({x:UInt64}, {y:String})", clickhouse.Named("x", "3"), clickhouse.Named("y", "d'e\n"))
	mustExec(t, conn, "INSERT INTO i VALUES (?, ?)", 4, "f'\n")
	mustExec(t, conn, "INSERT INTO i (a) SELECT 5")
	if err := conn.Exec(clickhouse.Context(t.Context(), clickhouse.WithAsync(true)), "INSERT INTO i VALUES (6, 'async')"); err != nil {
		t.Error(err)
	}
	var got string
	if err := conn.QueryRow(t.Context(), "SELECT arrayStringConcat(groupArray(concat(toString(a), '=', b)), '|') FROM (SELECT * FROM i ORDER BY a)").Scan(&got); err != nil {
		t.Fatal(err)
	}
	if want := "1=a;b|2=c|3=d'e\n|4=f'\n|5=|6=async"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestClientInsertIntoMissingTable(t *testing.T) {
	s := startServer(t, nil)
	conn := openClient(t, s, func(o *clickhouse.Options) { o.Compression = nil })
	mustExec(t, conn, "CREATE TABLE gone (a UInt64) ENGINE = Memory")
	batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO gone")
	if err != nil {
		t.Fatal(err)
	}
	if err := batch.Column(0).Append(make([]uint64, 2_000_000)); err != nil {
		t.Fatal(err)
	}
	mustExec(t, conn, "DROP TABLE gone SYNC")
	var raised *clickhouse.Exception
	if err := batch.Send(); !errors.As(err, &raised) || raised.Code != 60 {
		t.Errorf("got %v", err)
	}
}
