package feedback

import (
	"fmt"
	"os/user"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/connect"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// Command returns the command findings. Usage makes a usage error of an error.
func Command(usage func(error) error) *cobra.Command {
	c := &cobra.Command{
		Use:     "findings",
		Short:   "Say what findings were worth",
		Example: `  flyball findings label 5f1c0e9a7b21d3c4e6f80912 noise --config ./config`,
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(labelCommand(usage))
	return c
}

func labelCommand(usage func(error) error) *cobra.Command {
	var dir, by string
	c := &cobra.Command{
		Use:   "label ID real|noise --config DIR",
		Short: "Say whether an anomaly was worth knowing",
		Long: `Say whether the finding of an anomaly was worth knowing. Noise raises the threshold of
the series that was most unusual beyond what it reached, real lowers it a little; both
are kept in ClickHouse (v_finding_labels). A finding is known while it is open and
until eight more of its entity are over.`,
		Example: `  flyball findings label 5f1c0e9a7b21d3c4e6f80912 noise --config ./config`,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usage(fmt.Errorf("want a finding's id and real or noise; see %s --help", c.CommandPath()))
			}
			verdict := flyball.LabelVerdict(args[1])
			if verdict != flyball.LabelReal && verdict != flyball.LabelNoise {
				return usage(fmt.Errorf("cannot label a finding %q: want real or noise", args[1]))
			}
			cfg, err := config.Load(dir)
			if err != nil {
				return usage(err)
			}
			opts, err := connect.Kafka(cfg.Pipeline.Kafka)
			if err != nil {
				return err
			}
			opts = append(opts, kgo.SeedBrokers(cfg.Pipeline.Kafka.Brokers...), kgo.ClientID(cfg.Pipeline.Kafka.ClientID))
			if u, err := user.Current(); by == "" && err == nil {
				by = u.Username
			}
			f, err := Send(c.Context(), sinkkafka.Topics{Prefix: cfg.Pipeline.Kafka.TopicPrefix},
				flyball.FindingLabel{Finding: args[0], Verdict: verdict, By: by, At: flyball.TimeOf(time.Now())}, opts...)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: %s\n", verdict, f.Summary)
			return nil
		},
	}
	c.Flags().StringVar(&dir, "config", "", "configuration directory (required)")
	c.Flags().StringVar(&by, "by", "", "who says so (default the user)")
	_ = c.MarkFlagRequired("config") // the flag exists
	return c
}
