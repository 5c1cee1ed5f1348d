package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest/decode"
	"github.com/flyball-io/flyball/internal/config"
)

func newSchema() *cobra.Command {
	c := &cobra.Command{
		Use:     "schema",
		Short:   "Check the schemas of a Schema Registry",
		Example: `  flyball schema check --config ./config`,
		Args:    exactArgs(0),
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newSchemaCheck())
	return c
}

func newSchemaCheck() *cobra.Command {
	var dir, subject string
	var all bool
	c := &cobra.Command{
		Use:   "check --config DIR",
		Short: "Check that schemas have what the mappings of sources want",
		Long: `For every source of the format confluent, get the schemas of its topics (the subject
TOPIC-value) from its registry and check that they have the fields that the mapping
of the source names. Run it before a producer's new schema is deployed, and in CI.

Exit code 0: all have them. 3: a field is missing, or a schema cannot be used. 1: the
registry gives no answer.`,
		Example: `  flyball schema check --config ./config
  flyball schema check --config ./config --subject com.example.Order --all`,
		Args: exactArgs(0),
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := config.Load(dir)
			if err != nil {
				return usageError(err)
			}
			bad := 0
			for _, src := range cfg.Sources {
				if src.Registry.URL == "" {
					continue
				}
				n, err := checkSource(c, src, subject, all)
				if err != nil {
					return err
				}
				bad += n
			}
			if bad > 0 {
				return &codedError{exitLint, nil}
			}
			return nil
		},
	}
	c.Flags().StringVar(&dir, "config", "", "configuration directory (required)")
	c.Flags().StringVar(&subject, "subject", "", "subject to check; default TOPIC-value of every topic")
	c.Flags().BoolVar(&all, "all", false, "check all versions, not the latest alone")
	_ = c.MarkFlagRequired("config") // the flag exists
	return c
}

// checkSource prints what is wrong with the schemas of a source, and returns how many
// are.
func checkSource(c *cobra.Command, src flyball.Source, subject string, all bool) (bad int, err error) {
	client, err := decode.RegistryClient(src.Registry)
	if err != nil {
		return 0, err
	}
	subjects := []string{subject}
	if subject == "" {
		subjects = subjects[:0]
		for _, topic := range src.Topics {
			subjects = append(subjects, topic+"-value")
		}
	}
	for _, s := range subjects {
		versions, err := versionsOf(c.Context(), client, s, all)
		if err != nil {
			return bad, fmt.Errorf("cannot get schemas of subject %q: %w", s, err)
		}
		for _, v := range versions {
			bad += printSchema(c, client, src, v)
		}
	}
	return bad, nil
}

func versionsOf(ctx context.Context, client *sr.Client, subject string, all bool) ([]sr.SubjectSchema, error) {
	if all {
		return client.Schemas(ctx, subject)
	}
	latest, err := client.SchemaByVersion(ctx, subject, -1)
	return []sr.SubjectSchema{latest}, err
}

// printSchema prints one line, and one for each problem; it returns 1 when there is one.
func printSchema(c *cobra.Command, client *sr.Client, src flyball.Source, s sr.SubjectSchema) int {
	where := fmt.Sprintf("source %s: %s version %d (id %d, %v)", src.Name, s.Subject, s.Version, s.ID, s.Type)
	missing, err := decode.CheckSchema(c.Context(), client, src, s.Schema)
	var answer *sr.ResponseError
	switch {
	case err != nil && !errors.As(err, &answer):
		fmt.Fprintf(c.OutOrStdout(), "%s: %v\n", where, err)
		return 1
	case err != nil:
		fmt.Fprintf(c.OutOrStdout(), "%s: what it refers to cannot be had: %v\n", where, err)
		return 1
	case len(missing) == 0:
		fmt.Fprintf(c.OutOrStdout(), "%s: ok\n", where)
		return 0
	}
	for _, m := range missing {
		fmt.Fprintf(c.OutOrStdout(), "%s: %s\n", where, m)
	}
	return 1
}
