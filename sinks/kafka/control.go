package kafka

import (
	"fmt"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/twmb/franz-go/pkg/kgo"
)

// controlPrefix starts the types of all controls.
const controlPrefix = "dev.flyball.control."

// Control returns the record of a control, for partition 0 of the control topic.
func (e Encoder) Control(c *flyball.Control) (*kgo.Record, error) {
	if c.ID == "" || c.At == flyball.NoTime || c.Who == "" || c.Why == "" {
		return nil, fmt.Errorf("cannot encode control %q: it does not say who, why and when", c.Kind)
	}
	return &kgo.Record{
		Topic: e.Topics.Control(), Value: encodeData(c),
		Headers: attributes{
			id: c.ID, source: e.source(), typ: controlPrefix + string(c.Kind) + ".v1", subject: controlSubject(c),
			time: c.At, expiry: flyball.NoTime,
		}.headers(),
	}, nil
}

// DecodeControl reads a record of the control topic.
func DecodeControl(r *kgo.Record) (flyball.Control, error) {
	a, err := readAttributes(r.Headers, controlPrefix+"*")
	if err != nil {
		return flyball.Control{}, fmt.Errorf("cannot decode control: %w", err)
	}
	var c flyball.Control
	if err := decodeData(r.Value, &c); err != nil {
		return flyball.Control{}, fmt.Errorf("cannot decode control %q: %w", a.id, err)
	}
	c.ID, c.At = a.id, a.time
	c.Kind = flyball.ControlKind(strings.TrimSuffix(strings.TrimPrefix(a.typ, controlPrefix), ".v1"))
	if c.At == flyball.NoTime || c.Who == "" || c.Why == "" {
		return flyball.Control{}, fmt.Errorf("cannot decode control %q: it does not say who, why and when", a.id)
	}
	return c, nil
}

// controlSubject names what a control is about.
func controlSubject(c *flyball.Control) string {
	switch c.Kind {
	case flyball.ControlApprove, flyball.ControlReject:
		return c.Operation
	case flyball.ControlResetBreaker:
		return c.Guardrail
	case flyball.ControlRelease, flyball.ControlChange:
		return c.Target
	}
	return c.Scope.String()
}
