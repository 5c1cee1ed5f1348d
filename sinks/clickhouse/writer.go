package clickhouse

import (
	"context"
	"fmt"
	"strings"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/apache/arrow/go/v17/arrow"
)

// Writer inserts rows. It keeps its buffers between inserts, therefore it is for
// one goroutine at a time; make one per goroutine.
type Writer struct {
	db *DB
	// inserts by table; dropped when the server's idea of the table changes.
	inserts map[string]*insert
}

// insert is what the Writer knows of inserts of one list of columns into one
// table.
type insert struct {
	table   string
	query   string
	columns []ch.ColumnNameAndType
	// schema and sources are set for records: one source per column.
	schema  *arrow.Schema
	sources []source
}

// Writer returns a new Writer.
func (db *DB) Writer() *Writer { return &Writer{db: db, inserts: map[string]*insert{}} }

// Insert writes a record into a table in one statement. The record's columns are
// found by name; columns that it does not have get their defaults. The record
// must not change during the call, and is not kept.
//
// The server drops the insert when it has seen one with the same token for this
// table before, so the token must name these rows and no others, such as
// "topic:partition:first-last". An empty token means that nothing is dropped.
//
// A failure is an [*Error]. Nothing or everything was written when the server
// says so; after a lost connection either may be true, and repeating with the
// same token settles it.
func (w *Writer) Insert(ctx context.Context, table string, rec arrow.Record, token string) error {
	if rec.NumRows() == 0 {
		return nil
	}
	in := w.inserts[table]
	if in == nil || in.schema == nil || !in.schema.Equal(rec.Schema()) {
		var err error
		if in, err = w.plan(ctx, table, rec.Schema()); err != nil {
			return err
		}
		w.inserts[table] = in
	}
	return w.send(ctx, in, int(rec.NumRows()), token, func(batch driver.Batch) error {
		for i, s := range in.sources {
			err := s.appendTo(batch.Column(i), rec.Column(i))
			s.clear()
			if err != nil {
				return fmt.Errorf("column %q of type %s: %w", in.columns[i].Name, in.columns[i].Type, err)
			}
		}
		return nil
	})
}

// plan finds the columns of a record in a table.
func (w *Writer) plan(ctx context.Context, name string, schema *arrow.Schema) (*insert, error) {
	t, err := w.table(ctx, name)
	if err != nil {
		return nil, err
	}
	in := &insert{table: name, schema: schema}
	differ := &SchemaError{Database: w.db.Name()}
	for _, f := range schema.Fields() {
		kind := t.kind(f.Name)
		s := sourceFor(f.Type, kind)
		if s == nil {
			differ.Differences = append(differ.Differences, Difference{Table: name, Column: f.Name, Want: wantedType(f), Have: kind})
			continue
		}
		in.sources = append(in.sources, s)
		in.columns = append(in.columns, ch.ColumnNameAndType{Name: f.Name, Type: kind})
	}
	if len(differ.Differences) > 0 {
		return nil, failure("insert into table", name, differ)
	}
	in.query = w.query(in)
	return in, nil
}

// rowPlan is plan for rows of this package, whose columns are those expected.
func (w *Writer) rowPlan(ctx context.Context, want tableColumns) (*insert, error) {
	t, err := w.table(ctx, want.name)
	if err != nil {
		return nil, err
	}
	differ := &SchemaError{Database: w.db.Name()}
	differ.compare(want, t)
	if len(differ.Differences) > 0 {
		return nil, failure("insert into table", want.name, differ)
	}
	in := &insert{table: want.name}
	for _, c := range want.columns {
		in.columns = append(in.columns, ch.ColumnNameAndType{Name: c.name, Type: c.kind})
	}
	in.query = w.query(in)
	return in, nil
}

func (w *Writer) table(ctx context.Context, name string) (*table, error) {
	tables, err := w.db.tables(ctx, name)
	if err != nil {
		return nil, err
	}
	t := tables[name]
	if t == nil {
		missing := Difference{Table: name, Want: engineWanted}
		return nil, failure("insert into table", name, &SchemaError{Database: w.db.Name(), Differences: []Difference{missing}})
	}
	return t, nil
}

func (w *Writer) query(in *insert) string {
	names := make([]string, len(in.columns))
	for i, c := range in.columns {
		names[i] = quote(c.Name)
	}
	return "INSERT INTO " + quote(w.db.Name()) + "." + quote(in.table) + " (" + strings.Join(names, ", ") + ")"
}

// send runs one insert; fill appends every column, in order.
func (w *Writer) send(ctx context.Context, in *insert, rows int, token string, fill func(driver.Batch) error) error {
	settings := ch.Settings{
		// The server must neither answer before the rows are in the table nor mix
		// them with those of other inserts: tokens would mean nothing.
		"async_insert": 0,
		// Old telemetry that is replayed may touch many days.
		"max_partitions_per_insert_block": 0,
	}
	if token != "" {
		settings["insert_deduplication_token"] = token
	}
	// The types spare the HTTP client a DESCRIBE TABLE per insert.
	ctx = ch.Context(ctx, ch.WithSettings(settings), ch.WithColumnNamesAndTypes(in.columns))
	batch, err := w.db.conn.PrepareBatch(ctx, in.query)
	if err == nil {
		if err = in.sameTypes(batch); err == nil {
			err = fill(batch)
		}
		if err == nil {
			err = in.sameLength(batch, rows)
		}
		if err == nil {
			err = batch.Send()
		} else {
			batch.Abort()
		}
	}
	err = failure("insert into table", in.table, err)
	if err != nil && !Retryable(err) {
		delete(w.inserts, in.table) // the table may have been altered: look again
	}
	return err
}

// sameTypes makes sure that the columns still are what they were: over the native
// protocol the types are those that the server has now, and clickhouse-go would
// write zeros for nulls.
func (in *insert) sameTypes(batch driver.Batch) error {
	for i, c := range batch.Columns() {
		if kind := string(c.Type()); kind != in.columns[i].Type {
			return valueError(fmt.Sprintf("column %q was of type %s and is %s", in.columns[i].Name, in.columns[i].Type, kind))
		}
	}
	return nil
}

// sameLength makes sure that every column has all rows. Over HTTP, clickhouse-go
// would otherwise send nothing and report success.
func (in *insert) sameLength(batch driver.Batch, rows int) error {
	for i, c := range batch.Columns() {
		if c.Rows() != rows {
			return valueError(fmt.Sprintf("column %q of type %s has %d rows, want %d", in.columns[i].Name, in.columns[i].Type, c.Rows(), rows))
		}
	}
	return nil
}
