package chdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"
)

func TestClientPingAndVersion(t *testing.T) {
	s := startServer(t, nil)
	f := func(t *testing.T, method clickhouse.CompressionMethod) {
		conn := openClient(t, s, func(o *clickhouse.Options) {
			o.Compression = &clickhouse.Compression{Method: method}
			o.Settings = clickhouse.Settings{}
			if method == clickhouse.CompressionGZIP {
				o.Compression.Level = 3
				o.Settings["enable_http_compression"] = 1
			}
		})
		if err := conn.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		version, err := conn.ServerVersion()
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%d.%d", version.Version.Major, version.Version.Minor); got != "26.7" {
			t.Errorf("version %s, want 26.7", got)
		}
		var sum uint64
		var text string
		// Large enough for several blocks and compressed frames.
		if err := conn.QueryRow(t.Context(), "SELECT sum(number), concat(repeat('x', 1000000), repeat('x', 1000000), repeat('x', 1000000)) FROM numbers(1000)").Scan(&sum, &text); err != nil {
			t.Fatal(err)
		}
		if sum != 499500 || len(text) != 3_000_000 {
			t.Errorf("got %d and %d bytes", sum, len(text))
		}
		mustExec(t, conn, "CREATE OR REPLACE TABLE c (a UInt64) ENGINE = Memory")
		batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO c")
		if err != nil {
			t.Fatal(err)
		}
		if err := batch.Append(uint64(7)); err != nil {
			t.Fatal(err)
		}
		if err := batch.Send(); err != nil {
			t.Fatal(err)
		}
		if err := conn.QueryRow(t.Context(), "SELECT sum(a) FROM c").Scan(&sum); err != nil || sum != 7 {
			t.Errorf("sum %d, %v", sum, err)
		}
	}
	for _, method := range []clickhouse.CompressionMethod{
		clickhouse.CompressionNone, clickhouse.CompressionLZ4, clickhouse.CompressionZSTD, clickhouse.CompressionGZIP,
	} {
		t.Run(method.String(), func(t *testing.T) { f(t, method) })
	}
}

func TestClientErrorsCarryTheCode(t *testing.T) {
	s := startServer(t, nil)
	conn := openClient(t, s, nil)
	f := func(sql string, wantCode int32, wantName string, wantStatus int) {
		t.Helper()
		for what, err := range map[string]error{
			"exec":  conn.Exec(t.Context(), sql),
			"query": func() error { _, err := conn.Query(t.Context(), sql); return err }(),
		} {
			var raised *clickhouse.Exception
			var status *clickhouse.HTTPError
			if !errors.As(err, &raised) || !errors.As(err, &status) {
				t.Errorf("%s of %s: got %v, want an exception over HTTP", what, sql, err)
				continue
			}
			if raised.Code != wantCode || raised.CodeName != wantName || status.StatusCode != wantStatus {
				t.Errorf("%s of %s: got code %d %s status %d, want %d %s %d (%v)", what, sql, raised.Code, raised.CodeName, status.StatusCode, wantCode, wantName, wantStatus, err)
			}
		}
	}
	f("SELECT * FROM nope", 60, "UNKNOWN_TABLE", 404)
	f("SELECT * FROM nope.nope", 81, "UNKNOWN_DATABASE", 404)
	f("SELEC 1", 62, "SYNTAX_ERROR", 400)
	f("SELECT 1; SELECT 2", 62, "SYNTAX_ERROR", 400)
	f("SELECT nope", 47, "UNKNOWN_IDENTIFIER", 404)
	f("SELECT throwIf(number = 3) FROM numbers(10)", 395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO", 500)
	f("INSERT INTO nope VALUES (1)", 60, "UNKNOWN_TABLE", 404)
	f("SELECT 1 SETTINGS nope = 1", 115, "UNKNOWN_SETTING", 404)
}

func TestClientReadsEveryType(t *testing.T) {
	s := startServer(t, nil)
	conn := openClient(t, s, nil)
	mustExec(t, conn, `CREATE TABLE types (
		id UInt32, low LowCardinality(String), lownull LowCardinality(Nullable(String)),
		at DateTime('UTC'), fine DateTime64(9, 'UTC'), day Date, labels Map(LowCardinality(String), String),
		nums Array(Float64), deep Array(Array(Nullable(Int32))), maybe Nullable(Int64), ok Bool,
		kind Enum8('a' = 1, 'b' = 2), price Decimal(18, 4), fixed FixedString(3),
		pair Tuple(a UInt8, b String), ip IPv4, simple SimpleAggregateFunction(sum, UInt64)
	) ENGINE = MergeTree ORDER BY id`)
	when := time.Date(2024, 2, 29, 23, 59, 59, 123456789, time.UTC)
	batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO types (id, low, lownull, at, fine, day, labels, nums, deep, maybe, ok, kind, price, fixed, pair, ip, simple)")
	if err != nil {
		t.Fatal(err)
	}
	seven, text := int32(7), "x"
	for id := range uint32(3) {
		var null *string
		var maybe *int64
		if id == 1 {
			n := int64(-5)
			null, maybe = &text, &n
		}
		err := batch.Append(id, "red", null, when, when, when, map[string]string{"k": "v"}, []float64{1, 2.5},
			[][]*int32{{&seven, nil}, {}}, maybe, id == 1, "b", "12.3456", "abc", []any{uint8(9), "z"}, "10.0.0.1", uint64(4))
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(t.Context(), "SELECT low, lownull, at, fine, day, labels, nums, deep, maybe, ok, kind, toString(price), fixed, pair.a, pair.b, toString(ip), simple FROM types WHERE id = {id:UInt32}", clickhouse.Named("id", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if !rows.Next() {
		t.Fatalf("no row: %v", rows.Err())
	}
	var low, kind, price, fixed, b, ip string
	var lownull *string
	var at, fine, day time.Time
	var labels map[string]string
	var nums []float64
	var deep [][]*int32
	var maybe *int64
	var ok bool
	var a uint8
	var simple uint64
	if err := rows.Scan(&low, &lownull, &at, &fine, &day, &labels, &nums, &deep, &maybe, &ok, &kind, &price, &fixed, &a, &b, &ip, &simple); err != nil {
		t.Fatal(err)
	}
	minus := int64(-5)
	got := []any{low, lownull, at.UTC(), fine.UTC(), day.UTC(), labels, nums, deep, maybe, ok, kind, price, fixed, a, b, ip, simple}
	want := []any{
		"red", &text, when.Truncate(time.Second), when, time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), map[string]string{"k": "v"},
		[]float64{1, 2.5}, [][]*int32{{&seven, nil}, {}}, &minus, true, "b", "12.3456", "abc", uint8(9), "z", "10.0.0.1", uint64(4),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if rows.Next() {
		t.Error("more than one row")
	}
}

// TestClientReadsRareTypes has three rows each, so that a wrong column length
// would garble the column behind it.
func TestClientReadsRareTypes(t *testing.T) {
	conn := openClient(t, startServer(t, nil), nil)
	f := func(expr, wantType string) {
		t.Helper()
		rows, err := conn.Query(t.Context(), "SELECT "+expr+" AS a, toTypeName(a), number FROM numbers(3)")
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			return
		}
		defer rows.Close()
		n := uint64(0)
		for ; rows.Next(); n++ {
			var kind string
			var number uint64
			value := reflect.New(rows.ColumnTypes()[0].ScanType()).Interface()
			if err := rows.Scan(value, &kind, &number); err != nil || kind != wantType || number != n {
				t.Errorf("%s: row %d is %s %d: %v", expr, n, kind, number, err)
			}
		}
		if n != 3 || rows.Err() != nil {
			t.Errorf("%s: %d rows, %v", expr, n, rows.Err())
		}
	}
	f("generateUUIDv4()", "UUID")
	f("toUInt128(1)", "UInt128")
	f("'::1'::IPv6", "IPv6")
	f("today()::Date32", "Date32")
	f("toDecimal256(1, 3)", "Decimal(76, 3)")
	f("toLowCardinality(toNullable(toUInt8(3)))", "LowCardinality(Nullable(UInt8))")
	f("[(1, 'a')]::Nested(a UInt8, b String)", "Nested(a UInt8, b String)")
	f("toIntervalDay(1)", "IntervalDay")
	f("(1.0, 2.0)::Point", "Point")
	f("map('a', [1, 2])", "Map(String, Array(UInt8))")
	f("[[NULL, 'x'], []]", "Array(Array(Nullable(String)))")
	f("'{\"a\": 1}'::JSON", "JSON")
	f("1::Variant(UInt8, String)", "Variant(String, UInt8)")
}

func TestClientParametersAndSettings(t *testing.T) {
	s := startServer(t, nil)
	conn := openClient(t, s, func(o *clickhouse.Options) { o.Settings = clickhouse.Settings{"max_threads": 3} })
	f := func(value string) {
		t.Helper()
		var got, threads, limit string
		ctx := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"max_result_rows": "77"}))
		err := conn.QueryRow(ctx, "SELECT {p:String}, toString(getSetting('max_threads')), toString(getSetting('max_result_rows'))", clickhouse.Named("p", value)).Scan(&got, &threads, &limit)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{value, "3", "77"}, []string{got, threads, limit}); diff != "" {
			t.Error(diff)
		}
	}
	f("plain")
	f(`a'b"c\d` + "\ttab\nline\x00zero {p:String}")
	f(strings.Repeat("long", 2000))

	// Settings and temporary tables of one request do not reach the next.
	mustExec(t, conn, "SET max_result_rows = 5")
	mustExec(t, conn, "CREATE TEMPORARY TABLE gone (a UInt8)")
	var limit uint64
	if err := conn.QueryRow(t.Context(), "SELECT toUInt64(getSetting('max_result_rows'))").Scan(&limit); err != nil || limit != 0 {
		t.Errorf("max_result_rows is %d in the next request: %v", limit, err)
	}
	var raised *clickhouse.Exception
	if err := conn.Exec(t.Context(), "SELECT * FROM gone"); !errors.As(err, &raised) || raised.Code != 60 {
		t.Errorf("the temporary table is still there: %v", err)
	}
	ctx := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"no_such_setting": "1"}))
	if err := conn.Exec(ctx, "SELECT 1"); !errors.As(err, &raised) || raised.Code != 115 {
		t.Errorf("an unknown setting gave %v", err)
	}
}

func TestClientsAtOnce(t *testing.T) {
	s := startServer(t, nil)
	setup := openClient(t, s, nil)
	mustExec(t, setup, "CREATE TABLE m (client UInt8, a UInt64) ENGINE = MergeTree ORDER BY a")
	const clients, rounds, rowsEach = 8, 6, 5000
	var wg sync.WaitGroup
	for c := range clients {
		conn := openClient(t, s, nil)
		wg.Go(func() {
			for round := range rounds {
				if err := insertRange(t.Context(), conn, uint8(c), round*rowsEach, rowsEach); err != nil {
					t.Errorf("client %d: %v", c, err)
					return
				}
				var count, sum uint64
				err := conn.QueryRow(t.Context(), "SELECT count(), sum(a) FROM m WHERE client = {c:UInt8}", clickhouse.Named("c", c)).Scan(&count, &sum)
				n := uint64((round + 1) * rowsEach)
				if err != nil || count != n || sum != n*(n-1)/2 {
					t.Errorf("client %d sees %d rows with sum %d, want %d: %v", c, count, sum, n, err)
				}
			}
		})
	}
	wg.Wait()
	var count uint64
	if err := setup.QueryRow(t.Context(), "SELECT count() FROM m").Scan(&count); err != nil || count != clients*rounds*rowsEach {
		t.Errorf("%d rows, %v", count, err)
	}
}

func insertRange(ctx context.Context, conn clickhouse.Conn, client uint8, first, n int) error {
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO m")
	if err != nil {
		return err
	}
	for i := range n {
		if err := batch.Append(client, uint64(first+i)); err != nil {
			return err
		}
	}
	return batch.Send()
}

// TestClientInsertIntoMissingTable sends far more than a refused request's
// body that net/http would still read, so that the error must not get lost.
// TestDatabaseSQL uses the server as Grafana's data source does.
func TestDatabaseSQL(t *testing.T) {
	s := startServer(t, nil)
	if _, err := s.Engine().Query("CREATE DATABASE shop", "Null"); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("clickhouse", s.DSN("shop")+"?dial_timeout=5s&max_execution_time=60")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, err := db.QueryContext(t.Context(), "SELECT toStartOfInterval(toDateTime(number * 60, 'UTC'), INTERVAL 5 MINUTE) AS time, currentDatabase() AS name, avg(number) AS value FROM numbers(10) GROUP BY time ORDER BY time")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var at time.Time
		var name string
		var value float64
		if err := rows.Scan(&at, &name, &value); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s %v", at.UTC().Format(time.TimeOnly), name, value))
	}
	if diff := cmp.Diff([]string{"00:00:00 shop 2", "00:05:00 shop 7"}, got); diff != "" || rows.Err() != nil {
		t.Errorf("%v: %s", rows.Err(), diff)
	}
	empty, err := db.QueryContext(t.Context(), "SELECT 1 AS a WHERE 0")
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	if empty.Next() || empty.Err() != nil {
		t.Errorf("a row in an empty result: %v", empty.Err())
	}
}
