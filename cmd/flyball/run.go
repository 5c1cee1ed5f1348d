package main

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/flyball-io/flyball/internal/api"
	"github.com/flyball-io/flyball/internal/canaries"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/pipeline"
	"github.com/flyball-io/flyball/internal/ui"
)

func newRun() *cobra.Command {
	var dir, roles, level string
	c := &cobra.Command{
		Use:   "run --config DIR",
		Short: "Run Flyball against Kafka and ClickHouse",
		Long: `Run the roles of Flyball. Processes with the same configuration share the work
through their consumer groups; any of them may die at any time.

SIGTERM drains: what has been read is finished and committed, then the process
leaves its groups.`,
		Example: `  flyball run --config ./config
  flyball run --config ./config --roles aggregate,evaluate`,
		Args: exactArgs(0),
		RunE: func(c *cobra.Command, _ []string) error {
			var l slog.Level
			if err := l.UnmarshalText([]byte(level)); err != nil {
				return usageError(fmt.Errorf("unknown log level %q; want debug, info, warn or error", level))
			}
			cfg, err := config.Load(dir)
			if err != nil {
				return usageError(err)
			}
			log := slog.New(slog.NewJSONHandler(c.ErrOrStderr(), &slog.HandlerOptions{Level: l}))
			return runRoles(c, cfg, splitList(roles), log)
		},
	}
	c.Flags().StringVar(&dir, "config", "", "configuration directory (required)")
	c.Flags().StringVar(&roles, "roles", "", "comma-separated roles; default all: "+strings.Join(pipeline.Roles(), ","))
	c.Flags().StringVar(&level, "log-level", "info", "least level logged: debug, info, warn, error")
	_ = c.MarkFlagRequired("config") // the flag exists
	return c
}

func splitList(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}

func runRoles(c *cobra.Command, cfg *config.Config, roles []string, log *slog.Logger) error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	listener, err := api.Listen(cfg.Pipeline.HTTP.Listen)
	if err != nil {
		return err
	}
	log.Info("serving HTTP", "addr", listener.Addr().String())
	health := new(pipeline.Health)
	started := time.Now()
	active := roles
	if len(active) == 0 {
		active = pipeline.Roles()
	}
	server := &api.Server{Metrics: registry, Status: func() api.Status {
		return api.Status{Version: version, Roles: active, StartedAt: started, Ready: health.Ready(), Members: health.Members()}
	}}
	analyses, err := canaries.FromConfig(cfg, log)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(c.Context())
	if err := server.Connect(ctx, group, cfg, log); err != nil {
		return err
	}
	if analyses != nil {
		defer analyses.Close()
		server.Analyses, server.Canaries = analyses, cfg.Canaries
		group.Go(func() error { return analyses.Run(ctx) })
	}
	pages, err := ui.FromConfig(ui.Options{Config: cfg, Version: version, Roles: active, StartedAt: started, Ready: health.Ready, Metrics: registry, Log: log})
	if err != nil {
		return err
	}
	defer pages.Close()
	server.Pages = pages.Handler
	group.Go(func() error { return pages.Run(ctx) })
	group.Go(func() error { return server.Serve(ctx, listener) })
	group.Go(func() error {
		return pipeline.Run(ctx, pipeline.Options{
			Config: cfg, Roles: roles, Log: log, Metrics: pipeline.NewMetrics(registry),
			Health: health,
		})
	})
	return group.Wait()
}
