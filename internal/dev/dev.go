// Package dev runs all of Flyball in one process, for a first look and for
// development: an embedded Kafka and ClickHouse, a simulated shop with incidents,
// the pipeline, and the story of what happens.
package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/api"
	"github.com/flyball-io/flyball/internal/canaries"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/embedded/chdb"
	"github.com/flyball-io/flyball/internal/embedded/kafka"
	"github.com/flyball-io/flyball/internal/pipeline"
	"github.com/flyball-io/flyball/internal/ui"
	"github.com/flyball-io/flyball/sinks/clickhouse"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// Options says how to run.
type Options struct {
	// Duration after which to stop; 0 runs until the context ends.
	Duration time.Duration
	// NoLoad leaves the simulated telemetry out.
	NoLoad bool
	// Example is the name of an example to run in place of the shop; "list" prints
	// what there is.
	Example string
	// DataDir keeps Kafka, ClickHouse and the key that signs commands across
	// restarts; empty uses a temporary directory.
	DataDir string
	// JSON tells the story as NDJSON.
	JSON bool
	// KafkaAddr, ClickHouseAddr and HTTPAddr are where to listen.
	KafkaAddr, ClickHouseAddr, HTTPAddr string
	// Version of the binary.
	Version string
	// Out takes the story, Talk everything else.
	Out, Talk io.Writer
	// Log takes what happens inside.
	Log *slog.Logger
}

// Run runs until the context ends or the duration is over.
func Run(ctx context.Context, o Options) error {
	if o.Example == "list" {
		return listExamples(o.Out)
	}
	if o.DataDir != "" {
		if _, err := os.Stat(configDir(o)); err == nil && o.Example != "" && !o.NoLoad {
			return fmt.Errorf("cannot play example %q into %q: there is something in it, and what is played begins in the past; take another directory, or look at it with --no-load", o.Example, o.DataDir)
		}
		if err := os.MkdirAll(o.DataDir, 0o755); err != nil {
			return fmt.Errorf("cannot use data directory %q: %w", o.DataDir, err)
		}
		return runIn(ctx, o)
	}
	var err error
	if o.DataDir, err = os.MkdirTemp("", "flyball-dev-"); err != nil {
		return fmt.Errorf("cannot make a temporary directory: %w", err)
	}
	return errors.Join(runIn(ctx, o), os.RemoveAll(o.DataDir))
}

// runIn runs with everything kept in o.DataDir.
func runIn(ctx context.Context, o Options) (err error) {
	cfg, err := loadConfig(o.Example)
	if err != nil {
		return err
	}
	if cfg.Pipeline.Signing, err = signingKey(o.DataDir); err != nil {
		return err
	}
	broker, db, err := startServers(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close(), broker.Close()) }()
	if o.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Duration)
		defer cancel()
	}
	cfg.Pipeline.Kafka.Brokers = broker.Addrs()
	cfg.Pipeline.ClickHouse.DSN = config.Secret(db.DSN(clickhouse.DefaultDatabase))
	if err := writeConfig(configDir(o), cfg); err != nil {
		return err
	}
	listener, err := api.Listen(o.HTTPAddr)
	if err != nil {
		return err
	}
	st := &story{out: o.Out, json: o.JSON, topics: sinkkafka.Topics{Prefix: cfg.Pipeline.Kafka.TopicPrefix}}
	st.tell(readyLine(broker.Addrs()[0], db.URL(), "http://"+listener.Addr().String(), configDir(o)))
	w, err := newWorld(cfg, o, st)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	health := new(pipeline.Health)
	registry := prometheus.NewRegistry()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return pipeline.Run(ctx, pipeline.Options{
			Config: cfg, Log: o.Log, Metrics: pipeline.NewMetrics(registry), Health: health,
		})
	})
	group.Go(func() error { return serve(ctx, cfg, o, listener, registry, health) })
	group.Go(func() error { return st.follow(ctx, cfg.Pipeline.Kafka.Brokers) })
	if !o.NoLoad {
		group.Go(func() error { return w.run(ctx, cfg.Pipeline.Kafka.Brokers) })
	}
	group.Go(func() error { return obey(ctx, cfg, o, w, health.Ready) })
	err = group.Wait()
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// serve runs the API and the web UI.
func serve(ctx context.Context, cfg *config.Config, o Options, listener net.Listener, registry *prometheus.Registry, health *pipeline.Health) (err error) {
	group, ctx := errgroup.WithContext(ctx)
	started := time.Now()
	server := &api.Server{Metrics: registry, Status: func() api.Status {
		return api.Status{Version: o.Version, Roles: pipeline.Roles(), StartedAt: started, Ready: health.Ready(), Members: health.Members()}
	}}
	analyses, err := canaries.FromConfig(cfg, o.Log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := server.Connect(ctx, group, cfg, o.Log); err != nil {
		return errors.Join(err, listener.Close())
	}
	if analyses != nil {
		defer analyses.Close()
		server.Analyses, server.Canaries = analyses, cfg.Canaries
		group.Go(func() error { return analyses.Run(ctx) })
	}
	pages, err := ui.FromConfig(ui.Options{Config: cfg, Version: o.Version, Roles: pipeline.Roles(), StartedAt: started, Ready: health.Ready, Metrics: registry, Log: o.Log})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, pages.Close()) }()
	server.Pages = pages.Handler
	group.Go(func() error { return pages.Run(ctx) })
	group.Go(func() error { return server.Serve(ctx, listener) })
	return group.Wait()
}

// startServers starts Kafka and ClickHouse.
func startServers(ctx context.Context, o Options) (*kafka.Server, *chdb.Server, error) {
	kc, err := kafkaConfig(o)
	if err != nil {
		return nil, nil, err
	}
	cc := chdb.Default()
	cc.Addr, cc.Progress = o.ClickHouseAddr, o.Talk
	cc.Dir = filepath.Join(o.DataDir, "clickhouse")
	broker, err := kafka.Start(ctx, kc)
	if err != nil {
		return nil, nil, err
	}
	db, err := chdb.Start(ctx, cc)
	if err != nil {
		return nil, nil, errors.Join(err, broker.Close())
	}
	return broker, db, nil
}

func kafkaConfig(o Options) (kafka.Config, error) {
	c := kafka.Default()
	host, port, err := net.SplitHostPort(o.KafkaAddr)
	if err != nil || host != "127.0.0.1" && host != "localhost" {
		return c, fmt.Errorf("cannot run Kafka on %q: want 127.0.0.1:PORT", o.KafkaAddr)
	}
	if c.Port, err = strconv.Atoi(port); err != nil {
		return c, fmt.Errorf("cannot run Kafka on %q: %q is no port", o.KafkaAddr, port)
	}
	c.AutoCreateTopics, c.Logger = true, o.Log
	c.DataDir = filepath.Join(o.DataDir, "kafka")
	return c, nil
}

func readyLine(kafka, clickhouse, http, config string) line {
	return line{
		Type: "ready", At: flyball.TimeOf(time.Now()),
		Text: fmt.Sprintf(`everything is up; connect with
    Kafka       kcat -b %[1]s -t flyball.commands -C -f '%%T %%k %%h\n%%s\n'
    ClickHouse  curl '%[2]s' -d 'SELECT * FROM flyball.v_windows ORDER BY window_end DESC LIMIT 10 FORMAT Pretty'
    Web UI      %[3]s/ui/
    API         curl %[3]s/api/v1/status
    Commands    flyball decisions --config %[4]s`, kafka, clickhouse, http, config),
		Data: map[string]any{"kafka": kafka, "clickhouse": clickhouse, "api": http, "ui": http + "/ui/", "config": config},
	}
}
