// Command chaos runs flyball processes against Apache Kafka while faults happen to
// them, prints what came of it, and fails when anything differs from a run without
// faults.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"

	"github.com/flyball-io/flyball/benchmarks/figures"
	"github.com/flyball-io/flyball/internal/chaos"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	cfg := chaos.Default()
	flag.IntVar(&cfg.Faults, "faults", cfg.Faults, "number of faults")
	flag.Uint64Var(&cfg.Seed, "seed", cfg.Seed, "seed of faults and telemetry")
	flag.DurationVar(&cfg.Session, "session", cfg.Session, "session timeout of the processes")
	flag.DurationVar(&cfg.Limit, "limit", cfg.Limit, "end the faults after this time; 0 is no limit")
	flag.Float64Var(&cfg.Rate, "rate", cfg.Rate, "spans per second")
	flag.StringVar(&cfg.Binary, "binary", "bin/flyball", "flyball to run")
	keep := flag.Bool("keep", false, "keep the broker's data, the configurations and the logs")
	out := flag.String("out", "benchmarks/out/chaos.json", "file for the figures")
	flag.Parse()
	dir, err := os.MkdirTemp("", "flyball-chaos-")
	if err != nil {
		return err
	}
	cfg.Dir, cfg.Log = dir, slog.New(slog.NewTextHandler(os.Stderr, nil))
	report, err := chaos.Run(ctx, cfg)
	if err != nil {
		return fmt.Errorf("%w (what is left is in %s)", err, dir)
	}
	report.Print(os.Stdout)
	if err := figures.Write(*out, report); err != nil {
		return err
	}
	if n := report.Wrong(); n > 0 {
		return fmt.Errorf("%d things are wrong that must not be; what is left is in %s", n, dir)
	}
	if *keep {
		fmt.Fprintln(os.Stderr, dir)
		return nil
	}
	return os.RemoveAll(dir)
}
