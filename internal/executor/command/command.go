// Package command is the command line of the executor.
package command

import (
	"fmt"
	"log/slog"
	"slices"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/connect"
	"github.com/flyball-io/flyball/internal/executor"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// New returns `flyball executor`. usage makes an error one of usage or configuration.
func New(usage func(error) error) *cobra.Command {
	var dir, name string
	c := &cobra.Command{
		Use:   "executor --config DIR",
		Short: "Obey commands: run programs, call webhooks, change workloads",
		Long: `Obey the commands of the topic flyball.commands, as a document of kind Executor says:
which keys are trusted, which targets may be acted on, and how each action is done.

A command is obeyed once, and every outcome is reported to the topic flyball.outcomes.
Several processes share the work. SIGTERM finishes what is being done.`,
		Example: `  flyball executor --config ./config
  flyball executor --config ./config --name shop`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := config.Load(dir)
			if err != nil {
				return usage(err)
			}
			spec, err := executorOf(cfg, name)
			if err != nil {
				return usage(err)
			}
			obeys, err := executor.Build(spec)
			if err != nil {
				return usage(err)
			}
			security, err := connect.Kafka(cfg.Pipeline.Kafka)
			if err != nil {
				return usage(err)
			}
			s := executor.Server{
				Name: spec.Name, Config: obeys, Topics: sinkkafka.Topics{Prefix: cfg.Pipeline.Kafka.TopicPrefix},
				Kafka: slices.Concat([]kgo.Opt{kgo.SeedBrokers(cfg.Pipeline.Kafka.Brokers...), kgo.ClientID("flyball-executor")}, security),
				Log:   slog.New(slog.NewJSONHandler(c.ErrOrStderr(), nil)),
			}
			s.Log.Info("obeying commands", "executor", s.Name, "topic", s.Topics.Commands(), "actions", len(obeys.Actions), "keys", len(obeys.Keys))
			return s.Serve(c.Context())
		},
	}
	c.Flags().StringVar(&dir, "config", "", "configuration directory (required)")
	c.Flags().StringVar(&name, "name", "", "which Executor of the configuration; may be left out where there is one")
	_ = c.MarkFlagRequired("config") // the flag exists
	return c
}

// executorOf returns the executor of that name, or the only one.
func executorOf(cfg *config.Config, name string) (*config.Executor, error) {
	var names []string
	for i := range cfg.Executors {
		e := &cfg.Executors[i]
		if e.Name == name || name == "" && len(cfg.Executors) == 1 {
			return e, nil
		}
		names = append(names, e.Name)
	}
	switch {
	case len(names) == 0:
		return nil, fmt.Errorf("the configuration has no document of kind Executor; see docs/executor.md")
	case name == "":
		return nil, fmt.Errorf("the configuration has several executors: choose one of %q with --name", names)
	}
	return nil, fmt.Errorf("there is no Executor named %q; there are %q", name, names)
}
