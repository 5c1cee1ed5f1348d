package pipeline

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/flyball-io/flyball/ingest/kafka"
	"github.com/flyball-io/flyball/internal/notifications"
	"github.com/flyball-io/flyball/sinks/notify"
)

// notify starts the role that tells people, where the configuration has receivers. One
// member has all partitions: news of a finding are findings and decisions together.
func (p *pipeline) notify(ctx context.Context, g *errgroup.Group) error {
	if len(p.cfg.Receivers) == 0 {
		return nil
	}
	desk, err := notifications.NewDesk(ctx, p.cfg, notify.Limits{}, p.Metrics.notify, p.Log)
	if err != nil {
		return err
	}
	m := p.member(roleNotify, roleNotify, 0, []string{p.topics.Findings(), p.topics.Decisions()})
	m.join.Sole, m.always = true, true
	m.newStage = func(*kafka.Session) (stage, error) {
		return notifyStage{&notifications.Reader{
			Desk: desk, Topics: p.topics, State: p.readState, Began: time.Now(), Log: p.Log,
			Dead:    func(reason string) { p.Metrics.deadLetters.WithLabelValues(roleNotify, reason).Inc() },
			Limited: func(reason string, n int) { p.Metrics.limited.WithLabelValues(roleNotify, reason).Add(float64(n)) },
		}}, nil
	}
	g.Go(func() error { return m.run(ctx) })
	return nil
}

// notifyStage is a stage around package notifications.
type notifyStage struct{ *notifications.Reader }

func (n notifyStage) rebalanced(ctx context.Context, c kafka.Changes) error {
	return n.Rebalanced(ctx, c)
}

func (n notifyStage) take(fetches kgo.Fetches) { n.Take(fetches) }

func (n notifyStage) flush(ctx context.Context, now time.Time) (output, error) {
	return output{records: n.Flush(ctx, now)}, nil
}

func (n notifyStage) end(committed bool) { n.End(committed) }

// unfinished reports whether something was sent and that is not committed.
func (n notifyStage) unfinished() bool { return n.Desk.Busy() }
