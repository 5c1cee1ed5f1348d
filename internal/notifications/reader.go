package notifications

import (
	"context"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/ingest/kafka"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
	"github.com/flyball-io/flyball/sinks/notify/grouping"
)

const (
	// Role is the role's name.
	Role = "notify"
	// firstLook is how far back the role looks that begins for the first time: what is
	// older is known to people.
	firstLook = 5 * time.Minute
	// staleDecision is the age at which a decision is not told any more.
	staleDecision = 24 * time.Hour
)

// Reader feeds a desk from the topics of findings and decisions, and encodes what it
// says. It is a stage of a member that has all their partitions, or none.
type Reader struct {
	// Desk is fed.
	Desk *Desk
	// Topics are the names.
	Topics sinkkafka.Topics
	// State reads what is under a prefix in a partition of the state topic.
	State func(ctx context.Context, partition int32, prefix string) (map[string][]byte, error)
	// Dead counts dead letters by reason, Limited what limits kept from being told.
	Dead    func(reason string)
	Limited func(reason string, times int)
	// Began is when reading began.
	Began time.Time
	// Log takes what happens.
	Log *slog.Logger

	first bool // nobody has read findings before
	dead  []*kgo.Record
}

// Rebalanced takes over what was assigned, and drops what was revoked.
func (r *Reader) Rebalanced(ctx context.Context, c kafka.Changes) error {
	if len(c.Revoked) > 0 {
		r.Desk.Drop()
	}
	if len(c.Assigned) == 0 {
		return nil
	}
	for _, a := range c.Assigned {
		if a.Topic == r.Topics.Findings() {
			r.first = a.Offset < 0
		}
	}
	state, err := r.State(ctx, 0, grouping.StatePrefix)
	if err != nil {
		return err
	}
	r.Log.Info("people are notified from here", "role", Role, "keys", len(state))
	return r.Desk.Begin(state)
}

// Take reads records.
func (r *Reader) Take(fetches kgo.Fetches) {
	fetches.EachRecord(func(rec *kgo.Record) {
		if rec.Attrs.IsControl() || sinkkafka.IsWatermark(rec) {
			return
		}
		e := grouping.Entry{Old: r.first && rec.Timestamp.Before(r.Began.Add(-firstLook))}
		var err error
		if rec.Topic == r.Topics.Findings() {
			f, cannot := sinkkafka.DecodeFinding(rec)
			e.Finding, err = &f, cannot
		} else {
			d, cannot := sinkkafka.DecodeDecision(rec)
			e.Decision, err = &d, cannot
			e.Old = e.Old || time.Since(rec.Timestamp) > staleDecision
		}
		if err != nil {
			r.Dead("malformed")
			r.dead = append(r.dead, r.Topics.DeadLetter(rec, Role, "malformed", err.Error()))
			return
		}
		r.Desk.Add(e)
	})
}

// Flush steps the desk, and returns what must be committed.
func (r *Reader) Flush(ctx context.Context, now time.Time) []*kgo.Record {
	out := r.Desk.Step(ctx, now)
	records := r.dead
	for _, c := range out.State {
		records = append(records, &kgo.Record{Topic: r.Topics.State(), Key: []byte(c.Key), Value: c.Value})
	}
	for _, d := range out.Dead {
		r.Dead(d.Reason)
		records = append(records, r.Topics.DeadPart(d.Value, Role, d.Reason, d.Detail))
	}
	for reason, times := range out.Limited {
		r.Limited(reason, times)
	}
	return records
}

// End says whether that is durable.
func (r *Reader) End(committed bool) {
	r.dead = nil
	r.Desk.End(committed, time.Now())
}
