// Package command is the command line of package replay.
package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/replay"
)

// exitDiffer is the exit code when decisions differ.
const exitDiffer = 4

// ofConfig is where brokers or the database of the configuration are meant.
const ofConfig = "config"

// options are what the flags say.
type options struct {
	config, against         string
	file, kafka, clickhouse string
	from, to, outcomes      string
	output                  string
	actionTime              time.Duration
	exitCode                bool

	usage  func(error) error
	differ error // what ends with exitDiffer
	bounds [2]flyball.Time
	now    flyball.Time
}

// New returns `flyball replay`. usage makes an error one of usage or configuration, and
// exit one that ends with a code and says nothing.
func New(usage func(error) error, exit func(code int) error) *cobra.Command {
	o := &options{usage: usage, differ: exit(exitDiffer)}
	c := &cobra.Command{
		Use:   "replay --config DIR (--file PATH | --kafka | --clickhouse)",
		Short: "Say what a configuration would have decided over history",
		Long: `Run the whole engine over history, without acting: telemetry goes through the decoders,
windows, budgets, detectors and rules of a configuration, with the times of the records
as the clock. Nothing is written: no topic, no offset, no command.

The history is one of
  --file        files as flyball loadgen --dir writes them: TOPIC-PARTITION.otlp or .ndjson
  --kafka       the sources' topics, from --from to --to by the times of the records
  --clickhouse  recorded findings: only the rules are run, on what was found then
--kafka=HOST:PORT,… and --clickhouse=DSN name others than the configuration does.

With --against OLD, both configurations are run over the same history, and only what
they decide differently is printed, with a sentence for the reviewer; with --exit-code,
the exit code is then 4, and 0 when nothing differs.

Actions have no effect on history: --outcomes says what executors are taken to report.`,
		Example: `  flyball replay --config ./config --kafka --from 7d
  flyball replay --config ./new --against ./old --kafka --from 7d --exit-code
  flyball replay --config ./config --clickhouse --from 2026-11-01T00:00:00Z --to 2026-11-08T00:00:00Z
  flyball loadgen --dir ./spans --unpaced --duration 1h --start 2026-01-01T00:00:00Z --incident error_burst:checkout@20m+10m:0.4
  flyball replay --config ./config --file ./spans -o json | jq -r 'select(.verb == "act") | .target'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c, args) },
	}
	f := c.Flags()
	f.StringVar(&o.config, "config", "", "configuration directory (required)")
	f.StringVar(&o.against, "against", "", "another configuration directory: print what differs from what it decides")
	f.StringVar(&o.file, "file", "", "file or directory of recorded telemetry")
	f.StringVar(&o.kafka, "kafka", "", "read the sources' topics, by default from the brokers of the configuration")
	f.StringVar(&o.clickhouse, "clickhouse", "", "read recorded findings, by default from the database of the configuration")
	f.Lookup("kafka").NoOptDefVal, f.Lookup("clickhouse").NoOptDefVal = ofConfig, ofConfig
	f.StringVar(&o.from, "from", "", "start: RFC 3339, or so long before now, such as 7d")
	f.StringVar(&o.to, "to", "", "end (default now, and for files their end)")
	f.StringVar(&o.outcomes, "outcomes", string(replay.AssumeSuccess), "what executors report: assume-success, assume-none or recorded")
	f.DurationVar(&o.actionTime, "action-time", replay.DefaultActionTime, "how long an action takes that is assumed to succeed")
	f.BoolVar(&o.exitCode, "exit-code", false, "with --against: exit with 4 when decisions differ")
	f.StringVarP(&o.output, "output", "o", "text", "output format: text or json")
	_ = c.MarkFlagRequired("config") // the flag exists
	return c
}

// check says what is wrong with the flags.
func (o *options) check(args []string) error {
	if len(args) == 1 { // --kafka HOST:PORT is as good as --kafka=HOST:PORT
		switch {
		case o.kafka == ofConfig:
			o.kafka = args[0]
		case o.clickhouse == ofConfig:
			o.clickhouse = args[0]
		default:
			return fmt.Errorf("unknown argument %q", args[0])
		}
	}
	given := 0
	for _, s := range []string{o.file, o.kafka, o.clickhouse} {
		if s != "" {
			given++
		}
	}
	switch {
	case given != 1:
		return errors.New("want one of --file, --kafka and --clickhouse")
	case o.output != "text" && o.output != "json":
		return fmt.Errorf("unknown output format %q; want text or json", o.output)
	case !slices.Contains(replay.AllOutcomes(), replay.Outcomes(o.outcomes)):
		return fmt.Errorf("unknown outcomes %q; want one of %q", o.outcomes, replay.AllOutcomes())
	case o.file != "" && o.outcomes == string(replay.Recorded):
		return errors.New("files of telemetry hold no recorded outcomes; want --kafka or --clickhouse")
	case o.file == "" && o.from == "":
		return errors.New("say where to begin with --from")
	case o.exitCode && o.against == "":
		return errors.New("--exit-code says whether decisions differ, which needs --against")
	case o.actionTime < 0:
		return fmt.Errorf("--action-time %s is negative", o.actionTime)
	}
	return o.period()
}

// period reads --from and --to.
func (o *options) period() error {
	o.now = flyball.TimeOf(time.Now())
	o.bounds = [2]flyball.Time{flyball.NoTime, flyball.NoTime}
	if o.file == "" {
		o.bounds[1] = o.now
	}
	for i, text := range []string{o.from, o.to} {
		if text == "" {
			continue
		}
		if t, err := time.Parse(time.RFC3339, text); err == nil {
			o.bounds[i] = flyball.TimeOf(t)
			continue
		}
		d, err := spec.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("cannot read %s %q: want RFC 3339, such as 2026-01-01T00:00:00Z, or a duration before now, such as 7d", []string{"--from", "--to"}[i], text)
		}
		o.bounds[i] = o.now.Add(-d)
	}
	if o.bounds[1] != flyball.NoTime && o.bounds[0] >= o.bounds[1] {
		return fmt.Errorf("--from %s is not before --to %s", o.bounds[0], o.bounds[1])
	}
	return nil
}

func (o *options) run(c *cobra.Command, args []string) error {
	if err := o.check(args); err != nil {
		return o.usage(fmt.Errorf("%w; see %s --help", err, c.CommandPath()))
	}
	cfg, err := o.load(o.config)
	if err != nil {
		return err
	}
	p := printer{out: c.OutOrStdout(), json: o.output == "json"}
	talk := newTalk(c.ErrOrStderr())
	if o.against == "" {
		s, err := o.replay(c.Context(), cfg, cfg, talk, p.decision)
		if err != nil {
			return err
		}
		talk.ended(s.Span())
		return p.summary(s)
	}
	old, err := o.load(o.against)
	if err != nil {
		return err
	}
	return o.compare(c.Context(), old, cfg, talk, p)
}

func (o *options) load(dir string) (*config.Config, error) {
	cfg, err := config.Load(dir)
	if err != nil {
		return nil, o.usage(err)
	}
	return cfg, nil
}

// compare runs two configurations over the same input and prints what differs.
func (o *options) compare(ctx context.Context, old, next *config.Config, talk *talk, p printer) error {
	var decided [2][]flyball.Decision
	var span time.Duration
	for i, cfg := range []*config.Config{old, next} {
		s, err := o.replay(ctx, cfg, next, talk, func(d *flyball.Decision) error {
			decided[i] = append(decided[i], *d)
			return nil
		})
		if err != nil {
			return err
		}
		talk.ended(s.Span())
		span = max(span, s.Span())
	}
	if o.bounds[0] != flyball.NoTime && o.bounds[1] != flyball.NoTime {
		span = o.bounds[1].Sub(o.bounds[0])
	}
	d := replay.Compare(decided[0], decided[1], replay.Tolerance(old, next))
	if err := p.difference(&d, span); err != nil {
		return err
	}
	if o.exitCode && d.Differ() {
		return o.differ
	}
	return nil
}
