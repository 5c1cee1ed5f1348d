// Package dev runs all of Flyball in one process, for a first look and for
// development: an embedded Kafka and ClickHouse, a simulated shop with incidents,
// the pipeline, and the story of what happens.
package dev

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	"github.com/flyball-io/flyball/internal/config/strictyaml"
	"github.com/flyball-io/flyball/internal/embedded/chdb"
	"github.com/flyball-io/flyball/internal/embedded/kafka"
	"github.com/flyball-io/flyball/internal/loadgen"
	"github.com/flyball-io/flyball/internal/loadgen/shop"
	"github.com/flyball-io/flyball/internal/pipeline"
	"github.com/flyball-io/flyball/internal/ui"
	"github.com/flyball-io/flyball/sinks/clickhouse"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

//go:embed shop/*.yaml
var shopConfig embed.FS

// Options says how to run.
type Options struct {
	// Duration after which to stop; 0 runs until the context ends.
	Duration time.Duration
	// NoLoad leaves the simulated shop out.
	NoLoad bool
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

// load is the shop's traffic.
const (
	spansPerSecond = 2000
	partitions     = 4
)

// incidents come around for as long as it runs, so that there is always
// something to see; the first is there within the first minute.
const (
	firstIncident = 20 * time.Second
	incidentEvery = 3 * time.Minute
)

// Run runs until the context ends or the duration is over.
func Run(ctx context.Context, o Options) error {
	if o.DataDir != "" {
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
	cfg, err := loadConfig()
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
	listener, err := api.Listen(o.HTTPAddr)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	registry := prometheus.NewRegistry()
	health := new(pipeline.Health)
	started := time.Now()
	server := &api.Server{Metrics: registry, Status: func() api.Status {
		return api.Status{Version: o.Version, Roles: pipeline.Roles(), StartedAt: started, Ready: health.Ready(), Members: health.Members()}
	}}
	analyses, err := canaries.FromConfig(cfg, o.Log)
	if err != nil {
		return err
	}
	if err := server.Connect(ctx, group, cfg, o.Log); err != nil {
		return err
	}
	if analyses != nil {
		defer analyses.Close()
		server.Analyses, server.Canaries = analyses, cfg.Canaries
		group.Go(func() error { return analyses.Run(ctx) })
	}
	pages, err := ui.FromConfig(ui.Options{Config: cfg, Version: o.Version, Roles: pipeline.Roles(), StartedAt: started, Ready: health.Ready, Metrics: registry, Log: o.Log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pages.Close()) }()
	server.Pages = pages.Handler
	group.Go(func() error { return pages.Run(ctx) })
	st := &story{out: o.Out, json: o.JSON}
	st.tell(readyLine(broker.Addrs()[0], db.URL(), "http://"+listener.Addr().String()))
	group.Go(func() error { return server.Serve(ctx, listener) })
	group.Go(func() error {
		return pipeline.Run(ctx, pipeline.Options{
			Config: cfg, Log: o.Log, Metrics: pipeline.NewMetrics(registry), Health: health,
		})
	})
	group.Go(func() error { return st.follow(ctx, broker.Addrs(), sinkkafka.Topics{Prefix: cfg.Pipeline.Kafka.TopicPrefix}) })
	if !o.NoLoad {
		group.Go(func() error { return runShop(ctx, broker.Addrs()) })
	}
	err = group.Wait()
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// loadConfig reads the shop's configuration.
func loadConfig() (*config.Config, error) {
	var files []config.File
	err := fs.WalkDir(shopConfig, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := shopConfig.ReadFile(path)
		files = append(files, config.File{Name: path, Text: text})
		return err
	})
	if err != nil {
		return nil, err
	}
	cfg, problems := config.Options{}.Read(files)
	for _, p := range problems {
		if p.Severity == strictyaml.Error {
			return nil, &config.Error{Problems: problems}
		}
	}
	return cfg, nil
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

func readyLine(kafka, clickhouse, http string) line {
	return line{
		Type: "ready", At: flyball.TimeOf(time.Now()),
		Text: fmt.Sprintf(`everything is up; connect with
    Kafka       kcat -b %[1]s -t flyball.commands -C -f '%%T %%k %%h\n%%s\n'
    ClickHouse  curl '%[2]s' -d 'SELECT * FROM flyball.v_windows ORDER BY window_end DESC LIMIT 10 FORMAT Pretty'
    Web UI      %[3]s/ui/
    API         curl %[3]s/api/v1/status`, kafka, clickhouse, http),
		Data: map[string]any{"kafka": kafka, "clickhouse": clickhouse, "api": http, "ui": http + "/ui/"},
	}
}

// runShop sends the shop's spans until the context ends.
func runShop(ctx context.Context, brokers []string) error {
	c := loadgen.Default()
	c.Shop.Rate = spansPerSecond
	c.Shop.Incidents = schedule()
	c.Partitions = partitions
	c.Kafka.Brokers = brokers
	_, err := loadgen.Run(ctx, c, nil)
	return err
}

// schedule lists a day of incidents.
func schedule() []shop.Incident {
	kinds := []shop.Incident{
		{Kind: shop.ErrorBurst, Service: "checkout", Severity: 0.5, Duration: 20 * time.Second},
		{Kind: shop.SlowDependency, Service: "payment", Severity: 20, Duration: 30 * time.Second},
		{Kind: shop.ErrorBurst, Service: "search", Severity: 0.3, Duration: 30 * time.Second},
	}
	var list []shop.Incident
	for at := firstIncident; at < 24*time.Hour; at += incidentEvery {
		in := kinds[len(list)%len(kinds)]
		in.Start = at
		list = append(list, in)
	}
	return list
}
