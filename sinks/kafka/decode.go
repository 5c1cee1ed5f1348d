package kafka

import (
	"fmt"

	"github.com/flyball-io/flyball"
	"github.com/twmb/franz-go/pkg/kgo"
)

// DecodeFinding reads a record of the findings topic. The event's type and the
// state in its data must agree.
func DecodeFinding(r *kgo.Record) (flyball.Finding, error) {
	a, err := readAttributes(r.Headers, TypeFindingOpened, TypeFindingUpdated, TypeFindingResolved)
	if err != nil {
		return flyball.Finding{}, fmt.Errorf("cannot decode finding: %w", err)
	}
	f := flyball.Finding{At: flyball.NoTime, OpenedAt: flyball.NoTime}
	if err := decodeData(r.Value, &f); err != nil {
		return flyball.Finding{}, fmt.Errorf("cannot decode finding %q: %w", a.id, err)
	}
	if want := findingType(f.State); a.typ != want {
		return flyball.Finding{}, fmt.Errorf("cannot decode finding %q: header %s is %q, the state is %q", a.id, HeaderType, a.typ, f.State)
	}
	if a.id != FindingEventID(f.ID, f.Revision) {
		return flyball.Finding{}, fmt.Errorf("cannot decode finding %q: header %s is not that of finding %q revision %d", a.id, HeaderID, f.ID, f.Revision)
	}
	return f, nil
}

// DecodeDecision reads a record of the decisions topic.
func DecodeDecision(r *kgo.Record) (flyball.Decision, error) {
	a, err := readAttributes(r.Headers, TypeDecision)
	if err != nil {
		return flyball.Decision{}, fmt.Errorf("cannot decode decision: %w", err)
	}
	d := flyball.Decision{At: flyball.NoTime}
	if err := decodeData(r.Value, &d); err != nil {
		return flyball.Decision{}, fmt.Errorf("cannot decode decision %q: %w", a.id, err)
	}
	if a.id != d.ID {
		return flyball.Decision{}, fmt.Errorf("cannot decode decision %q: header %s and the data's id %q differ", a.id, HeaderID, d.ID)
	}
	return d, nil
}

// DecodeCommand reads a record of the commands topic. It does not check the
// signature: see [Verify]. What is signed in headers and said in the data too,
// the target and the deadline, must agree.
func DecodeCommand(r *kgo.Record) (flyball.Command, error) {
	a, err := readAttributes(r.Headers, TypeCommand)
	if err != nil {
		return flyball.Command{}, fmt.Errorf("cannot decode command: %w", err)
	}
	c := flyball.Command{Deadline: flyball.NoTime}
	if err := decodeData(r.Value, &c); err != nil {
		return flyball.Command{}, fmt.Errorf("cannot decode command %q: %w", a.id, err)
	}
	if c.Target != a.subject {
		return flyball.Command{}, fmt.Errorf("cannot decode command %q: header %s is %q, the target is %q", a.id, HeaderSubject, a.subject, c.Target)
	}
	if c.Deadline != a.expiry {
		return flyball.Command{}, fmt.Errorf("cannot decode command %q: header %s is %s, the deadline is %s", a.id, HeaderExpiryTime, a.expiry, c.Deadline)
	}
	c.ID, c.At, c.Decision = a.id, a.time, a.causationID
	return c, nil
}
