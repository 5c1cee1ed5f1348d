// Command storage weighs what is recorded: windows and the status of SLOs of a
// simulated fleet go through the tables as they are, and then every column is written
// again with other codecs. So the schema's choice can be held against what else there
// is, in bytes per row and in the time to read a column.
//
// It prints a table and writes benchmarks/out/storage.json.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/flyball-io/flyball/benchmarks/database"
	"github.com/flyball-io/flyball/benchmarks/figures"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	hours := flag.Int("hours", 2, "hours of windows of 10 s, of 400 series")
	out := flag.String("out", "benchmarks/out/storage.json", "file for the figures")
	flag.Parse()
	if err := database.Run(ctx, func(db *clickhouse.DB) error { return run(ctx, db, *hours, *out) }); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// result is storage.json: by table and column.
type result struct {
	Rows map[string]uint64 `json:"rows"`
	// BytesPerRow of the tables, on disk.
	BytesPerRow map[string]float64   `json:"bytes_per_row"`
	Columns     map[string][]outcome `json:"columns"`
}

// outcome is a column with a codec.
type outcome struct {
	Codec       string  `json:"codec"`
	BytesPerRow float64 `json:"bytes_per_row"`
	// WriteNanoseconds and ReadNanoseconds are the times to write (and sort) and to read
	// the column per row, the least of several.
	WriteNanoseconds float64 `json:"write_ns_per_row"`
	ReadNanoseconds  float64 `json:"read_ns_per_row"`
	// Chosen is set for that of the schema.
	Chosen bool `json:"chosen,omitempty"`
}

func run(ctx context.Context, db *clickhouse.DB, hours int, out string) error {
	if err := fill(ctx, db, hours); err != nil {
		return err
	}
	f := result{Rows: map[string]uint64{}, BytesPerRow: map[string]float64{}, Columns: map[string][]outcome{}}
	for _, table := range []string{clickhouse.TableWindows, clickhouse.TableSLOStatus} {
		if err := f.table(ctx, db, table); err != nil {
			return err
		}
	}
	f.print()
	return figures.Write(out, f)
}

// column is one of a table, as ClickHouse has it.
type column struct {
	name, kind, codec string
}

// table weighs a table, and its columns with every codec that may be had for them.
func (f *result) table(ctx context.Context, db *clickhouse.DB, table string) error {
	if err := db.Conn().Exec(ctx, "OPTIMIZE TABLE "+table+" FINAL"); err != nil {
		return fmt.Errorf("cannot merge %q: %w", table, err)
	}
	var rows, bytes uint64
	err := db.Conn().QueryRow(ctx, `SELECT sum(rows), sum(bytes_on_disk) FROM system.parts
		WHERE active AND database = currentDatabase() AND table = ?`, table).Scan(&rows, &bytes)
	if err != nil || rows == 0 {
		return fmt.Errorf("cannot weigh %q of %d rows: %w", table, rows, err)
	}
	f.Rows[table], f.BytesPerRow[table] = rows, float64(bytes)/float64(rows)
	list, err := db.Conn().Query(ctx, `SELECT name, type, compression_codec FROM system.columns
		WHERE database = currentDatabase() AND table = ? AND default_kind != 'ALIAS' ORDER BY position`, table)
	if err != nil {
		return fmt.Errorf("cannot list columns: %w", err)
	}
	var columns []column
	for list.Next() {
		var c column
		if err := list.Scan(&c.name, &c.kind, &c.codec); err != nil {
			return fmt.Errorf("cannot list columns: %w", err)
		}
		columns = append(columns, c)
	}
	if err := list.Err(); err != nil {
		return fmt.Errorf("cannot list columns: %w", err)
	}
	for _, c := range columns {
		for _, codec := range candidates(c) {
			o, err := weigh(ctx, db, table, c, codec, rows)
			if err != nil {
				return err
			}
			key := table + "." + c.name
			f.Columns[key] = append(f.Columns[key], o)
		}
	}
	return nil
}

// candidates are the codecs that are tried for a column; the chosen one is first.
func candidates(c column) []string {
	chosen := strings.TrimSuffix(strings.TrimPrefix(c.codec, "CODEC("), ")")
	if chosen == "" {
		chosen = "LZ4"
	}
	all := []string{chosen, "LZ4", "ZSTD(1)", "ZSTD(3)", "ZSTD(9)"}
	plain := strings.TrimSuffix(strings.TrimPrefix(c.kind, "Nullable("), ")")
	switch {
	case strings.HasPrefix(plain, "DateTime"), strings.HasPrefix(plain, "Int"), strings.HasPrefix(plain, "UInt"):
		all = append(all, "Delta, ZSTD(1)", "DoubleDelta, ZSTD(1)", "T64, ZSTD(1)", "DoubleDelta, LZ4")
	case plain == "Float64":
		all = append(all, "Gorilla, ZSTD(1)", "FPC(12), ZSTD(1)", "Delta, ZSTD(1)")
	}
	for i := range all {
		all[i] = strings.ReplaceAll(all[i], "Delta(8)", "Delta")
	}
	var out []string
	for _, c := range all {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// weigh writes a column in the order of its table with a codec, and reads it back.
func weigh(ctx context.Context, db *clickhouse.DB, table string, c column, codec string, rows uint64) (outcome, error) {
	conn := db.Conn()
	write := time.Duration(1 << 62)
	for range 3 {
		for _, sql := range []string{
			"DROP TABLE IF EXISTS tried SYNC",
			fmt.Sprintf("CREATE TABLE tried (c %s CODEC(%s)) ENGINE = MergeTree ORDER BY tuple() SETTINGS min_bytes_for_wide_part = 0", c.kind, codec),
		} {
			if err := conn.Exec(ctx, sql); err != nil {
				return outcome{}, fmt.Errorf("cannot try %s for %s.%s: %w", codec, table, c.name, err)
			}
		}
		start := time.Now()
		if err := conn.Exec(ctx, fmt.Sprintf("INSERT INTO tried SELECT %s FROM %s ORDER BY %s", c.name, table, order[table])); err != nil {
			return outcome{}, fmt.Errorf("cannot try %s for %s.%s: %w", codec, table, c.name, err)
		}
		write = min(write, time.Since(start))
	}
	if err := conn.Exec(ctx, "OPTIMIZE TABLE tried FINAL"); err != nil {
		return outcome{}, fmt.Errorf("cannot merge %s of %s.%s: %w", codec, table, c.name, err)
	}
	var bytes uint64
	if err := conn.QueryRow(ctx, "SELECT sum(data_compressed_bytes) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'tried'").Scan(&bytes); err != nil {
		return outcome{}, fmt.Errorf("cannot weigh %s of %s.%s: %w", codec, table, c.name, err)
	}
	least := time.Duration(1 << 62)
	for range 5 {
		start := time.Now()
		var n uint64
		if err := conn.QueryRow(ctx, "SELECT sum(ignore(c) + 1) FROM tried").Scan(&n); err != nil || n != rows {
			return outcome{}, fmt.Errorf("cannot read %s.%s: %d rows of %d: %w", table, c.name, n, rows, err)
		}
		least = min(least, time.Since(start))
	}
	return outcome{
		Codec: codec, BytesPerRow: float64(bytes) / float64(rows), WriteNanoseconds: float64(write.Nanoseconds()) / float64(rows),
		ReadNanoseconds: float64(least.Nanoseconds()) / float64(rows), Chosen: codec == candidates(c)[0],
	}, nil
}

// order is the sorting key of the tables.
var order = map[string]string{
	clickhouse.TableWindows:   "indicator, entity, labels, start, end",
	clickhouse.TableSLOStatus: "slo, entity, labels, at",
}

func (f *result) print() {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, table := range []string{clickhouse.TableWindows, clickhouse.TableSLOStatus} {
		fmt.Fprintf(t, "%s\t%d rows\t%.1f bytes a row\n", table, f.Rows[table], f.BytesPerRow[table])
	}
	fmt.Fprintln(t, "COLUMN\tCODEC\tBYTES A ROW\tWRITE ns/row\tREAD ns/row\tLEAST BYTES\t")
	var names []string
	for name := range f.Columns {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		switch x, y := f.Columns[a][0].BytesPerRow, f.Columns[b][0].BytesPerRow; {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		best := slices.MinFunc(f.Columns[name], func(a, b outcome) int { return int(1e6 * (a.BytesPerRow - b.BytesPerRow)) })
		c := f.Columns[name][0]
		fmt.Fprintf(t, "%s\t%s\t%.2f\t%.0f\t%.0f\t%s: %.2f, %.0f, %.0f\t\n",
			name, c.Codec, c.BytesPerRow, c.WriteNanoseconds, c.ReadNanoseconds, best.Codec, best.BytesPerRow, best.WriteNanoseconds, best.ReadNanoseconds)
	}
	_ = t.Flush() // to a terminal or a pipe; nothing to do about it
}
