package clickhouse

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/google/go-cmp/cmp"
)

// arrowColumn builds one Arrow column from JSON, and its field.
func arrowColumn(t testing.TB, kind arrow.DataType, json string) (arrow.Field, arrow.Array) {
	t.Helper()
	a, _, err := array.FromJSON(memory.DefaultAllocator, kind, strings.NewReader(json))
	if err != nil {
		t.Fatal(err)
	}
	return arrow.Field{Name: "c", Type: kind, Nullable: true}, a
}

func recordOf(f arrow.Field, a arrow.Array) arrow.Record {
	return array.NewRecord(arrow.NewSchema([]arrow.Field{f}, nil), []arrow.Array{a}, int64(a.Len()))
}

func binaryOf(kind arrow.BinaryDataType, rows ...[]byte) arrow.Array {
	b := array.NewBinaryBuilder(memory.DefaultAllocator, kind)
	defer b.Release()
	for _, r := range rows {
		b.Append(r)
	}
	return b.NewArray()
}

// roundTrip inserts arrays into tables made for them and compares what ClickHouse
// has, in SQL's own notation.
type roundTrip struct {
	db     *DB
	w      *Writer
	tables int
}

func (r *roundTrip) check(t *testing.T, kind string, f arrow.Field, a arrow.Array, want string) {
	t.Helper()
	r.tables++
	table := fmt.Sprint("t", r.tables)
	exec(t, r.db, "CREATE TABLE "+table+" (c "+kind+") ENGINE = MergeTree ORDER BY tuple()")
	read := func() string {
		t.Helper()
		return one[string](t, r.db, "SELECT toString(groupArray(ifNull(toString(c), 'NULL'))) FROM "+table)
	}
	rec := recordOf(f, a)
	defer rec.Release()
	put(t, r.w, table, rec, "")
	whole := read()
	if diff := cmp.Diff(want, whole); diff != "" {
		t.Errorf("%s into %s: %s", f.Type, kind, diff)
	}
	// A slice of a record must not bring the rest along, nor what the buffers had.
	exec(t, r.db, "TRUNCATE TABLE "+table)
	part := rec.NewSlice(1, rec.NumRows())
	defer part.Release()
	put(t, r.w, table, part, "")
	_, rest, _ := strings.Cut(whole[1:], "','")
	if diff := cmp.Diff("['"+rest, read()); diff != "" {
		t.Errorf("a slice of %s into %s: %s", f.Type, kind, diff)
	}
}

// json is check with the array as JSON.
func (r *roundTrip) json(t *testing.T, kind string, a arrow.DataType, json, want string) {
	t.Helper()
	field, values := arrowColumn(t, a, json)
	defer values.Release()
	r.check(t, kind, field, values, want)
}

func TestNumbersRoundTrip(t *testing.T) {
	db := open(t)
	r := &roundTrip{db: db, w: db.Writer()}
	f := func(kind string, a arrow.DataType, json, want string) { t.Helper(); r.json(t, kind, a, json, want) }
	p := arrow.PrimitiveTypes
	f("Int8", p.Int8, `[-128, 127, 0]`, `['-128','127','0']`)
	f("Int16", p.Int16, `[-32768, 32767]`, `['-32768','32767']`)
	f("Int32", p.Int32, `[-2147483648, 7]`, `['-2147483648','7']`)
	f("Int64", p.Int64, `["-9223372036854775808", 7]`, `['-9223372036854775808','7']`)
	f("UInt8", p.Uint8, `[255, 0]`, `['255','0']`)
	f("UInt16", p.Uint16, `[65535, 0]`, `['65535','0']`)
	f("UInt32", p.Uint32, `[4294967295, 0]`, `['4294967295','0']`)
	f("UInt64", p.Uint64, `["9007199254740993", 0]`, `['9007199254740993','0']`)
	f("Float32", p.Float32, `[1.5, -2.25]`, `['1.5','-2.25']`)
	f("Float64", p.Float64, `[0.1, -1e300, 5]`, `['0.1','-1e300','5']`)
	f("Nullable(Float64)", p.Float64, `[0.1, null, 5]`, `['0.1','NULL','5']`)
	f("Nullable(Float64)", p.Float64, `[0.1, 3, 5]`, `['0.1','3','5']`) // no nulls after nulls
	f("Nullable(Int64)", p.Int64, `[null, null, 1]`, `['NULL','NULL','1']`)
	f("Nullable(UInt32)", p.Uint32, `[1, 2, null]`, `['1','2','NULL']`)
}

func TestBoolsAndStringsRoundTrip(t *testing.T) {
	db := open(t)
	r := &roundTrip{db: db, w: db.Writer()}
	f := func(kind string, a arrow.DataType, json, want string) { t.Helper(); r.json(t, kind, a, json, want) }
	f("Bool", arrow.FixedWidthTypes.Boolean, `[true, false, true]`, `['true','false','true']`)
	f("Nullable(Bool)", arrow.FixedWidthTypes.Boolean, `[true, null, false]`, `['true','NULL','false']`)
	f("Nullable(Bool)", arrow.FixedWidthTypes.Boolean, `[true, true, false]`, `['true','true','false']`)
	f("String", arrow.BinaryTypes.String, `["", "é", "long enough"]`, `['','é','long enough']`)
	f("String", arrow.BinaryTypes.LargeString, `["a", "b"]`, `['a','b']`)
	f("LowCardinality(String)", arrow.BinaryTypes.String, `["a", "", "b", "a"]`, `['a','','b','a']`)
	f("Nullable(String)", arrow.BinaryTypes.String, `["a", null, ""]`, `['a','NULL','']`)
	f("LowCardinality(Nullable(String))", arrow.BinaryTypes.String, `["a", null, "a", "b"]`, `['a','NULL','a','b']`)
	dictionary := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint16, ValueType: arrow.BinaryTypes.String}
	f("LowCardinality(String)", dictionary, `["a", "b", "a"]`, `['a','b','a']`)
	f("Nullable(String)", dictionary, `["a", null, "b"]`, `['a','NULL','b']`)
	for _, kind := range []arrow.BinaryDataType{arrow.BinaryTypes.Binary, arrow.BinaryTypes.LargeBinary} {
		r.check(t, "String", arrow.Field{Name: "c", Type: kind}, binaryOf(kind, []byte("x"), []byte{}, []byte("y\tz")), `['x','','y\tz']`)
	}
}

func TestTimesRoundTrip(t *testing.T) {
	db := open(t)
	r := &roundTrip{db: db, w: db.Writer()}
	f := func(kind string, a arrow.DataType, json, want string) { t.Helper(); r.json(t, kind, a, json, want) }
	f("DateTime64(9, 'UTC')", &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"},
		`["2026-01-02 03:04:05.000000001", "1969-12-31 23:59:59.999999999"]`, `['2026-01-02 03:04:05.000000001','1969-12-31 23:59:59.999999999']`)
	f("DateTime64(3, 'UTC')", &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"},
		`["2026-01-02 03:04:05.123999999", "1969-12-31 23:59:59.500"]`, `['2026-01-02 03:04:05.123','1969-12-31 23:59:59.500']`)
	f("DateTime64(6, 'UTC')", arrow.FixedWidthTypes.Timestamp_us, `["2026-01-02 03:04:05.123456", "1970-01-01"]`, `['2026-01-02 03:04:05.123456','1970-01-01 00:00:00.000000']`)
	f("DateTime64(3, 'UTC')", arrow.FixedWidthTypes.Timestamp_ms, `["2026-01-02 03:04:05.123", "1970-01-01"]`, `['2026-01-02 03:04:05.123','1970-01-01 00:00:00.000']`)
	f("DateTime('UTC')", arrow.FixedWidthTypes.Timestamp_s, `["2026-01-02 03:04:05", "1970-01-01"]`, `['2026-01-02 03:04:05','1970-01-01 00:00:00']`)
	f("Nullable(DateTime64(3, 'UTC'))", arrow.FixedWidthTypes.Timestamp_ms, `["2026-01-02 03:04:05.123", null]`, `['2026-01-02 03:04:05.123','NULL']`)
	f("Date", arrow.FixedWidthTypes.Date32, `["2026-01-02", "1970-01-01"]`, `['2026-01-02','1970-01-01']`)
	f("Date32", arrow.FixedWidthTypes.Date32, `["2026-01-02", "1940-01-01"]`, `['2026-01-02','1940-01-01']`)
}

func TestListsRoundTrip(t *testing.T) {
	db := open(t)
	r := &roundTrip{db: db, w: db.Writer()}
	f := func(kind string, a arrow.DataType, json, want string) { t.Helper(); r.json(t, kind, a, json, want) }
	p := arrow.PrimitiveTypes
	f("Array(Float64)", arrow.ListOf(p.Float64), `[[1, 2.5], [], [3]]`, `['[1,2.5]','[]','[3]']`)
	f("Array(Nullable(Float64))", arrow.ListOf(p.Float64), `[[1, null], [], [3]]`, `['[1,NULL]','[]','[3]']`)
	f("Array(Nullable(Float64))", arrow.ListOf(p.Float64), `[[1], [], [3, 4]]`, `['[1]','[]','[3,4]']`)
	f("Array(LowCardinality(String))", arrow.ListOf(arrow.BinaryTypes.String), `[["a", "b"], ["a"], []]`, `['[\'a\',\'b\']','[\'a\']','[]']`)
	f("Array(Int64)", arrow.LargeListOf(p.Int64), `[[1], [2, 3]]`, `['[1]','[2,3]']`)
	f("Array(Int64)", arrow.FixedSizeListOf(2, p.Int64), `[[1, 2], [2, 3]]`, `['[1,2]','[2,3]']`)
	f("Array(Bool)", arrow.ListOf(arrow.FixedWidthTypes.Boolean), `[[true], [false, true]]`, `['[true]','[false,true]']`)
	f("Array(Nullable(Bool))", arrow.ListOf(arrow.FixedWidthTypes.Boolean), `[[true, null], [false]]`, `['[true,NULL]','[false]']`)
}

// Bytes that are no text must survive: histograms are such.
func TestBinaryIsExact(t *testing.T) {
	db := open(t)
	exec(t, db, "CREATE TABLE t (c String) ENGINE = MergeTree ORDER BY tuple()")
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	rec := recordOf(arrow.Field{Name: "c", Type: arrow.BinaryTypes.Binary}, binaryOf(arrow.BinaryTypes.Binary, all))
	put(t, db.Writer(), "t", rec, "")
	if got := one[string](t, db, "SELECT hex(c) FROM t"); got != fmt.Sprintf("%X", all) {
		t.Errorf("got %s", got)
	}
}

// NaN is a number to Arrow and to ClickHouse; only null is null.
func TestNaNIsNotNull(t *testing.T) {
	db := open(t)
	exec(t, db, "CREATE TABLE t (c Nullable(Float64)) ENGINE = MergeTree ORDER BY tuple()")
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	b.AppendValues([]float64{math.NaN(), math.Inf(1), 0}, []bool{true, true, false})
	put(t, db.Writer(), "t", recordOf(arrow.Field{Name: "c", Type: arrow.PrimitiveTypes.Float64, Nullable: true}, b.NewArray()), "")
	if got := one[string](t, db, "SELECT toString(groupArray(ifNull(toString(c), 'NULL'))) FROM t"); got != "['nan','inf','NULL']" {
		t.Errorf("got %s", got)
	}
}

func TestArrowTypesThatDoNotFit(t *testing.T) {
	db := open(t)
	w := db.Writer()
	count := 0
	f := func(kind string, a arrow.DataType, json, want string) {
		t.Helper()
		count++
		table := fmt.Sprintf("t%d", count)
		exec(t, db, "CREATE TABLE "+table+" (c "+kind+") ENGINE = MergeTree ORDER BY tuple()")
		field, values := arrowColumn(t, a, json)
		err := w.Insert(t.Context(), table, recordOf(field, values), "")
		var e *Error
		if !errors.As(err, &e) || !e.Permanent || !strings.Contains(err.Error(), want) {
			t.Errorf("%s into %s: %v, want a permanent error with %q", a, kind, err, want)
		}
		if n := one[uint64](t, db, "SELECT count() FROM "+table); n != 0 {
			t.Errorf("%s into %s: %d rows were written", a, kind, n)
		}
	}
	p := arrow.PrimitiveTypes
	f("Int32", p.Int64, `[1]`, `column "c" is Int32, want Int64`)
	f("Int64", p.Uint64, `[1]`, `column "c" is Int64, want UInt64`)
	f("String", p.Int64, `[1]`, `column "c" is String, want Int64`)
	f("Int64", arrow.BinaryTypes.String, `["1"]`, `column "c" is Int64, want String`)
	f("Float64", arrow.ListOf(p.Float64), `[[1]]`, `column "c" is Float64, want Array(Float64)`)
	f("Array(Float64)", p.Float64, `[1]`, `column "c" is Array(Float64), want Float64`)
	f("Array(Float32)", arrow.ListOf(p.Float64), `[[1]]`, `column "c" is Array(Float32), want Array(Float64)`)
	f("Int64", arrow.FixedWidthTypes.Timestamp_ns, `["2026-01-01"]`, `want DateTime64 or DateTime`)
	f("Decimal(9, 2)", &arrow.Decimal128Type{Precision: 9, Scale: 2}, `["1.00"]`, `cannot be made from Arrow type decimal`)
	f("Float64", p.Float64, `[1, null]`, `it has nulls, and the column of the table is not Nullable`)
	f("String", arrow.BinaryTypes.String, `["a", null]`, `column "c" of type String: it has nulls`)
	f("LowCardinality(String)", arrow.BinaryTypes.String, `["a", null]`, `it has nulls`)
	f("Array(Float64)", arrow.ListOf(p.Float64), `[[1, null]]`, `it has nulls`)
	f("Array(Float64)", arrow.ListOf(p.Float64), `[[1], null]`, `null lists`)
}

func TestPlainType(t *testing.T) {
	f := func(kind, base string, nullable bool) {
		t.Helper()
		if b, n := plainType(kind); b != base || n != nullable {
			t.Errorf("%s is %s, nullable %v; want %s, %v", kind, b, n, base, nullable)
		}
	}
	f("Int64", "Int64", false)
	f("Nullable(Int64)", "Int64", true)
	f("LowCardinality(String)", "String", false)
	f("LowCardinality(Nullable(String))", "String", true)
	f("DateTime64(3, 'UTC')", "DateTime64", false)
	f("Nullable(DateTime64(3, 'UTC'))", "DateTime64", true)
}

func TestInstants(t *testing.T) {
	want := time.Date(1969, 12, 31, 23, 59, 58, 0, time.UTC)
	for _, unit := range []arrow.TimeUnit{arrow.Second, arrow.Millisecond, arrow.Microsecond, arrow.Nanosecond} {
		b := array.NewTimestampBuilder(memory.DefaultAllocator, &arrow.TimestampType{Unit: unit})
		b.Append(arrow.Timestamp(-2 * time.Second / unit.Multiplier()))
		var buf []time.Time
		if got := instants(unit)(b.NewArray(), &buf)[0]; !got.Equal(want) {
			t.Errorf("%v: %v, want %v", unit, got, want)
		}
	}
}
