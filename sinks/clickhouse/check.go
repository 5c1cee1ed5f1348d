package clickhouse

import (
	"context"
	"strings"
)

// engineWanted is what the engine of every table must be of; replicated and
// shared ones have it in their names.
const engineWanted = "ReplacingMergeTree"

// table is a table as the server has it.
type table struct {
	name, engine string
	// columns can be named in an insert, in the order of the table.
	columns []columnType
}

func (t *table) kind(column string) string {
	for _, c := range t.columns {
		if c.name == column {
			return c.kind
		}
	}
	return ""
}

// Check compares the tables with those that this version writes, without
// changing them. What differs is a permanent [Error] with a [SchemaError] in it
// that names every column. Tables may have more columns than expected.
func (db *DB) Check(ctx context.Context) error {
	have, err := db.tables(ctx, "")
	if err != nil {
		return err
	}
	differ := &SchemaError{Database: db.Name()}
	for _, want := range expected {
		differ.compare(want, have[want.name])
	}
	if len(differ.Differences) == 0 {
		return nil
	}
	return failure("use database", db.Name(), differ)
}

func (e *SchemaError) compare(want tableColumns, have *table) {
	add := func(d Difference) {
		d.Table = want.name
		e.Differences = append(e.Differences, d)
	}
	if have == nil {
		add(Difference{Want: engineWanted})
		return
	}
	if !strings.HasSuffix(have.engine, engineWanted) {
		add(Difference{Want: engineWanted, Have: have.engine})
	}
	for _, c := range want.columns {
		if kind := have.kind(c.name); kind != c.kind {
			add(Difference{Column: c.name, Want: c.kind, Have: kind})
		}
	}
}

// tables reads the tables of the database from the server, or only one.
func (db *DB) tables(ctx context.Context, only string) (map[string]*table, error) {
	list := map[string]*table{}
	// The join keeps a table none of whose columns can be inserted.
	rows, err := db.conn.Query(ctx, `SELECT t.name, t.engine, c.name, c.type, c.default_kind
FROM system.tables AS t LEFT JOIN system.columns AS c ON c.database = t.database AND c.table = t.name
WHERE t.database = ? AND (t.name = ? OR ? = '')
ORDER BY t.name, c.position`, db.Name(), only, only)
	if err != nil {
		return nil, failure("read tables of database", db.Name(), err)
	}
	defer rows.Close()
	for rows.Next() {
		var name, engine, column, kind, byDefault string
		if err := rows.Scan(&name, &engine, &column, &kind, &byDefault); err != nil {
			return nil, failure("read tables of database", db.Name(), err)
		}
		t := list[name]
		if t == nil {
			t = &table{name: name, engine: engine}
			list[name] = t
		}
		if byDefault != "MATERIALIZED" && byDefault != "ALIAS" && column != "" {
			t.columns = append(t.columns, columnType{column, kind})
		}
	}
	return list, failure("read tables of database", db.Name(), rows.Err())
}
