package tail

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/automation"
	"github.com/flyball-io/flyball/processors"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// line is one thing that happened.
type line struct {
	Kind string       `json:"kind"`
	At   flyball.Time `json:"at"`
	ID   string       `json:"id,omitempty"`
	// Where it is: topic/partition@offset.
	Place string `json:"place"`
	Data  any    `json:"data"`

	service, severity string
	text              string
}

// kind is what can be followed.
type kind struct {
	name, short string
	topic       func(sinkkafka.Topics) string
	read        func(*kgo.Record) ([]line, error)
	// services and severities say whether there is such a thing to filter by.
	services, severities bool
}

// kinds lists all.
func kinds() []kind {
	return []kind{
		{"findings", "what detectors and objectives found", sinkkafka.Topics.Findings, one(sinkkafka.DecodeFinding, ofFinding), true, true},
		{"decisions", "what was decided about findings", sinkkafka.Topics.Decisions, one(sinkkafka.DecodeDecision, ofDecision), true, false},
		{"commands", "what executors were told to do", sinkkafka.Topics.Commands, one(sinkkafka.DecodeCommand, ofCommand), true, false},
		{"outcomes", "what executors reported", sinkkafka.Topics.Outcomes, one(sinkkafka.DecodeOutcome, ofOutcome), true, false},
		{"verdicts", "how canaries do", sinkkafka.Topics.Verdicts, one(sinkkafka.DecodeVerdict, ofVerdict), true, false},
		{"windows", "windows as they close, and corrections", sinkkafka.Topics.Windows, windows, true, false},
		{"deadletter", "what could not be used", sinkkafka.Topics.DeadLetters, deadLetter, false, false},
	}
}

// one reads records that hold one thing each.
func one[T any](decode func(*kgo.Record) (T, error), of func(*T) line) func(*kgo.Record) ([]line, error) {
	return func(r *kgo.Record) ([]line, error) {
		if sinkkafka.IsWatermark(r) {
			return nil, nil
		}
		v, err := decode(r)
		if err != nil {
			return nil, err
		}
		return []line{of(&v)}, nil
	}
}

func ofFinding(f *flyball.Finding) line {
	return line{Kind: "finding", At: f.At, ID: f.ID, Data: f, service: f.Entity, severity: f.Severity,
		text: fmt.Sprintf("%-8s  %-6s  %s  %s", f.State, f.Severity, f.Entity, f.Summary)}
}

func ofDecision(d *flyball.Decision) line {
	return line{Kind: "decision", At: d.At, ID: d.ID, Data: d, service: d.Entity,
		text: fmt.Sprintf("%-14s  %s %s  by rule %s  %s", d.Verb, d.Action.Name, d.Target, d.Rule, automation.Because(d))}
}

func ofCommand(c *flyball.Command) line {
	return line{Kind: "command", At: c.At, ID: c.ID, Data: c, service: c.Target,
		text: fmt.Sprintf("%s %s  attempt %d  by rule %s, to be done by %s", c.Action.Name, c.Target, c.Attempt, c.Reason.Rule, c.Deadline)}
}

func ofOutcome(o *flyball.Outcome) line {
	return line{Kind: "outcome", At: o.At, ID: o.ID, Data: o, service: o.Target,
		text: strings.TrimSpace(fmt.Sprintf("%-17s  %s  %s %s", o.Class, o.Target, o.Reason, o.Detail))}
}

func ofVerdict(v *flyball.Verdict) line {
	return line{Kind: "verdict", At: v.At, ID: v.ID, Data: v, service: v.Entity,
		text: fmt.Sprintf("%-12s  %s  %s %s  score %.1f  %s", v.Verdict, v.Phase, v.Entity, v.Version, v.Score, v.Reason)}
}

// windows reads a block of closed windows.
func windows(r *kgo.Record) ([]line, error) {
	rec, err := processors.DecodeRecord(r.Value)
	if err != nil {
		return nil, err
	}
	defer rec.Release()
	if !rec.Schema().Equal(processors.WindowSchema()) {
		return nil, fmt.Errorf("cannot read windows: their columns are others: %s", rec.Schema())
	}
	text, err := rec.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("cannot read windows: %w", err)
	}
	var rows []map[string]any
	if err := json.Unmarshal(text, &rows); err != nil {
		return nil, fmt.Errorf("cannot read windows: %w", err)
	}
	ends := rec.Column(rec.Schema().FieldIndices("end")[0])
	var out []line
	for i, row := range rows {
		delete(row, "hist") // bytes that only ClickHouse reads
		if labels, ok := row["labels"].(string); ok {
			row["labels"] = json.RawMessage(labels)
		}
		entity, _ := row["entity"].(string)
		out = append(out, line{Kind: "window", At: flyball.Time(ends.(*array.Timestamp).Value(i)), Data: row, service: entity, text: windowText(row)})
	}
	return out, nil
}

// windowText shows what people look for first.
func windowText(row map[string]any) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v  %s  %v samples", row["indicator"], labelText(row["labels"]), row["count"])
	if n, _ := row["bad"].(float64); n > 0 {
		fmt.Fprintf(&b, ", %v bad", row["bad"])
	}
	if row["p99"] != nil {
		fmt.Fprintf(&b, ", p50 %.4g, p99 %.4g", row["p50"], row["p99"])
	}
	if n, _ := row["revision"].(float64); n > 1 {
		fmt.Fprintf(&b, ", correction %v", n-1)
	}
	if complete, ok := row["complete"].(bool); ok && !complete {
		b.WriteString(", incomplete")
	}
	return b.String()
}

func labelText(v any) string {
	raw, _ := v.(json.RawMessage)
	var labels flyball.Labels
	if json.Unmarshal(raw, &labels) != nil {
		return string(raw)
	}
	return labels.String()
}

// dead is a dead letter as JSON shows it.
type dead struct {
	Stage   string `json:"stage"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Source  string `json:"source,omitempty"`
	Bytes   int    `json:"bytes"`
}

func deadLetter(r *kgo.Record) ([]line, error) {
	death, err := sinkkafka.ReadDeadLetter(r)
	if err != nil {
		return nil, err
	}
	d := dead{Stage: death.Stage, Reason: death.Reason, Message: death.Message, Bytes: len(death.Record.Value)}
	if death.Record.Topic != "" {
		d.Source = fmt.Sprintf("%s/%d@%d", death.Record.Topic, death.Record.Partition, death.Record.Offset)
	}
	return []line{{Kind: "deadletter", At: flyball.TimeOf(r.Timestamp), Data: d,
		text: fmt.Sprintf("%-9s  %-14s  %s  %s", d.Stage, d.Reason, d.Source, d.Message)}}, nil
}

// about reports whether a line is about a service: its entity, or a target that ends in it.
func (l *line) about(service string) bool {
	return l.service == service || strings.HasSuffix(l.service, "/"+service)
}

// clock shows a time of today without the day.
func clock(t flyball.Time, now time.Time) string {
	at := t.Std().UTC()
	if at.Format(time.DateOnly) == now.UTC().Format(time.DateOnly) {
		return at.Format(time.TimeOnly)
	}
	return at.Format("2006-01-02 15:04:05")
}
