package kafka

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"

	"github.com/flyball-io/flyball"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Types of the events that are written here.
const (
	TypeFindingOpened   = "dev.flyball.finding.opened.v1"
	TypeFindingUpdated  = "dev.flyball.finding.updated.v1"
	TypeFindingResolved = "dev.flyball.finding.resolved.v1"
	TypeDecision        = "dev.flyball.decision.v1"
	TypeCommand         = "dev.flyball.command.v1"
)

// DefaultSource is the ce_source of events when nothing else is configured.
const DefaultSource = "/flyball"

// Encoder turns what the machines return into records.
type Encoder struct {
	// Topics are the topics to write to.
	Topics Topics
	// Source is the ce_source of every event: a URI that tells this Flyball from
	// others, such as "/flyball/prod-eu". Empty means DefaultSource.
	Source string
	// Key signs commands; nil leaves them unsigned.
	Key *SigningKey
}

func (e Encoder) source() string {
	if e.Source == "" {
		return DefaultSource
	}
	return e.Source
}

// Finding returns the record of a state of a finding, for partition 0 of the
// findings topic. JSON knows finite numbers only: infinite evidence is written as
// the largest number there is, and evidence that is not a number is left out.
func (e Encoder) Finding(f *flyball.Finding) (*kgo.Record, error) {
	if f.ID == "" || f.At == flyball.NoTime {
		return nil, fmt.Errorf("cannot encode finding %q: it has no id or no time", f.ID)
	}
	out := *f
	out.Evidence = finite(f.Evidence)
	if out.Labels == nil {
		out.Labels = flyball.Labels{}
	}
	return &kgo.Record{
		Topic: e.Topics.Findings(), Key: []byte(f.Entity), Value: encodeData(&out),
		Headers: attributes{
			id: FindingEventID(f.ID, f.Revision), source: e.source(), typ: findingType(f.State), subject: f.Entity,
			time: f.At, correlationID: f.ID, expiry: flyball.NoTime,
		}.headers(),
	}, nil
}

// findingType is the type of the event of a finding's state.
func findingType(s flyball.FindingState) string { return "dev.flyball.finding." + string(s) + ".v1" }

// FindingEventID returns the ce_id of a state of a finding: a hash of the
// finding's id and the revision.
func FindingEventID(id string, revision int) string {
	sum := sha256.Sum256(framed("finding", id, strconv.Itoa(revision)))
	return hex.EncodeToString(sum[:16])
}

// Decision returns the record of a decision.
func (e Encoder) Decision(d *flyball.Decision) (*kgo.Record, error) {
	if d.ID == "" || d.At == flyball.NoTime {
		return nil, fmt.Errorf("cannot encode decision %q: it has no id or no time", d.ID)
	}
	out := *d
	out.Gates, out.Explain = orEmpty(d.Gates), orEmpty(d.Explain)
	return &kgo.Record{
		Topic: e.Topics.Decisions(), Key: []byte(d.Entity), Value: encodeData(&out),
		Headers: attributes{
			id: d.ID, source: e.source(), typ: TypeDecision, subject: d.Entity, time: d.At,
			correlationID: d.Finding, causationID: FindingEventID(d.Finding, d.FindingRevision), expiry: flyball.NoTime,
		}.headers(),
	}, nil
}

// Command returns the record of a command, signed if the encoder has a key.
// A command without an id, a target or a deadline is refused: executors could
// neither tell it from others nor know when to stop.
func (e Encoder) Command(c *flyball.Command) (*kgo.Record, error) {
	if c.ID == "" || c.Target == "" || c.At == flyball.NoTime || c.Deadline == flyball.NoTime {
		return nil, fmt.Errorf("cannot encode command %q: it has no id, target, time or deadline", c.ID)
	}
	out := *c
	out.Reason.Evidence = finite(c.Reason.Evidence)
	r := &kgo.Record{
		Topic: e.Topics.Commands(), Key: []byte(c.Target), Value: encodeData(&out),
		Headers: attributes{
			id: c.ID, source: e.source(), typ: TypeCommand, subject: c.Target, time: c.At,
			correlationID: c.Reason.Finding, causationID: c.Decision, expiry: c.Deadline,
		}.headers(),
	}
	if e.Key != nil {
		r.Headers = append(r.Headers, e.Key.sign(r.Headers, r.Value)...)
	}
	return r, nil
}

// finite returns evidence that JSON can carry, never nil.
func finite(in []flyball.Evidence) []flyball.Evidence {
	out := make([]flyball.Evidence, 0, len(in))
	for _, e := range in {
		if math.IsNaN(e.Value) {
			continue
		}
		e.Value = clamp(e.Value)
		if t := e.Threshold; t != nil && math.IsNaN(*t) {
			e.Threshold = nil
		} else if t != nil {
			c := clamp(*t)
			e.Threshold = &c
		}
		out = append(out, e)
	}
	return out
}

// clamp returns the nearest finite number.
func clamp(v float64) float64 { return max(-math.MaxFloat64, min(math.MaxFloat64, v)) }

// orEmpty returns s, or an empty slice instead of nil: lists are never null on
// the wire.
func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// framed returns the parts one after another, each with its length in front, so
// that no two lists of parts are the same bytes.
func framed(parts ...string) []byte {
	var b []byte
	for _, p := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	return b
}
