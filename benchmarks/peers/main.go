package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/flyball-io/flyball/benchmarks/figures"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := run
	if os.Getenv(brokerVariable) != "" {
		run = serveBroker
	}
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	plan := defaultPlan()
	flag.Int64Var(&plan.Spans, "spans", plan.Spans, "spans in the topic")
	flag.DurationVar(&plan.Limit, "limit", plan.Limit, "how long an engine runs at most")
	flag.StringVar(&plan.Binary, "binary", plan.Binary, "flyball to run")
	flag.StringVar(&plan.Java, "java", plan.Java, "folder of the built peers of the Java virtual machine")
	flag.StringVar(&plan.Profile, "profile", "", "file for a processor profile of Flyball")
	names := flag.String("engines", strings.Join(plan.Engines, ","), "engines to run, in this order; the first is what others are compared with")
	records := flag.String("write-records", "", "write some of the input to this file, for DecoderComparison, and do nothing else")
	out := flag.String("out", "benchmarks/out/peers.json", "file for the figures")
	flag.Parse()
	if *records != "" {
		return writeRecords(ctx, *records)
	}
	plan.Engines = strings.Split(*names, ",")
	m, err := measure(ctx, plan, os.Stderr)
	if err != nil {
		return err
	}
	report := m.report()
	report.print(os.Stdout)
	return errors.Join(m.Failed, figures.Write(*out, report))
}
