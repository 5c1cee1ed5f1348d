package automation

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/incident"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

func newIncident() *cobra.Command {
	var dir, output string
	c := &cobra.Command{
		Use:   "incident --config DIR ID",
		Short: "Write the report of an incident",
		Long: `Write the report of an incident: what happened and when, the evidence, what was done,
whether it worked, how long it took, and what is to be mended for good.

ID is that of a finding, an operation, a decision or a command. Findings that were
grouped under its operations are part of it. It is read from the topics, which keep
findings, decisions and outcomes for 30 days and commands for 7.`,
		Example: `  flyball incident --config ./config d65881a659f2b83be57f1defc1e22ce7 > incident.md
  flyball incident --config ./config d65881a659f2b83be57f1defc1e22ce7 -o json | jq .times`,
		Args: exactly(1),
		PreRunE: func(*cobra.Command, []string) error {
			if output != "markdown" && output != "json" {
				return usage(fmt.Errorf("unknown output format %q; want markdown or json", output))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := config.Load(dir)
			if err != nil {
				return usage(err)
			}
			ctx, cancel := context.WithTimeout(c.Context(), 5*time.Minute)
			defer cancel()
			events, err := readEvents(ctx, cfg)
			if err != nil {
				return err
			}
			report, err := incident.Build(args[0], events)
			if err != nil {
				return err
			}
			if output == "markdown" {
				return report.Markdown(c.OutOrStdout())
			}
			out := json.NewEncoder(c.OutOrStdout())
			out.SetEscapeHTML(false)
			out.SetIndent("", "  ")
			return out.Encode(report)
		},
	}
	c.Flags().StringVar(&dir, "config", "", "configuration directory (required)")
	c.Flags().StringVarP(&output, "output", "o", "markdown", "output format: markdown or json")
	_ = c.MarkFlagRequired("config") // the flag exists
	return c
}

// readEvents reads all that reports are made of. What cannot be read is no event.
func readEvents(ctx context.Context, cfg *config.Config) (incident.Events, error) {
	topics := sinkkafka.Topics{Prefix: cfg.Pipeline.Kafka.TopicPrefix}
	e := incident.Events{Seen: map[string]flyball.Time{}}
	err := readTopics(ctx, cfg, []string{topics.Findings(), topics.Decisions(), topics.Commands(), topics.Outcomes()}, func(r *kgo.Record) {
		switch r.Topic {
		case topics.Findings():
			if sinkkafka.IsWatermark(r) {
				return
			}
			if f, err := sinkkafka.DecodeFinding(r); err == nil {
				e.Findings = append(e.Findings, f)
				if _, seen := e.Seen[f.ID]; !seen && f.State == flyball.FindingOpened {
					e.Seen[f.ID] = flyball.TimeOf(r.Timestamp)
				}
			}
		case topics.Decisions():
			if d, err := sinkkafka.DecodeDecision(r); err == nil {
				e.Decisions = append(e.Decisions, d)
			}
		case topics.Commands():
			if c, err := sinkkafka.DecodeCommand(r); err == nil {
				e.Commands = append(e.Commands, c)
			}
		default:
			if o, err := sinkkafka.DecodeOutcome(r); err == nil {
				e.Outcomes = append(e.Outcomes, o)
			}
		}
	})
	return e, err
}
