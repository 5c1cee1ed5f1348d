package chdb

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseStatement(t *testing.T) {
	f := func(sql string, want statement) {
		t.Helper()
		got, err := parseStatement(sql)
		if err != nil {
			t.Errorf("%q: %v", sql, err)
			return
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(statement{})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", sql, diff)
		}
	}
	query := func(sql, format string) { t.Helper(); f(sql, statement{sql: sql, format: format}) }
	query("SELECT 1", "")
	query("select 1 format JSON", "JSON")
	query("SELECT 1 FORMAT JSONEachRow SETTINGS max_threads = 1", "JSONEachRow")
	query("SELECT 1 SETTINGS max_threads = 1 FORMAT CSV", "CSV")
	query("SELECT 1 -- FORMAT CSV", "")
	query("SELECT 1 /* FORMAT CSV", "")
	query("SELECT 'FORMAT CSV'", "")
	query("SELECT format('{}', 1)", "")
	query("SELECT 1 AS format FROM t", "")
	query("SELECT format FROM t", "")
	query("SELECT `FORMAT` `CSV`", "")
	query("INSERT INTO t SELECT 1 FORMAT Null", "Null")
	query("INSERT INTO t (a) SELECT 1", "")
	query("INSERT INTO t WITH 1 AS x SELECT x", "")
	query("INSERT INTO t (SELECT 1)", "")
	query("INSERT INTO t (WITH 1 AS x SELECT x)", "")
	query("INSERT INTO t FROM INFILE 'x.csv' FORMAT CSV", "CSV")
	query("SELECT a INTO, OUTFILE", "")
	query("EXPLAIN INSERT INTO t VALUES", "")
	query("SELECT $tag$ ; FORMAT x $tag$", "")
	query("SELECT $1", "")
	f("SELECT 1;", statement{sql: "SELECT 1"})
	f("SELECT ';' FORMAT CSV ; -- end\n ", statement{sql: "SELECT ';' FORMAT CSV ", format: "CSV"})

	insert := func(sql, head, format, data string) {
		t.Helper()
		f(sql, statement{sql: head, insert: true, format: format, data: data})
	}
	insert("INSERT INTO t VALUES (1), ('x;y')", "INSERT INTO t ", "Values", " (1), ('x;y')")
	insert("insert into db.t (a, `b c`) values (1)", "insert into db.t (a, `b c`) ", "Values", " (1)")
	insert("INSERT INTO t FORMAT Native", "INSERT INTO t ", "Native", "")
	insert("INSERT INTO t (a) SETTINGS async_insert = 0 FORMAT CSV\n1\n2\n", "INSERT INTO t (a) SETTINGS async_insert = 0 ", "CSV", "1\n2\n")
	insert("INSERT INTO t FORMAT JSONEachRow {\"a\":1}", "INSERT INTO t ", "JSONEachRow", "{\"a\":1}")
	insert("INSERT INTO t FORMAT TSV \r\n\n", "INSERT INTO t ", "TSV", "\n")
	insert("INSERT INTO t", "INSERT INTO t", "", "")
	insert("INSERT INTO t (a, b);", "INSERT INTO t (a, b)", "", "")
	insert("INSERT INTO TABLE FUNCTION file('x', 'CSV', (SELECT 'a')) FORMAT CSV", "INSERT INTO TABLE FUNCTION file('x', 'CSV', (SELECT 'a')) ", "CSV", "")
	insert("INSERT INTO values VALUES (1)", "INSERT INTO values ", "Values", " (1)")
	insert("INSERT INTO db.format FORMAT CSV", "INSERT INTO db.format ", "CSV", "")
	insert("INSERT INTO {t:Identifier} VALUES (1)", "INSERT INTO {t:Identifier} ", "Values", " (1)")
	insert("-- note\nINSERT /* ( */ INTO \"format\" FORMAT TSV\n", "-- note\nINSERT /* ( */ INTO \"format\" ", "TSV", "")
}

func TestParseStatementRefuses(t *testing.T) {
	refused := func(sql string, code int) {
		t.Helper()
		_, err := parseStatement(sql)
		var raised *Error
		if !errors.As(err, &raised) || raised.Code != code {
			t.Errorf("%q: got %v, want code %d", sql, err, code)
		}
	}
	refused("SELECT 1 INTO OUTFILE '/tmp/x'", codeNotImplemented)
	refused("select 1 into /* - */ outfile '/tmp/x' append format CSV", codeNotImplemented)
	f := func(sql string) { t.Helper(); refused(sql, codeSyntaxError) }
	f("")
	f(" -- nothing\n/* at all */")
	f("SELECT 1; SELECT 2")
	f("SELECT 1;;")
	f("DROP TABLE a; DROP TABLE b;")
	f("INSERT INTO t SELECT 1; SELECT 2")
}

// FuzzParseStatement checks that the scanner ends, stays inside the text and
// never loses rows.
func FuzzParseStatement(f *testing.F) {
	for _, sql := range []string{"SELECT 1;", "INSERT INTO t VALUES (1)", "INSERT INTO t (a FORMAT CSV\n1", "SELECT '\\", "$a$", "`", "/*", "INSERT INTO . . ( ) FORMAT"} {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		st, err := parseStatement(sql)
		if err != nil {
			return
		}
		if len(st.sql)+len(st.data) > len(sql) {
			t.Errorf("%q became longer: %q and %q", sql, st.sql, st.data)
		}
		if sql[:len(st.sql)] != st.sql {
			t.Errorf("%q does not begin with %q", sql, st.sql)
		}
		if sql[len(sql)-len(st.data):] != st.data && st.insert {
			t.Errorf("%q does not end with the rows %q", sql, st.data)
		}
	})
}

func TestParseError(t *testing.T) {
	f := func(text string, want Error) {
		t.Helper()
		if diff := cmp.Diff(&want, parseError(text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	f("Code: 60. DB::Exception: Unknown table. (UNKNOWN_TABLE)", Error{60, "UNKNOWN_TABLE", "Unknown table. (UNKNOWN_TABLE)"})
	f("Code: 241. DB::Exception: Code: 241. DB::Exception: memory (MEMORY_LIMIT_EXCEEDED)\n", Error{241, "MEMORY_LIMIT_EXCEEDED", "memory (MEMORY_LIMIT_EXCEEDED)"})
	f("Code: 1. DB::Exception: a (b). (A_B) (version 26.7.2.1 (official build))", Error{1, "A_B", "a (b). (A_B)"})
	f("Code: 210. DB::NetException: refused", Error{210, "", "refused"})
	f("something else", Error{0, "", "something else"})
}
