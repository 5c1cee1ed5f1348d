package pipeline

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest/kafka"
	"github.com/flyball-io/flyball/internal/machines"
	"github.com/flyball-io/flyball/internal/pipeline/checkpoint"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/remediation"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// decideStage runs the decide machine for whichever member owns the one partition
// each of findings, outcomes and controls. The others stand by.
//
// Within a transaction controls come first and outcomes before findings: what a
// person says holds before the next decision. The order of what is in different
// transactions is that in which it was read; it is committed with what came of it,
// and never read again.
type decideStage struct {
	cfg       remediation.Config
	readState func(ctx context.Context, partition int32, prefix string) (map[string][]byte, error)
	emit      *emitter
	metrics   *Metrics
	log       *slog.Logger

	machine *remediation.Machine
	input   decideInput
	unread  []*kgo.Record
	made    []flyball.Decision // in this transaction
	sizes   *checkpoint.Sizes
}

// decideInput is what was read for a transaction, by topic.
type decideInput struct {
	controls, outcomes, findings remediation.Input
}

// all returns the input in the order in which it is stepped.
func (i decideInput) all() remediation.Input {
	return slices.Concat(i.controls, i.outcomes, i.findings)
}

// rebalanced restores the machine when the partition came, and drops it when it
// went.
func (d *decideStage) rebalanced(ctx context.Context, c kafka.Changes) error {
	if len(c.Revoked) > 0 {
		d.machine, d.input = nil, decideInput{}
		d.sizes.Drop(0)
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
	if err := checkpoint.Restore(state, m.Restore); err != nil {
		return err
	}
	d.machine, d.input = m, decideInput{}
	d.sizes.Restored(0, state)
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
		if err := d.read(r); err != nil {
			d.unread = append(d.unread, d.emit.deadRecord(roleDecide, "malformed", err.Error(), r))
		}
	})
}

// read adds one record to the input.
func (d *decideStage) read(r *kgo.Record) error {
	switch {
	case r.Topic == d.emit.topics.Control():
		c, err := sinkkafka.DecodeControl(r)
		if err == nil {
			d.input.controls = append(d.input.controls, remediation.Entry{Control: &c})
		}
		return err
	case r.Topic == d.emit.topics.Outcomes():
		o, err := sinkkafka.DecodeOutcome(r)
		if err == nil {
			d.input.outcomes = append(d.input.outcomes, remediation.Entry{Outcome: &o})
		}
		return err
	case sinkkafka.IsWatermark(r):
		w, err := sinkkafka.DecodeWatermark(r)
		if err == nil {
			d.input.findings = append(d.input.findings, remediation.Entry{
				Watermark: machines.Watermark(w)})
		}
		return err
	}
	f, err := sinkkafka.DecodeFinding(r)
	if err == nil {
		d.input.findings = append(d.input.findings, remediation.Entry{Finding: &f})
	}
	return err
}

func (d *decideStage) flush(context.Context, time.Time) (output, error) {
	out := output{records: d.unread}
	in := d.input.all()
	if d.machine == nil || len(in) == 0 {
		return out, nil
	}
	ready := d.machine.Step(in)
	d.metrics.limits(roleDecide, ready.Limited)
	d.made = ready.Decisions
	d.sizes.Change(0, ready.State)
	records, err := d.emit.decided(ready)
	out.records = append(out.records, records...)
	return out, err
}

func (d *decideStage) end(committed bool) {
	if committed {
		d.metrics.decided(d.made)
	}
	d.sizes.End(committed)
	d.input, d.unread, d.made = decideInput{}, nil, nil
	switch {
	case d.machine == nil:
	case committed:
		d.machine.Commit()
	default:
		d.machine.Abort()
	}
}

var _ processors.Machine[remediation.Input] = (*remediation.Machine)(nil)
