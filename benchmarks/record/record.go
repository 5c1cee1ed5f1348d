// Package record measures how fast Writer.Insert of sinks/clickhouse puts windows
// from Arrow records into ClickHouse, against the fastest that clickhouse-go can
// do by itself: Go slices, made beforehand, appended to the columns of a batch.
// Both write the same rows into the same table of the embedded engine, by turns.
package record

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/flyball-io/flyball/benchmarks/machine"
	"github.com/flyball-io/flyball/internal/embedded/chdb"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

// Result is what was measured.
type Result struct {
	// RowsPerSecond is the rate of Writer.Insert, BareRowsPerSecond that of
	// clickhouse-go with slices made beforehand: of the fastest round, by the wall
	// clock, the server's work included.
	RowsPerSecond, BareRowsPerSecond float64
	// Ratio is RowsPerSecond ÷ BareRowsPerSecond.
	Ratio float64
	// CPUMicrosPerRow and BareCPUMicrosPerRow are the processor time of client and
	// server together, medians over the rounds; CPURatio is the bare one ÷ the
	// other. It moves less than Ratio on a machine that does other work too. Zero
	// where the system does not tell.
	CPUMicrosPerRow, BareCPUMicrosPerRow, CPURatio float64
	// BytesPerRow is what a row takes on the server's disk, compressed.
	BytesPerRow float64
	// Rows of each round and way, and the number of rounds.
	Rows, Rounds int
}

// size is how much is measured.
type size struct {
	blocks, rowsPerBlock, rounds int
}

// Run measures for a few seconds and prints a table to w. It fails while this
// process has another embedded ClickHouse.
func Run(ctx context.Context, w io.Writer) (Result, error) {
	return run(ctx, w, size{blocks: 1, rowsPerBlock: 50_000, rounds: 9})
}

func run(ctx context.Context, w io.Writer, s size) (result Result, err error) {
	server, err := chdb.Start(ctx, chdb.Default())
	if err != nil {
		return Result{}, fmt.Errorf("cannot start ClickHouse: %w", err)
	}
	defer func() {
		if e := server.Close(); err == nil {
			err = e
		}
	}()
	db, err := clickhouse.Open(clickhouse.Config{DSN: server.DSN("bench_record")})
	if err != nil {
		return Result{}, err
	}
	defer db.Close()
	if _, err := db.Migrate(ctx); err != nil {
		return Result{}, err
	}
	// Merges would run beside the inserts of one or the other.
	if err := db.Conn().Exec(ctx, "SYSTEM STOP MERGES windows"); err != nil {
		return Result{}, fmt.Errorf("cannot stop merges: %w", err)
	}
	result, err = measure(ctx, db, s)
	if err != nil {
		return Result{}, err
	}
	print(w, result)
	return result, nil
}

// way is one of the two ways to insert a block.
type way struct {
	insert func(ctx context.Context, block int) error
	wall   []time.Duration
	cpu    []time.Duration
}

// fastest is the shortest round.
func (w *way) fastest() time.Duration { return slices.Min(w.wall) }

// cpuMicros is the processor time per row.
func (w *way) cpuMicros(rows int) float64 {
	slices.Sort(w.cpu)
	return float64(w.cpu[len(w.cpu)/2].Microseconds()) / float64(rows)
}

func measure(ctx context.Context, db *clickhouse.DB, s size) (Result, error) {
	records := make([]arrow.Record, s.blocks)
	bare := make([]*columns, s.blocks)
	for i := range records {
		records[i] = block(i, s.rowsPerBlock)
		bare[i] = columnsOf(records[i])
		defer records[i].Release()
	}
	writer := db.Writer()
	ways := [2]way{
		{insert: func(ctx context.Context, i int) error {
			return writer.Insert(ctx, clickhouse.TableWindows, records[i], "")
		}},
		{insert: func(ctx context.Context, i int) error { return bare[i].insert(ctx, db) }},
	}
	var r Result
	for round := range s.rounds + 1 {
		for i := range ways {
			way := &ways[(i+round)%2] // who goes first changes too
			if err := way.round(ctx, db, s, round == 0); err != nil {
				return Result{}, err
			}
		}
		if round == 0 {
			var err error
			if r.BytesPerRow, err = bytesPerRow(ctx, db, s.blocks*s.rowsPerBlock); err != nil {
				return Result{}, err
			}
		}
	}
	r.Rows, r.Rounds = s.blocks*s.rowsPerBlock, s.rounds
	r.RowsPerSecond = float64(r.Rows) / ways[0].fastest().Seconds()
	r.BareRowsPerSecond = float64(r.Rows) / ways[1].fastest().Seconds()
	r.Ratio = r.RowsPerSecond / r.BareRowsPerSecond
	r.CPUMicrosPerRow, r.BareCPUMicrosPerRow = ways[0].cpuMicros(r.Rows), ways[1].cpuMicros(r.Rows)
	if r.CPUMicrosPerRow > 0 {
		r.CPURatio = r.BareCPUMicrosPerRow / r.CPUMicrosPerRow
	}
	return r, nil
}

// round inserts all blocks into the empty table; the time of the first round,
// which warms up, does not count.
func (w *way) round(ctx context.Context, db *clickhouse.DB, s size, first bool) error {
	if err := db.Conn().Exec(ctx, "TRUNCATE TABLE windows SYNC"); err != nil {
		return fmt.Errorf("cannot empty table: %w", err)
	}
	start, used := time.Now(), machine.ProcessorTime()
	for i := range s.blocks {
		if err := w.insert(ctx, i); err != nil {
			return err
		}
	}
	if !first {
		w.wall = append(w.wall, time.Since(start))
		w.cpu = append(w.cpu, machine.ProcessorTime()-used)
	}
	var rows uint64
	if err := db.Conn().QueryRow(ctx, "SELECT count() FROM windows").Scan(&rows); err != nil {
		return fmt.Errorf("cannot count rows: %w", err)
	}
	if want := uint64(s.blocks * s.rowsPerBlock); rows != want {
		return fmt.Errorf("cannot measure: %d rows arrived, want %d", rows, want)
	}
	return nil
}

func bytesPerRow(ctx context.Context, db *clickhouse.DB, rows int) (float64, error) {
	var bytes uint64
	err := db.Conn().QueryRow(ctx, "SELECT sum(data_compressed_bytes) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'windows'").Scan(&bytes)
	if err != nil {
		return 0, fmt.Errorf("cannot read sizes: %w", err)
	}
	return float64(bytes) / float64(rows), nil
}

func print(w io.Writer, r Result) {
	fmt.Fprintf(w, "record: %d rows of windows, %d rounds each by turns\n", r.Rows, r.Rounds)
	fmt.Fprintf(w, "  %-28s %12s %12s\n", "", "rows/s", "CPU µs/row")
	fmt.Fprintf(w, "  %-28s %12.0f %12.2f\n", "Writer.Insert from Arrow", r.RowsPerSecond, r.CPUMicrosPerRow)
	fmt.Fprintf(w, "  %-28s %12.0f %12.2f\n", "clickhouse-go columns, bare", r.BareRowsPerSecond, r.BareCPUMicrosPerRow)
	fmt.Fprintf(w, "  ratio %.3f (by CPU %.3f), %.0f bytes a row on disk\n", r.Ratio, r.CPURatio, r.BytesPerRow)
}
