package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball/internal/loadgen"
	"github.com/flyball-io/flyball/internal/loadgen/shop"
)

func newLoadgen() *cobra.Command {
	cfg := loadgen.Default()
	var incidents, canaries []string
	var encoding, truth, start string
	c := &cobra.Command{
		Use:   "loadgen",
		Short: "Send the spans of a simulated shop",
		Long: `Simulate a shop of ten services and send its spans as the OpenTelemetry
Collector's Kafka exporter does, to Kafka or to files. The same seed gives the same
spans.

Totals go to standard output as JSON when it ends, progress to standard error.`,
		Example: `  flyball loadgen --brokers 127.0.0.1:9092 --rate 5000 --incident error_burst:checkout@30s+1m:0.4
  flyball loadgen --dir ./spans --unpaced --duration 1h --start 2026-01-01T00:00:00Z --truth truth.ndjson`,
		Args: exactArgs(0),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := loadgenConfig(&cfg, incidents, canaries, encoding, start); err != nil {
				return usageError(err)
			}
			return runLoadgen(c, cfg, truth)
		},
	}
	f := c.Flags()
	f.StringSliceVar(&cfg.Kafka.Brokers, "brokers", nil, "Kafka brokers, host:port")
	f.StringVar(&cfg.Dir, "dir", "", "write files to this directory instead")
	f.StringVar(&cfg.Topic, "topic", cfg.Topic, "topic, and start of the files' names")
	f.IntVar(&cfg.Partitions, "partitions", cfg.Partitions, "partitions that records take turns on")
	f.StringVar(&cfg.Kafka.Compression, "compression", cfg.Kafka.Compression, "none, gzip, snappy, lz4 or zstd")
	f.StringVar(&encoding, "encoding", string(cfg.Encoding), "otlp_proto or otlp_json")
	f.IntVar(&cfg.BatchSpans, "batch", cfg.BatchSpans, "spans per record")
	f.Uint64Var(&cfg.Shop.Seed, "seed", cfg.Shop.Seed, "seed of the simulation")
	f.Float64Var(&cfg.Shop.Rate, "rate", cfg.Shop.Rate, "mean spans per second of event time")
	f.DurationVar(&cfg.Shop.Duration, "duration", time.Minute, "how long, in event time; 0 is for ever")
	f.Int64Var(&cfg.MaxSpans, "spans", 0, "stop after this many spans; 0 is no limit")
	f.StringVar(&start, "start", "", "event time of the first request, RFC 3339; default now")
	f.BoolVar(&cfg.Unpaced, "unpaced", false, "as fast as possible instead of by the wall clock")
	f.StringArrayVar(&incidents, "incident", nil, "kind:service[,route=R][,version=V]@start+duration[:severity]; kinds error_burst, latency_regression, slow_dependency, silence")
	f.StringArrayVar(&canaries, "canary", nil, "service:version:share[@from]")
	f.Float64Var(&cfg.Shop.LateShare, "late-share", 0, "share of spans that are exported late")
	f.DurationVar(&cfg.Shop.LateMax, "late-max", 0, "longest such delay")
	f.DurationVar(&cfg.Shop.SkewMax, "skew-max", 0, "largest clock error of a pod")
	f.StringVar(&truth, "truth", "", "write exact counts per service, route and window to this file")
	return c
}

func loadgenConfig(cfg *loadgen.Config, incidents, canaries []string, encoding, start string) error {
	cfg.Encoding = shop.Encoding(encoding)
	for _, s := range incidents {
		in, err := shop.ParseIncident(s)
		if err != nil {
			return err
		}
		cfg.Shop.Incidents = append(cfg.Shop.Incidents, in)
	}
	for _, s := range canaries {
		ca, err := shop.ParseCanary(s)
		if err != nil {
			return err
		}
		cfg.Shop.Canaries = append(cfg.Shop.Canaries, ca)
	}
	if start != "" {
		t, err := time.Parse(time.RFC3339, start)
		if err != nil {
			return fmt.Errorf("cannot read --start %q: want RFC 3339, such as 2026-01-01T00:00:00Z", start)
		}
		cfg.Shop.Start = t
	}
	return cfg.Validate()
}

func runLoadgen(c *cobra.Command, cfg loadgen.Config, truth string) error {
	result, err := loadgen.Run(c.Context(), cfg, func(s loadgen.Stats) {
		fmt.Fprintf(c.ErrOrStderr(), "%d spans, %d errors, %d records, %d MB, %s\n",
			s.Spans, s.Errors, s.Records, s.Bytes>>20, s.Elapsed.Round(time.Second))
	})
	if err != nil {
		return err
	}
	if truth != "" {
		f, err := os.Create(truth)
		if err != nil {
			return err
		}
		if _, err := result.Truth.WriteTo(f); err != nil {
			return fmt.Errorf("cannot write %q: %w", truth, err)
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return json.NewEncoder(c.OutOrStdout()).Encode(map[string]any{"stats": result.Stats, "incidents": result.Labels})
}
