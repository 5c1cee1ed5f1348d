package engine

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/machines"
	"github.com/flyball-io/flyball/internal/scenario/memlog"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/evaluate"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// Result is one thing that came out. Exactly one field besides At is set.
type Result struct {
	// At is the wall clock at which it was committed.
	At flyball.Time
	// Window is a closed window or a correction of one.
	Window *processors.WindowRow
	// SLO is the status of an SLO.
	SLO *processors.SLORow
	// Finding is a state of a finding.
	Finding *flyball.Finding
	// Verdict is what is known of a canary.
	Verdict *flyball.Verdict
	// Decision is a decision, and Command a command.
	Decision *flyball.Decision
	Command  *flyball.Command
	// Dead is a dead letter.
	Dead *Dead
}

// Dead is a dead letter.
type Dead struct {
	// Stage gave it up, for Reason; Message says it for a person.
	Stage, Reason, Message string
	// Source and Partition are where a record came from, when it is one.
	Source    string
	Partition memlog.Partition
	// Indicator, Labels and Start are those of a pane, when it is one.
	Indicator string
	Labels    flyball.Labels
	Start     flyball.Time
	// Samples is how many samples were lost with it, and Bad how many of those were
	// bad.
	Samples, Bad int64
}

// Take returns what was committed since it was last called, in the order in
// which it was written.
func (e *Engine) Take() ([]Result, error) {
	var records []*memlog.Record
	for _, topic := range recorded(e.topics) {
		for _, p := range e.log.Partitions(topic) {
			more, next := e.log.Read(p, e.seen[p], 1<<30)
			e.seen[p] = next
			records = append(records, more...)
		}
	}
	slices.SortFunc(records, func(a, b *memlog.Record) int { return cmp.Compare(a.Seq, b.Seq) })
	var out []Result
	for _, r := range records {
		results, err := e.decode(r)
		if err != nil {
			return nil, err
		}
		out = append(out, results...)
	}
	return out, nil
}

func (e *Engine) decode(r *memlog.Record) (out []Result, err error) {
	add := func(x Result) {
		x.At = r.At
		out = append(out, x)
	}
	switch rows := r.Payload.(type) {
	case []processors.WindowRow:
		for i := range rows {
			add(Result{Window: &rows[i]})
		}
		return out, nil
	case []processors.SLORow:
		for i := range rows {
			add(Result{SLO: &rows[i]})
		}
		return out, nil
	}
	switch r.Topic {
	case e.topics.Findings():
		if sinkkafka.IsWatermark(r.Kafka()) {
			return nil, nil
		}
		f, err := sinkkafka.DecodeFinding(r.Kafka())
		add(Result{Finding: &f})
		return out, err
	case e.topics.Verdicts():
		v, err := sinkkafka.DecodeVerdict(r.Kafka())
		add(Result{Verdict: &v})
		return out, err
	case e.topics.Decisions():
		d, err := sinkkafka.DecodeDecision(r.Kafka())
		add(Result{Decision: &d})
		return out, err
	case e.topics.Commands():
		c, err := sinkkafka.DecodeCommand(r.Kafka())
		add(Result{Command: &c})
		return out, err
	case e.topics.DeadLetters():
		d, err := deadOf(r)
		add(Result{Dead: &d})
		return out, err
	}
	panic("BUG: nothing is known of topic " + r.Topic)
}

func deadOf(r *memlog.Record) (Dead, error) {
	death, err := sinkkafka.ReadDeadLetter(r.Kafka())
	if err != nil {
		return Dead{}, err
	}
	d, _ := r.Payload.(Dead)
	d.Stage, d.Reason, d.Message = death.Stage, death.Reason, death.Message
	if d.Stage != string(Evaluate) || d.Reason != evaluate.ReasonLate {
		return d, nil
	}
	var pane struct {
		Indicator string         `json:"indicator"`
		Labels    flyball.Labels `json:"labels"`
		Start     flyball.Time   `json:"pane_start"`
		Count     int64          `json:"count"`
		Bad       int64          `json:"bad"`
	}
	if err := json.Unmarshal(r.Value, &pane); err != nil {
		return d, fmt.Errorf("cannot read the dead letter of a pane: %w", err)
	}
	d.Indicator, d.Labels, d.Start, d.Samples, d.Bad = pane.Indicator, pane.Labels, pane.Start, pane.Count, pane.Bad
	return d, nil
}

// Watermark is the watermark of a source in a partition of the panes topic.
type Watermark struct {
	// Source that it is the watermark of, and Partition of the panes topic.
	Source    string
	Partition int32
	// At is the watermark, NoTime when there is none.
	At flyball.Time
}

// Watermarks returns the watermarks that evaluate works by, where it is up.
func (e *Engine) Watermarks() []Watermark {
	var out []Watermark
	for _, m := range e.of(Evaluate) {
		s, ok := m.stage.(*evaluateStage)
		if !ok {
			continue
		}
		for p, machine := range s.machines {
			for _, src := range machines.Measured(e.cfg.Spec) {
				out = append(out, Watermark{src.Name, p, machine.Watermark(src.Name)})
			}
		}
	}
	slices.SortFunc(out, func(a, b Watermark) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Partition, b.Partition))
	})
	return out
}
