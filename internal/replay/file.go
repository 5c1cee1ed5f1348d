package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/loadgen"
	"github.com/flyball-io/flyball/internal/machines"
)

// Files gives the records of files as `flyball loadgen --dir` writes them: one per
// partition, TOPIC-PARTITION.otlp with a length before every record, or
// TOPIC-PARTITION.ndjson with a record on every line.
//
// A file does not say when a record came. It is taken to have come at the latest event
// time in it; one without any, with the record before.
type Files struct {
	merger     *merger
	lanes      []*fileLane
	partitions []Partition
	total      int64
}

// OpenFiles opens a file, or all files of a directory that hold topics of some source.
func OpenFiles(ctx context.Context, c *config.Config, path string) (_ *Files, err error) {
	names, err := fileNames(path)
	if err != nil {
		return nil, err
	}
	f := &Files{}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	lanes := map[Partition]lane{}
	for _, name := range names {
		p, ok := partitionOf(name)
		if !ok {
			continue
		}
		src := sourceOf(c, p.Topic)
		if src == nil {
			continue
		}
		if lanes[p] != nil {
			return nil, fmt.Errorf("cannot replay %q: another file holds partition %d of %q, too", path, p.Index, p.Topic)
		}
		l, err := openLane(name, p, *src)
		if err != nil {
			return nil, err
		}
		f.lanes, f.total = append(f.lanes, l), f.total+l.size
		f.partitions = append(f.partitions, p)
		lanes[p] = l
	}
	if len(lanes) == 0 {
		return nil, fmt.Errorf("cannot replay %q: it holds no file of the topics %s; want TOPIC-PARTITION.otlp or TOPIC-PARTITION.ndjson", path, topicsOf(c))
	}
	f.merger, err = newMerger(ctx, lanes)
	return f, err
}

func fileNames(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("cannot replay %q: %w", path, err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("cannot replay %q: %w", path, err)
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, filepath.Join(path, e.Name()))
		}
	}
	return names, nil
}

// partitionOf reads the name of a file.
func partitionOf(name string) (Partition, bool) {
	base, extension := filepath.Base(name), filepath.Ext(name)
	if extension != ".otlp" && extension != ".ndjson" {
		return Partition{}, false
	}
	base = strings.TrimSuffix(base, extension)
	i := strings.LastIndexByte(base, '-')
	if i < 1 {
		return Partition{}, false
	}
	n, err := strconv.ParseUint(base[i+1:], 10, 31)
	return Partition{base[:i], int32(n)}, err == nil
}

// sourceOf returns the first source that reads a topic, nil when none does.
func sourceOf(c *config.Config, topic string) *flyball.Source {
	for _, s := range machines.Measured(c) {
		if slices.Contains(s.Topics, topic) {
			return &s
		}
	}
	return nil
}

func topicsOf(c *config.Config) string {
	var all []string
	for _, s := range machines.Measured(c) {
		for _, topic := range s.Topics {
			all = append(all, strconv.Quote(topic))
		}
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

// Next implements [Feed].
func (f *Files) Next(ctx context.Context) (*Record, error) { return f.merger.next(ctx) }

// Partitions implements [Feed].
func (f *Files) Partitions() []Partition { return f.partitions }

// Share implements [Feed].
func (f *Files) Share() float64 {
	var read int64
	for _, l := range f.lanes {
		read += l.read
	}
	return float64(read) / float64(max(f.total, 1))
}

// Close closes the files.
func (f *Files) Close() error {
	var errs []error
	for _, l := range f.lanes {
		errs = append(errs, l.file.Close())
	}
	return errors.Join(errs...)
}

// fileLane is one file.
type fileLane struct {
	file       *os.File
	values     interface{ Next() ([]byte, error) }
	clock      *clock
	record     Record
	size, read int64
}

func openLane(name string, p Partition, src flyball.Source) (*fileLane, error) {
	c, err := newClock(src)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot replay %q: %w", name, err)
	}
	l := &fileLane{file: file, clock: c, record: Record{Partition: p, At: flyball.NoTime}, values: loadgen.NewFrameReader(file)}
	if filepath.Ext(name) == ".ndjson" {
		l.values = loadgen.NewLineReader(file)
	}
	if info, err := file.Stat(); err == nil {
		l.size = info.Size()
	}
	return l, nil
}

func (l *fileLane) next(context.Context) (*Record, error) {
	value, err := l.values.Next()
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, io.EOF
	}
	if err != nil {
		return nil, fmt.Errorf("cannot replay %q: %w", l.file.Name(), err)
	}
	l.read += int64(len(value))
	l.record.Value = value
	if at := l.clock.of(&l.record); at != flyball.NoTime {
		l.record.At = at
	}
	return &l.record, nil
}

// clock tells the latest event time in a record, by a decoder that keeps nothing else.
type clock struct {
	decoder ingest.Decoder
	builder *ingest.Builder
}

func newClock(src flyball.Source) (*clock, error) {
	p := ingest.ProjectionOf(nil)
	d, err := decode.New(src, p)
	if err != nil {
		return nil, err
	}
	b := ingest.NewBuilder(p, ingest.NewDictionary(0), ingest.NewPool())
	b.SetLatest(math.MaxInt64)
	return &clock{d, b}, nil
}

func (c *clock) of(r *Record) flyball.Time {
	_ = decodeRecord(c.decoder, r, c.builder) // it is rejected where it is counted
	b := c.builder.Batch()
	defer b.Release()
	return b.MaxTime
}
