// Latency measures how long it takes from a sample on its topic to the command that
// follows from it on the topic of commands, at several loads. `make bench-latency` runs
// it; the figures go to benchmarks/out/latency.json.
//
// Apache Kafka, the generator of load and `flyball run` with the roles aggregate,
// evaluate and decide share the machine. First the generator sends as fast as it can: the
// rate that Flyball keeps up with meanwhile is what the machine sustains, and loads are
// shares of that. Then, beside the load, a service that did not exist before fails ten
// times a record, several times a second. What is measured is from handing such a record
// to the client of Kafka to having read the command about that service, committed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/flyball-io/flyball/benchmarks/figures"
	"github.com/flyball-io/flyball/benchmarks/machine"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Report is what goes to latency.json.
type Report struct {
	// Sustained is how many spans per second the machine sustains.
	Sustained float64 `json:"sustained_spans_per_s"`
	Loads     []Load  `json:"loads"`
	// Machine is where it was measured.
	Machine machine.Machine `json:"machine"`
}

// Load is what was seen at one load; times are in seconds.
type Load struct {
	Share   float64 `json:"share"`
	Rate    float64 `json:"spans_per_s"`
	Probes  int     `json:"probes"`
	Lost    int     `json:"lost"`
	P50     float64 `json:"p50_s"`
	P95     float64 `json:"p95_s"`
	P99     float64 `json:"p99_s"`
	Longest float64 `json:"longest_s"`
}

func run(ctx context.Context) error {
	binary := flag.String("binary", "bin/flyball", "flyball to run")
	length := flag.Duration("for", 30*time.Second, "length of each load")
	warm := flag.Duration("warm-up", 10*time.Second, "length of the search for what the machine sustains")
	out := flag.String("out", "benchmarks/out/latency.json", "file for the figures")
	flag.Parse()
	r, err := measure(ctx, *binary, *warm, *length, os.Stderr)
	if err != nil {
		return err
	}
	r.print(os.Stdout)
	return figures.Write(*out, r)
}

// measure finds out what the machine sustains, and measures at shares of it.
func measure(ctx context.Context, binary string, warm, length time.Duration, talk io.Writer) (r Report, err error) {
	r.Machine = machine.Here()
	s, err := start(ctx, binary, talk)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if r.Sustained, err = s.sustained(ctx, warm); err != nil {
		return r, err
	}
	for _, share := range []float64{0.1, 0.5, 0.8} {
		l := Load{Share: share, Rate: share * r.Sustained}
		fmt.Fprintf(talk, "%.0f spans/s\n", l.Rate)
		took, lost, err := s.probe(ctx, l.Rate, length)
		if err != nil {
			return r, err
		}
		if len(took) == 0 {
			return r, fmt.Errorf("no command came at %.0f spans/s", l.Rate)
		}
		l.Probes, l.Lost = len(took)+lost, lost
		l.P50, l.P95, l.P99, l.Longest = quantile(took, 0.50), quantile(took, 0.95), quantile(took, 0.99), quantile(took, 1)
		r.Loads = append(r.Loads, l)
	}
	return r, nil
}

// quantile is the smallest value with at least that share of all below it.
func quantile(took []time.Duration, share float64) float64 {
	slices.Sort(took)
	return took[min(int(share*float64(len(took))), len(took)-1)].Seconds()
}

func (r Report) print(w io.Writer) {
	fmt.Fprintf(w, "\n%v\nsample to command, panes of 1 s, %.0f spans/s sustained with Kafka and the generator on the machine\n\n", r.Machine, r.Sustained)
	fmt.Fprintf(w, "  %-8s %12s %8s %6s %8s %8s %8s %8s\n", "load", "spans/s", "probes", "lost", "p50 s", "p95 s", "p99 s", "max s")
	for _, l := range r.Loads {
		fmt.Fprintf(w, "  %-8s %12.0f %8d %6d %8.2f %8.2f %8.2f %8.2f\n", fmt.Sprintf("%.0f %%", 100*l.Share), l.Rate, l.Probes, l.Lost, l.P50, l.P95, l.P99, l.Longest)
	}
	fmt.Fprintln(w)
}
