package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/connect"
	"github.com/flyball-io/flyball/internal/replay"
	"github.com/flyball-io/flyball/sinks/clickhouse/history"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// replay runs a configuration over what the flags name. Brokers, database and prefix are
// those of home, so that two configurations are compared over the same history.
func (o *options) replay(ctx context.Context, cfg, home *config.Config, talk *talk, each func(*flyball.Decision) error) (*replay.Summary, error) {
	run := replay.Config{
		Spec: cfg, From: o.bounds[0], To: o.bounds[1], Outcomes: replay.Outcomes(o.outcomes), ActionTime: o.actionTime, Decision: each,
	}
	switch {
	case o.kafka != "":
		return o.overKafka(ctx, run, home, talk)
	case o.clickhouse != "":
		return o.overFindings(ctx, run, home, talk)
	}
	return o.overFiles(ctx, run, talk)
}

func (o *options) overFiles(ctx context.Context, run replay.Config, talk *talk) (_ *replay.Summary, err error) {
	feed, err := replay.OpenFiles(ctx, run.Spec, o.file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, feed.Close()) }()
	run.Progress = func(at flyball.Time) { talk.progress(at, feed.Share()) }
	return replay.Run(ctx, run, feed)
}

func (o *options) overKafka(ctx context.Context, run replay.Config, home *config.Config, talk *talk) (*replay.Summary, error) {
	brokers := home.Pipeline.Kafka.Brokers
	if o.kafka != ofConfig {
		brokers = strings.Split(o.kafka, ",")
	}
	opts, err := connect.Kafka(home.Pipeline.Kafka)
	if err != nil {
		return nil, err
	}
	opts = append(opts, kgo.SeedBrokers(brokers...), kgo.ClientID("flyball-replay"))
	if run.Outcomes == replay.Recorded {
		topics := sinkkafka.Topics{Prefix: home.Pipeline.Kafka.TopicPrefix}
		run.Said, run.Unreadable, err = replay.ReadSaid(ctx, topics, run.From, run.To, opts...)
		if err != nil {
			return nil, err
		}
	}
	feed, err := replay.OpenSources(ctx, run.Spec, run.From, run.To, opts...)
	if err != nil {
		return nil, err
	}
	defer feed.Close()
	if o.to == "" { // nothing came after now: all that came is evaluated
		run.To = flyball.NoTime
	}
	run.Progress = func(at flyball.Time) { talk.progress(at, feed.Share()) }
	return replay.Run(ctx, run, feed)
}

func (o *options) overFindings(ctx context.Context, run replay.Config, home *config.Config, talk *talk) (_ *replay.Summary, err error) {
	where := home.Pipeline.ClickHouse
	if o.clickhouse != ofConfig {
		where.DSN = spec.Secret(o.clickhouse)
	}
	if where.DSN == "" {
		return nil, o.usage(errors.New("nothing is recorded: the configuration has no clickhouse.dsn; name one with --clickhouse=DSN"))
	}
	db, err := connect.ClickHouse(where)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	findings, err := history.Findings(ctx, db, run.From, run.To)
	if err != nil {
		return nil, err
	}
	if run.Outcomes == replay.Recorded {
		outcomes, err := history.Outcomes(ctx, db, run.From, run.To)
		if err != nil {
			return nil, err
		}
		controls, err := history.Controls(ctx, db, run.From, run.To)
		if err != nil {
			return nil, fmt.Errorf("cannot read what people said: %w", err)
		}
		for i := range outcomes {
			run.Said = append(run.Said, replay.Said{At: outcomes[i].At, Outcome: &outcomes[i]})
		}
		for i := range controls {
			run.Said = append(run.Said, replay.Said{At: controls[i].At, Control: &controls[i]})
		}
		slices.SortStableFunc(run.Said, func(a, b replay.Said) int { return cmp.Compare(a.At, b.At) })
	}
	span := run.To.Sub(run.From).Seconds()
	run.Progress = func(at flyball.Time) { talk.progress(at, at.Sub(run.From).Seconds()/span) }
	return replay.RunFindings(ctx, run, findings)
}
