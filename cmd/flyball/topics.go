package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/connect"
)

func newTopics() *cobra.Command {
	c := &cobra.Command{
		Use:   "topics",
		Short: "Create and check Flyball's topics",
		Example: `  flyball topics check --config ./config
  flyball topics create --config ./config --replication 3 --min-isr 2`,
		Args: exactArgs(0),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newTopicsCreate(), newTopicsCheck())
	return c
}

func newTopicsCreate() *cobra.Command {
	var dir string
	var replication int16
	var minISR int
	c := &cobra.Command{
		Use:   "create --config DIR",
		Short: "Create the topics that are missing",
		Long: `Create the topics of a configuration that are missing, with the right partitions,
compaction and retention. flyball run does the same with the brokers' replication;
do it here where that is not what you want, or where flyball may not create topics.

A topic that is there is never changed. One that would lose data is an error, and
then nothing is created.`,
		Example: `  flyball topics create --config ./config --replication 3 --min-isr 2`,
		Args:    exactArgs(0),
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := config.Load(dir)
			if err != nil {
				return usageError(err)
			}
			return connect.CreateTopics(c.Context(), cfg, replication, minISR)
		},
	}
	c.Flags().StringVar(&dir, "config", "", "configuration directory (required)")
	c.Flags().Int16Var(&replication, "replication", 0, "replication factor; default the brokers'")
	c.Flags().IntVar(&minISR, "min-isr", 0, "min.insync.replicas; default the brokers'")
	_ = c.MarkFlagRequired("config") // the flag exists
	return c
}

func newTopicsCheck() *cobra.Command {
	var dir, format string
	c := &cobra.Command{
		Use:   "check --config DIR",
		Short: "Check the topics that there are",
		Long: `Compare the topics of a configuration with what they must be, and change nothing.

Exit code 0: all can be used. 1: one is missing, or would lose data. Warnings, such
as of too few replicas, change nothing.`,
		Example: `  flyball topics check --config ./config
  flyball topics check --config ./config -o json | jq -r 'select(.problem) | .name'`,
		Args: exactArgs(0),
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := config.Load(dir)
			if err != nil {
				return usageError(err)
			}
			list, err := connect.InspectTopics(c.Context(), cfg)
			if err != nil {
				return err
			}
			out := json.NewEncoder(c.OutOrStdout())
			table := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			bad := 0
			for _, t := range list {
				state := "ok"
				switch {
				case !t.Exists && t.Problem == "":
					state = "missing: flyball topics create makes it"
				case !t.OK():
					state = t.Problem
				}
				if !t.OK() {
					bad++
				}
				if format == "json" {
					if err := out.Encode(t); err != nil {
						return err
					}
					continue
				}
				fmt.Fprintf(table, "%s\t%d partitions\t%d replicas\t%s\n", t.Name, t.Partitions, t.Replicas, state)
				for _, w := range t.Warnings {
					fmt.Fprintf(table, "\t\t\twarning: %s\n", w)
				}
			}
			if err := table.Flush(); err != nil {
				return err
			}
			if bad > 0 {
				return &codedError{exitError, fmt.Errorf("%d of %d topics cannot be used", bad, len(list))}
			}
			return nil
		},
	}
	c.Flags().StringVar(&dir, "config", "", "configuration directory (required)")
	_ = c.MarkFlagRequired("config") // the flag exists
	outputFlag(c, &format)
	return c
}
