// Package process is `flyball run`: one process of Flyball, with its roles, its API and
// its web UI.
package process

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/flyball-io/flyball/internal/admin"
	"github.com/flyball-io/flyball/internal/api"
	"github.com/flyball-io/flyball/internal/canaries"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/pipeline"
	"github.com/flyball-io/flyball/internal/tracing"
	"github.com/flyball-io/flyball/internal/ui"
)

// options are the flags.
type options struct {
	dir, roles, level, admin, otlp string
	version                        string
	usage                          func(error) error
}

// Command returns `flyball run`. usage makes an error one of usage or configuration.
func Command(version string, usage func(error) error) *cobra.Command {
	o := &options{version: version, usage: usage}
	c := &cobra.Command{
		Use:   "run --config DIR",
		Short: "Run Flyball against Kafka and ClickHouse",
		Long: `Run the roles of Flyball. Processes with the same configuration share the work
through their consumer groups; any of them may die at any time.

SIGTERM drains: what has been read is finished and committed, then the process
leaves its groups.

Traces of what it does are sent where --otlp-endpoint or OTEL_EXPORTER_OTLP_ENDPOINT
say, and else not made. Profiles are served on --admin-listen, which must be an address
of this machine alone, and else not at all.`,
		Example: `  flyball run --config ./config
  flyball run --config ./config --roles aggregate,evaluate
  flyball run --config ./config --admin-listen 127.0.0.1:6060 --otlp-endpoint http://otel-collector:4318`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage(fmt.Errorf("unexpected argument %q; see %s --help", args[0], c.CommandPath()))
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error {
			var l slog.Level
			if err := l.UnmarshalText([]byte(o.level)); err != nil {
				return usage(fmt.Errorf("unknown log level %q; want debug, info, warn or error", o.level))
			}
			cfg, err := config.Load(o.dir)
			if err != nil {
				return usage(err)
			}
			log := slog.New(slog.NewJSONHandler(c.ErrOrStderr(), &slog.HandlerOptions{Level: l}))
			return o.run(c.Context(), cfg, log)
		},
	}
	c.Flags().StringVar(&o.dir, "config", "", "configuration directory (required)")
	c.Flags().StringVar(&o.roles, "roles", "", "comma-separated roles; default all: "+strings.Join(pipeline.Roles(), ","))
	c.Flags().StringVar(&o.level, "log-level", "info", "least level logged: debug, info, warn, error")
	c.Flags().StringVar(&o.admin, "admin-listen", "", "address on this machine for profiles (pprof), such as 127.0.0.1:6060; default none")
	c.Flags().StringVar(&o.otlp, "otlp-endpoint", "", "address of an OTLP receiver for traces of Flyball itself, such as http://127.0.0.1:4318; default what OTEL_EXPORTER_OTLP_ENDPOINT says")
	_ = c.MarkFlagRequired("config") // the flag exists
	return c
}

func splitList(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}

// run opens what others connect to, and then runs.
func (o *options) run(ctx context.Context, cfg *config.Config, log *slog.Logger) (err error) {
	tracer, err := tracing.Start(ctx, tracing.Options{Endpoint: o.otlp, Version: o.version})
	if err != nil {
		return o.usage(err)
	}
	defer func() {
		if lost := tracer.Close(ctx); lost != nil {
			log.Warn("traces are lost", "error", lost)
		}
	}()
	group, ctx := errgroup.WithContext(ctx)
	if o.admin != "" {
		l, err := admin.Listen(o.admin)
		if err != nil {
			return o.usage(err)
		}
		log.Info("serving profiles", "addr", l.Addr().String())
		group.Go(func() error { return admin.Serve(ctx, l, log) })
	}
	group.Go(func() error { return o.roleGroup(ctx, cfg, tracer, log) })
	return group.Wait()
}

// roleGroup runs the roles, the API and the web UI.
func (o *options) roleGroup(ctx context.Context, cfg *config.Config, tracer *tracing.Tracer, log *slog.Logger) error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	listener, err := api.Listen(cfg.Pipeline.HTTP.Listen)
	if err != nil {
		return err
	}
	log.Info("serving HTTP", "addr", listener.Addr().String())
	health := new(pipeline.Health)
	started := time.Now()
	roles := splitList(o.roles)
	active := roles
	if len(active) == 0 {
		active = pipeline.Roles()
	}
	server := &api.Server{Metrics: registry, Status: func() api.Status {
		return api.Status{Version: o.version, Roles: active, StartedAt: started, Ready: health.Ready(), Members: health.Members()}
	}}
	analyses, err := canaries.FromConfig(cfg, log)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	if err := server.Connect(ctx, group, cfg, log); err != nil {
		return err
	}
	if analyses != nil {
		defer analyses.Close()
		server.Analyses, server.Canaries = analyses, cfg.Canaries
		group.Go(func() error { return analyses.Run(ctx) })
	}
	pages, err := ui.FromConfig(ui.Options{Config: cfg, Version: o.version, Roles: active, StartedAt: started, Ready: health.Ready, Metrics: registry, Log: log})
	if err != nil {
		return err
	}
	defer pages.Close()
	server.Pages = pages.Handler
	group.Go(func() error { return pages.Run(ctx) })
	group.Go(func() error { return server.Serve(ctx, listener) })
	group.Go(func() error {
		return pipeline.Run(ctx, pipeline.Options{
			Config: cfg, Roles: roles, Log: log, Metrics: pipeline.NewMetrics(registry), Health: health, Trace: tracer,
		})
	})
	return group.Wait()
}
