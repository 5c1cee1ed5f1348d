// Evaluate measures what a series costs the evaluate role: merging a pane of it, closing
// it with its window, its budget and its detectors, and committing; and the memory that
// it takes. `make bench-evaluate` runs it; the figures go to
// benchmarks/out/evaluate.json.
//
// Panes come as aggregate sends them: a block of rows, with a histogram of about a
// hundred buckets each, for every 10 s of event time, then the watermark that closes
// them. The machine is the one that `flyball run` runs, on one core, without Kafka. What is
// counted is processor time after a warm-up, in which detectors learn and memory fills.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/flyball-io/flyball/benchmarks/figures"
	"github.com/flyball-io/flyball/benchmarks/machine"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	counts := flag.String("series", "1000,10000,100000", "numbers of series to measure with")
	panes := flag.Int("panes", 12, "panes that are measured")
	warm := flag.Int("warm-up", 40, "panes before that")
	out := flag.String("out", "benchmarks/out/evaluate.json", "file for the figures")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	var all []Figures
	fmt.Printf("\n%v\none core, panes of 10 s, %d of them after a warm-up of %d\n\n", machine.Here(), *panes, *warm)
	fmt.Printf("  %-30s %8s %10s %10s %10s %10s %12s %12s\n", "", "series", "merge ns", "close ns", "commit ns", "ns/pane", "% of a core", "bytes/series")
	for text := range strings.SplitSeq(*counts, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fmt.Errorf("cannot use %q as a number of series", text)
		}
		for _, w := range works {
			f, err := measure(w, n, *warm, *panes)
			if err != nil {
				return err
			}
			f.print(os.Stdout)
			all = append(all, f)
		}
	}
	fmt.Println("\n  ns are per series and pane; % of a core is what all series take of one at a pane per 10 s")
	return figures.Write(*out, all)
}
