package command

import (
	"context"
	"errors"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/replay"
)

// replay runs a configuration over what the flags name.
func (o *options) replay(ctx context.Context, cfg *config.Config, talk *talk, each func(*flyball.Decision) error) (_ *replay.Summary, err error) {
	run := replay.Config{
		Spec: cfg, From: o.bounds[0], To: o.bounds[1], Outcomes: replay.Outcomes(o.outcomes), ActionTime: o.actionTime, Decision: each,
	}
	feed, err := replay.OpenFiles(ctx, cfg, o.file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, feed.Close()) }()
	run.Progress = func(at flyball.Time) { talk.progress(at, feed.Share()) }
	return replay.Run(ctx, run, feed)
}
