package pipeline

import (
	"context"
	"time"

	"github.com/flyball-io/flyball/internal/connect"
)

// awaitBrokers is how long a process that starts waits for brokers that do not
// answer. One that ended at once would have to be started again by somebody for
// every broker that is.
const awaitBrokers = 2 * time.Minute

// awaitTopics is ensureTopics, tried again while the brokers cannot be reached.
func (p *pipeline) awaitTopics(ctx context.Context) error {
	began := time.Now()
	for pause := 250 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		err := p.ensureTopics(ctx)
		if err == nil || ctx.Err() != nil || !connect.Passes(err) || time.Since(began) > awaitBrokers {
			return err
		}
		p.Log.Warn("cannot look at the topics; trying again", "error", err, "pause", pause)
		sleep(ctx, pause)
	}
}
