package automation

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/results"
	"github.com/flyball-io/flyball/processors/remediation/gate"
	"github.com/flyball-io/flyball/sinks/clickhouse"
	"github.com/flyball-io/flyball/sinks/clickhouse/history"
)

func named(name string) func(gate.Guardrail) bool {
	return func(g gate.Guardrail) bool { return g.Name == name }
}

func newExplain() *cobra.Command {
	var dir, output string
	var recorded bool
	c := &cobra.Command{
		Use:   "explain --config DIR ID",
		Short: "Say why something was done, or was not",
		Long: `Say why something was done, or was not: every decision about ID, with what every gate
said, the value of every part of the rule's condition, what became of it, and a few of the
samples that its finding is about.

ID is that of a decision, a finding, an operation or a command. It is read from the
decision log, topic flyball.decisions; with --clickhouse from the database, which keeps
it for longer.`,
		Example: `  flyball explain --config ./config d65881a659f2b83be57f1defc1e22ce7
  flyball explain --config ./config --clickhouse d65881a659f2b83be57f1defc1e22ce7
  flyball explain --config ./config d65881a659f2b83be57f1defc1e22ce7 -o json | jq -r '.gates[] | select(.pass | not) | .reason'`,
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			all, err := explained(c.Context(), dir, args[0], recorded)
			if err != nil {
				return err
			}
			if len(all) == 0 {
				err := fmt.Errorf("cannot explain %q: no decision, finding, operation or command in the log has this id", args[0])
				if !recorded {
					err = fmt.Errorf("%w; what the topic no longer keeps may be found with --clickhouse", err)
				}
				return err
			}
			if err := write(c.OutOrStdout(), output, all, explain); err != nil || output == "json" {
				return err
			}
			examples, err := examplesOf(c.Context(), dir, recorded, all)
			if err != nil { // the decision is explained without them
				fmt.Fprintf(c.ErrOrStderr(), "warning: there are no samples to be shown: %v\n", err)
			}
			return writeExamples(c.OutOrStdout(), examples)
		},
	}
	c.Flags().StringVar(&dir, "config", "", "configuration directory (required)")
	clickhouseFlag(c, &recorded)
	_ = c.MarkFlagRequired("config") // the flag exists
	outputFlag(c, &output)
	return c
}

func explained(ctx context.Context, dir, id string, recorded bool) ([]flyball.Decision, error) {
	if !recorded {
		return decisions(ctx, dir, func(d *flyball.Decision) bool { return results.About(d, id) })
	}
	return fromDatabase(ctx, dir, func(ctx context.Context, db *clickhouse.DB) ([]flyball.Decision, error) {
		return history.About(ctx, db, id)
	})
}

func newDecisions() *cobra.Command {
	var dir, output, verb, entity, since string
	var recorded bool
	c := &cobra.Command{
		Use:   "decisions --config DIR",
		Short: "List decisions, and what became of them",
		Example: `  flyball decisions --config ./config --verb await_approval
  flyball decisions --config ./config --entity checkout --since 24h -o json
  flyball decisions --config ./config --clickhouse --verb act --since 2160h`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			from := flyball.NoTime
			if since != "" {
				d, err := time.ParseDuration(since)
				if err != nil {
					return usage(fmt.Errorf("cannot read --since %q: want a duration such as 24h", since))
				}
				from = flyball.TimeOf(time.Now().Add(-d))
			}
			if recorded {
				all, err := recordedDecisions(c.Context(), dir, history.DecisionFilter{Verb: verb, Entity: entity, From: from, To: flyball.NoTime, BeforeAt: flyball.NoTime})
				if err != nil {
					return err
				}
				return write(c.OutOrStdout(), output, all, list)
			}
			all, err := decisions(c.Context(), dir, func(d *flyball.Decision) bool {
				return (verb == "" || string(d.Verb) == verb) && (entity == "" || d.Entity == entity) && d.At >= from
			})
			if err != nil {
				return err
			}
			return write(c.OutOrStdout(), output, all, list)
		},
	}
	c.Flags().StringVar(&dir, "config", "", "configuration directory (required)")
	c.Flags().StringVar(&verb, "verb", "", "only these, such as act, suppress or await_approval")
	c.Flags().StringVar(&entity, "entity", "", "only those about this entity")
	c.Flags().StringVar(&since, "since", "", "only those of the last so long, in event time")
	clickhouseFlag(c, &recorded)
	_ = c.MarkFlagRequired("config") // the flag exists
	outputFlag(c, &output)
	return c
}

// decisions reads those that are wanted, in the order of their times.
func decisions(ctx context.Context, dir string, want func(*flyball.Decision) bool) ([]flyball.Decision, error) {
	cfg, err := config.Load(dir)
	if err != nil {
		return nil, usage(err)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	var all []flyball.Decision
	err = readDecisions(ctx, cfg, func(d flyball.Decision) {
		if want(&d) {
			all = append(all, d)
		}
	})
	slices.SortStableFunc(all, func(a, b flyball.Decision) int { return int(min(1, max(-1, a.At-b.At))) })
	return all, err
}

// write writes decisions as JSON, one per line, or as text does.
func write(w io.Writer, output string, all []flyball.Decision, text func(io.Writer, []flyball.Decision) error) error {
	if output != "json" {
		return text(w, all)
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	for i := range all {
		if err := out.Encode(&all[i]); err != nil {
			return err
		}
	}
	return nil
}

func list(w io.Writer, all []flyball.Decision) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, d := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.At, d.Verb, d.Rule, d.Action.Name, d.Target, d.Operation, Because(&d))
	}
	return table.Flush()
}

// Because says in a line why a decision came to what it did.
func Because(d *flyball.Decision) string {
	if d.Reason != "" {
		return d.Reason
	}
	var refused []string
	for _, g := range d.Gates {
		if !g.Pass {
			refused = append(refused, g.Gate+": "+g.Reason)
		}
	}
	return strings.Join(refused, "; ")
}

// explain writes decisions with everything that they rest on.
func explain(w io.Writer, all []flyball.Decision) error {
	var err error
	line := func(format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintf(w, format+"\n", args...)
		}
	}
	for i := range all {
		d := &all[i]
		if i > 0 {
			line("")
		}
		line("%s  %s  %s on %s  (%s)", d.At, strings.ToUpper(string(d.Verb)), orDash(d.Action.Name), orDash(d.Target), orDash(d.Trigger))
		for _, f := range [][2]string{
			{"rule", d.Rule}, {"finding", d.Finding}, {"operation", d.Operation}, {"command", d.Command},
			{"mode", string(d.Mode)}, {"who", d.Who}, {"why", d.Reason}, {"told", strings.Join(d.Notify, ", ")},
			{"caused by", strings.Join(d.Causes, " ")}, {"config", d.ConfigRevision},
		} {
			if f[1] != "" {
				line("  %-10s %s", f[0], f[1])
			}
		}
		for _, g := range d.Gates {
			mark := "yes"
			if !g.Pass {
				mark = "NO "
			}
			line("  %s %-14s %s", mark, g.Gate, g.Reason)
		}
		for _, e := range d.Explain {
			line("      %s = %s", e.Expr, e.Value)
		}
	}
	return err
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
