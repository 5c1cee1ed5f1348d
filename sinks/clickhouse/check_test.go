package clickhouse

import (
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball/processors"
)

// The list of expected columns is the schema's, both ways.
func TestExpectedIsTheSchema(t *testing.T) {
	db := migrated(t)
	have, err := db.tables(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range expected {
		if have[want.name] == nil {
			t.Errorf("table %q is missing", want.name)
			continue
		}
		var columns []columnType
		for _, c := range have[want.name].columns {
			if c.name != "recorded_at" { // has a default
				columns = append(columns, c)
			}
		}
		if diff := cmp.Diff(want.columns, columns, cmp.AllowUnexported(columnType{})); diff != "" {
			t.Errorf("table %q: %s", want.name, diff)
		}
	}
}

// The topics' columns are the tables'.
func TestTopicsFitTables(t *testing.T) {
	for table, schema := range map[string]*arrow.Schema{
		TableWindows: processors.WindowSchema(), TableSLOStatus: processors.SLOSchema(), TableBands: processors.BandSchema(),
	} {
		var topic, columns []string
		for _, f := range schema.Fields() {
			topic = append(topic, f.Name)
		}
		for _, c := range expectedTable(table).columns {
			columns = append(columns, c.name)
		}
		if diff := cmp.Diff(topic, columns); diff != "" {
			t.Errorf("table %q: %s", table, diff)
		}
	}
}

func TestCheckSaysWhatDiffers(t *testing.T) {
	db := migrated(t)
	exec(t, db, "ALTER TABLE windows DROP COLUMN p99")
	exec(t, db, "ALTER TABLE windows MODIFY COLUMN bad UInt64")
	exec(t, db, "ALTER TABLE findings ADD COLUMN note String")
	exec(t, db, "DROP TABLE commands SYNC")
	exec(t, db, "DROP TABLE dead_letters SYNC")
	exec(t, db, "CREATE TABLE dead_letters (at DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY at")
	err := db.Check(t.Context())
	var e *Error
	var schema *SchemaError
	if !errors.As(err, &e) || !e.Permanent || !errors.As(err, &schema) {
		t.Fatalf("got %v, want a permanent SchemaError", err)
	}
	want := []Difference{
		{Table: "windows", Column: "bad", Want: "Int64", Have: "UInt64"},
		{Table: "windows", Column: "p99", Want: "Nullable(Float64)"},
		{Table: "commands", Want: "ReplacingMergeTree"},
		{Table: "dead_letters", Want: "ReplacingMergeTree", Have: "MergeTree"},
	}
	if diff := cmp.Diff(want, schema.Differences[:4]); diff != "" {
		t.Error(diff)
	}
	if n := len(schema.Differences); n != 4+len(expectedTable(TableDeadLetters).columns)-1 {
		t.Errorf("%d differences", n)
	}
	for _, line := range []string{
		`table "windows": column "bad" is UInt64, want Int64`,
		`table "windows": column "p99" is missing, want Nullable(Float64)`,
		`table "commands" is missing, want ReplacingMergeTree`,
	} {
		if !strings.Contains(err.Error(), line) {
			t.Errorf("the error does not say %q:\n%v", line, err)
		}
	}
}
