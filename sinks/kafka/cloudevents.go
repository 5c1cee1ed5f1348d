package kafka

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
)

// Types of CloudEvents, without the state of a finding.
const (
	typeFinding  = "dev.flyball.finding."
	typeDecision = "dev.flyball.decision.v1"
	typeCommand  = "dev.flyball.command.v1"
)

// Encoder turns findings, decisions and commands into Kafka records: CloudEvents
// 1.0 in the binary mode of its Kafka protocol binding, the attributes in headers
// ce_… and the data as JSON in the value.
type Encoder struct {
	// Topics to send to.
	Topics Topics
	// Source is the attribute ce_source, a URI reference that names the
	// installation, such as "/flyball/prod".
	Source string
}

// event is what becomes a record.
type event struct {
	topic, key             string
	id, kind, subject      string
	at                     flyball.Time
	correlation, causation string
	expiry                 flyball.Time
	data                   any
}

// Finding encodes a state of a finding.
func (e Encoder) Finding(f *flyball.Finding) (*kgo.Record, error) {
	return e.record(event{
		topic: e.Topics.Findings(), key: f.Entity,
		id: f.ID + "-" + strconv.Itoa(f.Revision), kind: typeFinding + string(f.State) + ".v1",
		subject: f.Entity, at: f.At, correlation: f.ID, expiry: flyball.NoTime, data: f,
	})
}

// Decision encodes a decision.
func (e Encoder) Decision(d *flyball.Decision) (*kgo.Record, error) {
	return e.record(event{
		topic: e.Topics.Decisions(), key: d.Entity,
		id: d.ID, kind: typeDecision, subject: d.Entity, at: d.At, correlation: d.Finding,
		causation: d.Finding + "-" + strconv.Itoa(d.FindingRevision), expiry: flyball.NoTime, data: d,
	})
}

// Command encodes a command, not signed.
func (e Encoder) Command(c *flyball.Command) (*kgo.Record, error) {
	return e.record(event{
		topic: e.Topics.Commands(), key: c.Target,
		id: c.ID, kind: typeCommand, subject: c.Target, at: c.At, correlation: c.Reason.Finding,
		causation: c.Decision, expiry: c.Deadline, data: c,
	})
}

func (e Encoder) record(ev event) (*kgo.Record, error) {
	value, err := json.Marshal(ev.data)
	if err != nil {
		return nil, fmt.Errorf("cannot encode event %q: %w", ev.id, err)
	}
	r := &kgo.Record{Topic: ev.topic, Key: []byte(ev.key), Value: value}
	header := func(key, value string) {
		if value != "" {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: key, Value: []byte(value)})
		}
	}
	header("ce_specversion", "1.0")
	header("ce_id", ev.id)
	header("ce_source", e.Source)
	header("ce_type", ev.kind)
	header("ce_subject", ev.subject)
	header("ce_time", ev.at.String())
	header("ce_correlationid", ev.correlation)
	header("ce_causationid", ev.causation)
	if ev.expiry != flyball.NoTime {
		header("ce_expirytime", ev.expiry.String())
	}
	header("content-type", "application/json")
	return r, nil
}

// Header returns the value of a record's header, "" if it has none.
func Header(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// DecodeFinding reads a record that Finding made.
func DecodeFinding(r *kgo.Record) (flyball.Finding, error) {
	var f flyball.Finding
	return f, decode(r, typeFinding, &f)
}

// DecodeDecision reads a record that Decision made.
func DecodeDecision(r *kgo.Record) (flyball.Decision, error) {
	var d flyball.Decision
	return d, decode(r, typeDecision, &d)
}

// DecodeCommand reads a record that Command made.
func DecodeCommand(r *kgo.Record) (flyball.Command, error) {
	var c flyball.Command
	if err := decode(r, typeCommand, &c); err != nil {
		return c, err
	}
	c.ID, c.Decision = Header(r, "ce_id"), Header(r, "ce_causationid")
	at, err := json.Marshal(Header(r, "ce_time"))
	if err != nil {
		return c, err
	}
	return c, c.At.UnmarshalJSON(at)
}

func decode(r *kgo.Record, kind string, data any) error {
	if got := Header(r, "ce_type"); len(got) < len(kind) || got[:len(kind)] != kind {
		return fmt.Errorf("cannot read event at offset %d: its type is %q, want %s", r.Offset, got, kind)
	}
	if err := json.Unmarshal(r.Value, data); err != nil {
		return fmt.Errorf("cannot read event %q: %w", Header(r, "ce_id"), err)
	}
	return nil
}
