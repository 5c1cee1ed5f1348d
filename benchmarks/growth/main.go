// Growth measures how the cost of a span in the aggregate role grows with the number of
// series, of attributes, of labels that are grouped by, of partitions of the panes topic,
// and with lateness. `make bench-growth` runs it: it prints a table, and writes
// benchmarks/out/growth.json and a plot.
//
// It is decoding, folding and flushing of panes, as `flyball run` does it, on one core and
// on records that are in memory: Kafka costs the same whatever is in the records. What is
// counted is processor time per span, flushes included, after a warm-up in which caches
// fill.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"

	"github.com/flyball-io/flyball/benchmarks/figures"
	"github.com/flyball-io/flyball/benchmarks/machine"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Report is what goes to growth.json.
type Report struct {
	Curves  []Curve         `json:"curves"`
	Scaling []Scaling       `json:"scaling"`
	Machine machine.Machine `json:"machine"`
}

func run() error {
	only := flag.String("only", ".", "regular expression of the dimensions to measure")
	spans := flag.Int("spans", 2_000_000, "spans per measurement")
	out := flag.String("out", "benchmarks/out/growth.json", "file for the figures")
	plot := flag.String("plot", "benchmarks/out/growth.svg", "file for the plot")
	flag.Parse()
	wanted, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("cannot use -only: %w", err)
	}
	runtime.GOMAXPROCS(1)
	fmt.Printf("\n%v\ndecoding, folding and flushing of %d spans on one core\n\n", machine.Here(), *spans)
	fmt.Printf("  %-34s %10s %12s %14s %8s %14s %14s\n", "", "", "CPU ns/span", "spans/s/core", "of first", "bytes/span", "panes per span")
	var all []Curve
	for _, d := range dimensions {
		if !wanted.MatchString(d.name) {
			continue
		}
		c := Curve{Name: d.name}
		for _, x := range d.values {
			p, err := measure(d.of(x), spansKept, *spans, spansPerFlush)
			if err != nil {
				return fmt.Errorf("cannot measure %s %v: %w", d.name, x, err)
			}
			p.X = x
			c.Points = append(c.Points, p)
			fmt.Printf("  %-34s %10g %12.1f %14.0f %8.2f %14.0f %14.4f\n", d.name, x, p.Nanos, 1e9/p.Nanos, c.relative(p), p.BytesPerSpan, p.PanesPerSpan)
		}
		fmt.Println()
		all = append(all, c)
	}
	report := Report{Curves: all, Machine: machine.Here()}
	if wanted.MatchString("cores") {
		if report.Scaling, err = scale(os.Stdout, 2*(*spans)); err != nil {
			return err
		}
	}
	if err := figures.Write(*out, report); err != nil {
		return err
	}
	if err := os.WriteFile(*plot, draw(all), 0o644); err != nil {
		return fmt.Errorf("cannot write the plot: %w", err)
	}
	return nil
}
