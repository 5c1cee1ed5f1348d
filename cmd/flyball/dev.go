package main

import (
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball/internal/dev"
)

func newDev() *cobra.Command {
	o := dev.Options{Version: version}
	var format string
	var verbose bool
	c := &cobra.Command{
		Use:   "dev",
		Short: "Run everything in one process, with a simulated shop or an example",
		Long: `Run Kafka, ClickHouse, a simulated shop with incidents and all of Flyball in this
process, print their addresses, and tell what happens. With --example it is one of the
incidents under examples/, hours of which take a minute; --example list lists them.

The story goes to standard output, everything else to standard error. With
-o json the story is one object per line, with a field "type": ready,
window_closed, burn, finding, decision, command, outcome, verdict, scene.`,
		Example: `  flyball dev
  flyball dev --example crash-loop
  flyball dev --duration 90s -o json | jq 'select(.type == "command")'
  flyball dev --data-dir ./dev-data --no-load`,
		Args: exactArgs(0),
		RunE: func(c *cobra.Command, _ []string) error {
			o.JSON = format == "json"
			o.Out, o.Talk = c.OutOrStdout(), c.ErrOrStderr()
			level := slog.LevelWarn
			if verbose {
				level = slog.LevelInfo
			}
			o.Log = slog.New(slog.NewTextHandler(o.Talk, &slog.HandlerOptions{Level: level}))
			return dev.Run(c.Context(), o)
		},
	}
	outputFlag(c, &format)
	f := c.Flags()
	f.DurationVar(&o.Duration, "duration", 0, "stop after this long; 0 runs until interrupted")
	f.BoolVar(&o.NoLoad, "no-load", false, "do not send simulated telemetry")
	f.StringVar(&o.Example, "example", "", "run this example; list prints what there is")
	f.StringVar(&o.DataDir, "data-dir", "", "keep Kafka and ClickHouse in this directory across restarts")
	f.StringVar(&o.KafkaAddr, "kafka-addr", "127.0.0.1:9092", "address of the embedded Kafka; a port of 0 takes a free one")
	f.StringVar(&o.ClickHouseAddr, "clickhouse-addr", "127.0.0.1:8123", "address of the embedded ClickHouse")
	f.StringVar(&o.HTTPAddr, "http-addr", "127.0.0.1:8686", "address of the API")
	f.BoolVarP(&verbose, "verbose", "v", false, "log what happens inside")
	return c
}
