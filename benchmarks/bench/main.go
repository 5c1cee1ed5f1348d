package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

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
	plan := defaultPlan()
	flag.Int64Var(&plan.Spans, "spans", plan.Spans, "spans in the topic")
	flag.IntVar(&plan.Rounds, "rounds", plan.Rounds, "rounds of floor and aggregate")
	flag.IntVar(&plan.Workers, "workers", plan.Workers, "clients that read, in floor and aggregate")
	flag.DurationVar(&plan.SteadyFor, "steady", plan.SteadyFor, "length of the round at a steady rate")
	flag.StringVar(&plan.Profiles, "profiles", "", "directory for processor profiles of the last round")
	out := flag.String("out", "benchmarks/out/bench.json", "file for the figures")
	withRecord := flag.Bool("record", true, "measure record too")
	flag.Parse()
	m, err := measure(ctx, plan, os.Stderr)
	if err != nil {
		return err
	}
	report := m.report()
	m.print(os.Stdout, report)
	if *withRecord {
		r, err := record.Run(ctx, os.Stdout)
		if err != nil {
			return err
		}
		report.addRecord(r)
	}
	return figures.Write(*out, report)
}
