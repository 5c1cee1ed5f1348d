package dev

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/executor"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// obey runs the executor of the configuration, the same that runs in production: it
// checks signatures, expiry and targets, and reports every outcome. Only what its actions
// do is simulated: each calls a webhook of this process, which changes the world.
func obey(ctx context.Context, cfg *config.Config, o Options, w world, ready func() bool) error {
	if len(cfg.Executors) == 0 {
		return nil
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("cannot listen for the actions of the executor: %w", err)
	}
	hooks := &http.Server{Handler: actions(w), ReadHeaderTimeout: 5 * time.Second}
	obeys, err := executor.Build(simulated(cfg.Executors[0], o.DataDir, "http://"+listener.Addr().String()))
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server := executor.Server{
		Name: cfg.Executors[0].Name, Config: obeys, Topics: sinkkafka.Topics{Prefix: cfg.Pipeline.Kafka.TopicPrefix},
		Kafka: []kgo.Opt{kgo.SeedBrokers(cfg.Pipeline.Kafka.Brokers...), kgo.ClientID("flyball-executor")}, Log: o.Log, Now: w.now,
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := hooks.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("cannot serve the actions of the executor: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		defer hooks.Close()
		for !ready() { // the pipeline makes the topics
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(100 * time.Millisecond):
			}
		}
		return server.Serve(ctx)
	})
	return group.Wait()
}

// simulated returns an executor that obeys what e does, each action by a webhook.
func simulated(e config.Executor, dir, url string) *config.Executor {
	e.Keys = map[string]string{keyID: filepath.Join(dir, publicKey)}
	list := make([]spec.ExecutorAction, len(e.Actions))
	for i, a := range e.Actions {
		list[i] = spec.ExecutorAction{Name: a.Name, Timeout: a.Timeout, Idempotent: a.Idempotent, Webhook: &spec.ExecutorWebhook{URL: url + "/" + a.Name}}
	}
	e.Actions = list
	return &e
}

// actions takes the calls of the executor.
func actions(w world) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		var cmd flyball.Command
		if err := json.NewDecoder(http.MaxBytesReader(out, r.Body, 1<<20)).Decode(&cmd); err != nil {
			http.Error(out, err.Error(), http.StatusBadRequest)
			return
		}
		said, err := w.remedy(&cmd)
		if err != nil {
			http.Error(out, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		io.WriteString(out, said)
	})
}
