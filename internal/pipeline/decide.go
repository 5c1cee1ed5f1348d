package pipeline

import (
	"context"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/ingest/kafka"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/remediation"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// decideStage runs the decide machine for whichever member owns the one
// partition of findings. The others stand by.
type decideStage struct {
	cfg       remediation.Config
	readState func(ctx context.Context, partition int32, prefix string) (map[string][]byte, error)
	emit      *emitter
	metrics   *Metrics
	log       *slog.Logger

	machine *remediation.Machine
	input   remediation.Input
	unread  []*kgo.Record
}

// rebalanced restores the machine when the partition came, and drops it when it
// went.
func (d *decideStage) rebalanced(ctx context.Context, c kafka.Changes) error {
	if len(c.Revoked) > 0 {
		d.machine, d.input = nil, nil
	}
	if len(c.Assigned) == 0 {
		return nil
	}
	m, err := remediation.New(d.cfg)
	if err != nil {
		return err
	}
	state, err := d.readState(ctx, 0, remediation.StatePrefix)
	if err != nil {
		return err
	}
	if err := restore(state, m.Restore); err != nil {
		return err
	}
	d.machine, d.input = m, nil
	d.log.Info("decisions are made here", "role", roleDecide, "keys", len(state))
	return nil
}

func (d *decideStage) take(fetches kgo.Fetches) {
	if d.machine == nil {
		return // revoked meanwhile: the member takes this transaction back
	}
	fetches.EachRecord(func(r *kgo.Record) {
		if r.Attrs.IsControl() {
			return
		}
		f, err := sinkkafka.DecodeFinding(r)
		if err != nil {
			d.unread = append(d.unread, d.emit.deadRecord(roleDecide, "malformed", err.Error(), r))
			return
		}
		d.input = append(d.input, remediation.Entry{Finding: &f})
	})
}

func (d *decideStage) flush(context.Context, time.Time) (output, error) {
	out := output{records: d.unread}
	if d.machine == nil || len(d.input) == 0 {
		return out, nil
	}
	records, err := d.emit.decided(d.machine.Step(d.input))
	out.records = append(out.records, records...)
	return out, err
}

func (d *decideStage) end(committed bool) {
	d.input, d.unread = nil, nil
	switch {
	case d.machine == nil:
	case committed:
		d.machine.Commit()
	default:
		d.machine.Abort()
	}
}

var _ processors.Machine[remediation.Input] = (*remediation.Machine)(nil)
