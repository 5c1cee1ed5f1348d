package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
	"github.com/flyball-io/flyball/internal/pipeline"
)

// AggregateResult is what aggregate prints.
type AggregateResult struct {
	Usage Usage `json:"usage"`
}

// measureAggregate runs the role until in ends, which its parent does when
// everything is committed, and prints an AggregateResult.
func measureAggregate(ctx context.Context, t Task, in io.Reader, out io.Writer) error {
	cfg, err := readConfig(t.Workload)
	if err != nil {
		return err
	}
	cfg.Pipeline.Kafka.Brokers = t.Brokers
	cfg.Pipeline.Kafka.TopicPrefix, cfg.Pipeline.Kafka.Group = t.Prefix, t.Prefix
	cfg.Pipeline.Workers = t.Workers
	cfg.Sources[0].Topics = []string{t.Topic}
	m, err := newMeter(t)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- pipeline.Run(ctx, pipeline.Options{
			Config: cfg, Roles: []string{"aggregate"},
			Log:     slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
			Metrics: pipeline.NewMetrics(prometheus.NewRegistry()),
			Kafka:   []kgo.Opt{kgo.WithHooks(m.traffic)},
		})
	}()
	_, err = io.Copy(io.Discard, in)
	usage, e := m.read()
	cancel()
	if err = errors.Join(err, e, <-ended); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(AggregateResult{Usage: usage})
}

func readConfig(workload string) (*config.Config, error) {
	cfg, problems := config.Options{}.Read([]config.File{{Name: workload + ".yaml", Text: workloads[workload].config}})
	if strictyaml.HasErrors(problems) {
		return nil, &config.Error{Problems: problems}
	}
	return cfg, nil
}
