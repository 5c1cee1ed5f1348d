package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/anomaly"
)

// valueRange is the declared range of a file.
type valueRange struct{ min, max float64 }

type detectFlags struct {
	input, output, detector, ranges string
	falseAlarms                     float64
}

func newDetect() *cobra.Command {
	flags := detectFlags{falseAlarms: anomaly.Default().FalseAlarms}
	c := &cobra.Command{
		Use:   "detect --input SERIES.csv [--output OUT.csv]",
		Short: "Find anomalies in a file of timestamps and values",
		Long: `Find anomalies in a CSV file of timestamps and values, or in every CSV file of a
directory, strictly online: what is said of a row depends on it and on the rows
before it only.

Input columns: timestamp (RFC 3339, "2006-01-02 15:04:05" in UTC, or Unix seconds)
and value. Output columns: timestamp, value, anomaly_score, detector, explanation;
one row for each of the input. The score is a tenth of the digits of surprise:
0.4 is what one row in 10,000 reaches by chance. Rows that add nothing to a recent
surprise score 0.`,
		Example: `  flyball detect --input cpu.csv
  flyball detect --input cpu.csv --detector season --output out.csv
  flyball detect --input metrics/ --output scores/ --ranges ranges.csv`,
		Args: exactArgs(0),
		RunE: func(c *cobra.Command, _ []string) error {
			return detect(c.Context(), &flags, c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f := c.Flags()
	f.StringVar(&flags.input, "input", "", "CSV file, directory of CSV files, or - for standard input")
	f.StringVar(&flags.output, "output", "", "file to write, or directory when the input is one (default standard output)")
	f.StringVar(&flags.detector, "detector", "ensemble", "ensemble, or one of "+kindNames())
	f.StringVar(&flags.ranges, "ranges", "", "CSV file of file,min,max: the range that the values of a file can have")
	f.Float64Var(&flags.falseAlarms, "false-alarms", flags.falseAlarms, "alarms by chance that are accepted in a week, for the count of alarms")
	return c
}

func kindNames() string {
	var names []string
	for _, k := range anomaly.Kinds() {
		names = append(names, k.String())
	}
	return strings.Join(names, ", ")
}

func detect(ctx context.Context, flags *detectFlags, in io.Reader, out, talk io.Writer) error {
	if flags.input == "" {
		return usageError(errors.New("cannot detect without --input; see flyball detect --help"))
	}
	cfg := anomaly.Default()
	cfg.FalseAlarms = flags.falseAlarms
	if flags.detector != "ensemble" {
		k, err := anomaly.KindNamed(flags.detector)
		if err != nil {
			return usageError(fmt.Errorf("%w; one of ensemble, %s", err, kindNames()))
		}
		cfg.Detectors = []anomaly.Kind{k}
	}
	if err := cfg.Validate(); err != nil {
		return usageError(err)
	}
	ranges, err := readRanges(flags.ranges)
	if err != nil {
		return usageError(err)
	}
	if flags.input == "-" {
		return detectStream(cfg, "-", in, out, talk)
	}
	info, err := os.Stat(flags.input)
	if err != nil {
		return usageError(fmt.Errorf("cannot read input: %w", err))
	}
	if info.IsDir() {
		return detectDir(ctx, cfg, flags, ranges, talk)
	}
	name := filepath.Base(flags.input)
	if flags.output == "" || flags.output == "-" {
		return detectInto(ranges.apply(cfg, name), flags.input, out, talk)
	}
	return detectFile(ranges.apply(cfg, name), flags.input, flags.output, talk)
}

// detectDir writes one file for each, under the same relative path.
func detectDir(ctx context.Context, cfg anomaly.Config, flags *detectFlags, ranges rangeTable, talk io.Writer) error {
	if flags.output == "" {
		return usageError(fmt.Errorf("cannot write results of directory %q: --output names no directory", flags.input))
	}
	var files []string
	err := filepath.WalkDir(flags.input, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.EqualFold(filepath.Ext(path), ".csv") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot list directory %q: %w", flags.input, err)
	}
	if len(files) == 0 {
		return usageError(fmt.Errorf("cannot find any .csv file in directory %q", flags.input))
	}
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(runtime.GOMAXPROCS(0))
	for _, path := range files {
		relative, err := filepath.Rel(flags.input, path)
		if err != nil {
			return fmt.Errorf("cannot name result of %q: %w", path, err)
		}
		work.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return detectFile(ranges.apply(cfg, filepath.ToSlash(relative)), path, filepath.Join(flags.output, relative), nil)
		})
	}
	if err := work.Wait(); err != nil {
		return err
	}
	fmt.Fprintf(talk, "%d files written to %s\n", len(files), flags.output)
	return nil
}

// detectFile writes the result of one file, all or nothing.
func detectFile(cfg anomaly.Config, input, output string, talk io.Writer) (err error) {
	if err := os.MkdirAll(filepath.Dir(output), 0o755); err != nil {
		return fmt.Errorf("cannot create directory of %q: %w", output, err)
	}
	f, err := os.CreateTemp(filepath.Dir(output), "."+filepath.Base(output)+".*")
	if err != nil {
		return fmt.Errorf("cannot create result %q: %w", output, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := detectInto(cfg, input, f, talk); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return fmt.Errorf("cannot write result %q: %w", output, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("cannot write result %q: %w", output, err)
	}
	if err := os.Rename(f.Name(), output); err != nil {
		return fmt.Errorf("cannot write result %q: %w", output, err)
	}
	return nil
}

func detectInto(cfg anomaly.Config, input string, out, talk io.Writer) error {
	f, err := os.Open(input)
	if err != nil {
		return usageError(fmt.Errorf("cannot read input: %w", err))
	}
	defer f.Close()
	return detectStream(cfg, input, f, out, talk)
}

// detectStream judges row by row. talk, when not nil, gets a summary.
func detectStream(cfg anomaly.Config, name string, in io.Reader, out, talk io.Writer) error {
	d, err := anomaly.New(cfg)
	if err != nil {
		return usageError(err)
	}
	rows, err := newSeriesReader(name, in)
	if err != nil {
		return usageError(err)
	}
	w := csv.NewWriter(out)
	if err := w.Write([]string{"timestamp", "value", "anomaly_score", "detector", "explanation"}); err != nil {
		return fmt.Errorf("cannot write result: %w", err)
	}
	total, alarms := 0, 0
	for {
		row, err := rows.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return usageError(err)
		}
		r := d.Observe(anomaly.Point{At: row.at, Value: row.value, Count: 1})
		total++
		if r.Alarm {
			alarms++
		}
		if err := w.Write(row.record(&r)); err != nil {
			return fmt.Errorf("cannot write result: %w", err)
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return fmt.Errorf("cannot write result: %w", err)
	}
	if talk != nil {
		fmt.Fprintf(talk, "%d rows, %d alarms (accepted by chance: %g a week)\n", total, alarms, cfg.FalseAlarms)
	}
	return nil
}

// seriesRow is a row of the input, its cells as they came.
type seriesRow struct {
	at               flyball.Time
	value            float64
	timeCell, number string
}

func (r *seriesRow) record(reading *anomaly.Reading) []string {
	score := reading.Score()
	cells := []string{r.timeCell, r.number, strconv.FormatFloat(score, 'f', 6, 64), "", ""}
	if score > 0 {
		cells[3], cells[4] = reading.Detector.String(), reading.Explain()
	}
	return cells
}

// seriesReader reads rows of timestamp and value.
type seriesReader struct {
	name        string
	csv         *csv.Reader
	time, value int      // columns
	held        []string // a first row that is no header
}

func newSeriesReader(name string, in io.Reader) (*seriesReader, error) {
	r := &seriesReader{name: name, csv: csv.NewReader(in), time: 0, value: 1}
	r.csv.ReuseRecord = true
	r.csv.FieldsPerRecord = -1
	head, err := r.csv.Read()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("empty file")
		}
		return nil, fmt.Errorf("cannot read %q: %w", name, err)
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	if _, err := parseTimestamp(head[0]); err == nil {
		r.held = slices.Clone(head)
		return r, nil
	}
	r.time, r.value = column(head, "timestamp"), column(head, "value")
	if r.time < 0 || r.value < 0 {
		return nil, fmt.Errorf("cannot read %s:1: columns timestamp and value are needed, got %q", name, strings.Join(head, ","))
	}
	return r, nil
}

func column(head []string, name string) int {
	return slices.IndexFunc(head, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), name) })
}

func (r *seriesReader) next() (seriesRow, error) {
	cells := r.held
	r.held = nil
	line := 1
	if cells == nil {
		var err error
		if cells, err = r.csv.Read(); err != nil {
			if errors.Is(err, io.EOF) {
				return seriesRow{}, err
			}
			return seriesRow{}, fmt.Errorf("cannot read %q: %w", r.name, err)
		}
		line, _ = r.csv.FieldPos(0)
	}
	if max(r.time, r.value) >= len(cells) {
		return seriesRow{}, fmt.Errorf("cannot read %s:%d: only %d columns", r.name, line, len(cells))
	}
	row := seriesRow{timeCell: cells[r.time], number: cells[r.value]}
	var err error
	if row.at, err = parseTimestamp(row.timeCell); err != nil {
		return seriesRow{}, fmt.Errorf("cannot read %s:%d: %w", r.name, line, err)
	}
	if row.value, err = parseValue(row.number); err != nil {
		return seriesRow{}, fmt.Errorf("cannot read %s:%d: %w", r.name, line, err)
	}
	return row, nil
}

func parseTimestamp(s string) (flyball.Time, error) {
	s = strings.TrimSpace(s)
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		if math.Abs(seconds) > 1e10 || math.IsNaN(seconds) {
			return 0, fmt.Errorf("timestamp %q is not in seconds", s)
		}
		whole, part := math.Modf(seconds)
		return flyball.Time(int64(whole)*int64(time.Second) + int64(math.Round(part*1e9))), nil
	}
	for _, layout := range []string{"2006-01-02 15:04:05", time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			if y := t.Year(); y < 1678 || y > 2261 {
				return 0, fmt.Errorf("timestamp %q is out of range", s)
			}
			return flyball.TimeOf(t), nil
		}
	}
	return 0, fmt.Errorf("timestamp %q is neither RFC 3339, nor YYYY-MM-DD hh:mm:ss, nor Unix seconds", s)
}

// parseValue returns NaN for a cell that says that there is no value.
func parseValue(s string) (float64, error) {
	s = strings.TrimSpace(s)
	if s == "" || strings.EqualFold(s, "null") || strings.EqualFold(s, "nan") {
		return math.NaN(), nil
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("value %q is not a number", s)
	}
	return v, nil
}
