package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/flyball-io/flyball/internal/loadgen"
)

// recordFile is a sink that writes records to a file, each after its length.
type recordFile struct{ w *bufio.Writer }

// Write implements [loadgen.Sink].
func (f recordFile) Write(_ context.Context, _ int, value []byte) error {
	if err := binary.Write(f.w, binary.BigEndian, uint32(len(value))); err != nil {
		return err
	}
	_, err := f.w.Write(value)
	return err
}

// Flush implements [loadgen.Sink].
func (f recordFile) Flush(context.Context) error { return f.w.Flush() }

// Partitions implements [loadgen.Sink].
func (f recordFile) Partitions() int { return 1 }

// writeRecords writes records as they are in the input.
func writeRecords(ctx context.Context, path string) (err error) {
	file, err := os.Create(filepath.Clean(path))
	if err != nil {
		return fmt.Errorf("cannot write records: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	c := loadgen.Default()
	c.BatchSpans, c.MaxSpans, c.Unpaced, c.Shop.Rate = spansPerRecord, 100_000, true, defaultPlan().Rate
	r, err := loadgen.NewRunner(c)
	if err != nil {
		return err
	}
	_, err = r.Run(ctx, recordFile{bufio.NewWriter(file)}, nil)
	return err
}
