package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"time"

	"github.com/flyball-io/flyball/benchmarks/figures"
	"github.com/flyball-io/flyball/benchmarks/record"
)

func main() {
	if code, child := runTask(); child {
		os.Exit(code)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	spans := flag.Int64("spans", 0, "samples in each topic; 0 is as many as usual")
	rounds := flag.Int("rounds", 5, "rounds of floor and aggregate")
	workers := flag.Int("workers", runtime.NumCPU(), "clients that read, in floor and aggregate")
	steady := flag.Duration("steady", 20*time.Second, "length of the round of spans at a steady rate")
	profiles := flag.String("profiles", "", "directory for processor profiles of the last rounds")
	names := flag.String("workloads", "spans,metrics,json", "what to measure; the first is what the figures name")
	out := flag.String("out", "benchmarks/out/bench.json", "file for the figures")
	withRecord := flag.Bool("record", true, "measure record too")
	flag.Parse()
	var report *Report
	for name := range strings.SplitSeq(*names, ",") {
		if _, ok := workloads[name]; !ok {
			return fmt.Errorf("cannot find workload %q: want spans, metrics or json", name)
		}
		plan := defaultPlan(name)
		plan.Rounds, plan.Workers, plan.Profiles = *rounds, *workers, *profiles
		plan.SteadyFor = min(plan.SteadyFor, *steady)
		if *spans > 0 {
			plan.Spans = *spans
		}
		m, err := measure(ctx, plan, os.Stderr)
		if err != nil {
			return err
		}
		r := m.report()
		m.print(os.Stdout, r)
		if report == nil {
			report = &r
			report.Others = map[string]Report{}
		} else {
			report.Others[name] = r
		}
	}
	if *withRecord {
		r, err := record.Run(ctx, os.Stdout)
		if err != nil {
			return err
		}
		report.addRecord(r)
	}
	return figures.Write(*out, report)
}
