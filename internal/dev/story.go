package dev

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// story tells what happens on the result topics, as text or as one JSON object
// per line with a field `type`.
type story struct {
	mu   sync.Mutex
	out  io.Writer
	json bool
	// topics have what happens.
	topics sinkkafka.Topics
	// counted is how people are told what windows counted: how many, in how many series,
	// and how many of them were bad.
	counted string
	// indicator is the one whose windows people are told of; empty for all.
	indicator string
	// from is when the story begins: windows and burns before it are not told.
	from flyball.Time
	// judged is told up to where event time has been judged, decided what was decided;
	// both may be nil.
	judged  func(flyball.Time)
	decided func(*flyball.Decision)
	// marks are the watermarks by partition of panes.
	marks map[int32]flyball.Time
	// window gathers the closed windows of one end, which come from several
	// partitions, into one line for people.
	window line
}

// line is one line of the story.
type line struct {
	Type string       `json:"type"`
	At   flyball.Time `json:"at"`
	// Text is the line for people.
	Text string `json:"-"`
	// Data is what JSON shows beside type and at.
	Data map[string]any `json:"-"`
}

func (s *story) tell(l line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.json {
		s.text(l)
		return
	}
	object := map[string]any{"type": l.Type, "at": l.At}
	for k, v := range l.Data {
		object[k] = v
	}
	b, err := json.Marshal(object)
	if err != nil {
		b = fmt.Appendf(nil, `{"type":"error","message":%q}`, err.Error())
	}
	fmt.Fprintf(s.out, "%s\n", b)
}

// text prints a line; windows wait until those with a later end come.
func (s *story) text(l line) {
	if l.Type != "window_closed" {
		fmt.Fprintf(s.out, "%s  %-13s %s\n", l.At.Std().Format("15:04:05"), l.Type, l.Text)
		return
	}
	if d := s.window.Data; d != nil && l.At == s.window.At {
		d["series"] = d["series"].(int) + l.Data["series"].(int)
		d["count"] = d["count"].(int64) + l.Data["count"].(int64)
		d["bad"] = d["bad"].(int64) + l.Data["bad"].(int64)
		return
	}
	if d := s.window.Data; d != nil {
		fmt.Fprintf(s.out, "%s  %-13s "+s.counted+"\n",
			s.window.At.Std().Format("15:04:05"), s.window.Type, d["count"], d["series"], d["bad"])
	}
	s.window = l
}

// follow reads the result topics until the context ends.
func (s *story) follow(ctx context.Context, brokers []string) error {
	topics := s.topics
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers...), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeTopics(topics.Windows(), topics.SLO(), topics.Findings(), topics.Decisions(), topics.Commands(), topics.Outcomes(), topics.Verdicts()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.ConsumeStartOffset(kgo.NewOffset().AfterMilli(time.Now().UnixMilli())),
		kgo.FetchMaxWait(250*time.Millisecond),
	)
	if err != nil {
		return fmt.Errorf("cannot follow the results: %w", err)
	}
	defer client.Close()
	for ctx.Err() == nil {
		client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			for _, l := range s.lines(r) {
				s.tell(l)
			}
		})
	}
	return nil
}

func (s *story) lines(r *kgo.Record) []line {
	var lines []line
	var err error
	topics := s.topics
	switch r.Topic {
	case topics.Windows():
		lines, err = windowLines(r.Value, s.json, s.indicator)
	case topics.SLO():
		lines, err = burnLines(r.Value)
	case topics.Findings():
		if sinkkafka.IsWatermark(r) {
			s.mark(r)
			return nil
		}
		lines, err = eventLines(r, "finding", findingText)
	case topics.Decisions():
		lines, err = eventLines(r, "decision", s.decisionText)
	case topics.Commands():
		lines, err = eventLines(r, "command", commandText)
	case topics.Outcomes():
		lines, err = outcomeLines(r)
	case topics.Verdicts():
		lines, err = eventLines(r, "verdict", verdictText)
	}
	if err != nil {
		return []line{{Type: "error", At: flyball.TimeOf(r.Timestamp), Text: err.Error(), Data: map[string]any{"message": err.Error()}}}
	}
	return slices.DeleteFunc(lines, func(l line) bool { return l.At < s.from && (l.Type == "window_closed" || l.Type == "burn") })
}

// mark takes the watermark of a partition of panes: what all have passed has been judged.
func (s *story) mark(r *kgo.Record) {
	w, err := sinkkafka.DecodeWatermark(r)
	if err != nil || s.judged == nil {
		return
	}
	if s.marks == nil {
		s.marks = map[int32]flyball.Time{}
	}
	s.marks[w.Partition] = max(s.marks[w.Partition], w.Watermark)
	if len(s.marks) == int(w.Of) {
		s.judged(slices.Min(slices.Collect(maps.Values(s.marks))))
	}
}

// columns gives the columns of a record by name.
type columns struct{ arrow.Record }

func (c columns) col(name string) arrow.Array {
	return c.Column(c.Schema().FieldIndices(name)[0])
}
func (c columns) str(name string, i int) string { return c.col(name).(*array.String).Value(i) }
func (c columns) i64(name string, i int) int64  { return c.col(name).(*array.Int64).Value(i) }
func (c columns) time(name string, i int) flyball.Time {
	return flyball.Time(c.col(name).(*array.Timestamp).Value(i))
}
func (c columns) f64(name string, i int) any {
	col := c.col(name).(*array.Float64)
	if col.IsNull(i) {
		return nil
	}
	return col.Value(i)
}

// windowLines tells every window in JSON; people get one line per end, of one indicator
// where only names it.
func windowLines(value []byte, each bool, only string) ([]line, error) {
	rec, err := processors.DecodeRecord(value)
	if err != nil {
		return nil, err
	}
	defer rec.Release()
	c := columns{rec}
	var lines []line
	for i := range int(rec.NumRows()) {
		end := c.time("end", i)
		if each {
			data := map[string]any{"start": c.time("start", i), "end": end, "labels": json.RawMessage(c.str("labels", i))}
			for _, n := range []string{"indicator", "entity"} {
				data[n] = c.str(n, i)
			}
			for _, n := range []string{"count", "bad"} {
				data[n] = c.i64(n, i)
			}
			for _, n := range []string{"rate", "error_ratio", "p50", "p90", "p95", "p99"} {
				data[n] = c.f64(n, i)
			}
			lines = append(lines, line{Type: "window_closed", At: end, Data: data})
			continue
		}
		if only != "" && c.str("indicator", i) != only {
			continue
		}
		if n := len(lines); n == 0 || lines[n-1].At != end {
			lines = append(lines, line{Type: "window_closed", At: end, Data: map[string]any{"series": 0, "count": int64(0), "bad": int64(0)}})
		}
		d := lines[len(lines)-1].Data
		d["series"] = d["series"].(int) + 1
		d["count"] = d["count"].(int64) + c.i64("count", i)
		d["bad"] = d["bad"].(int64) + c.i64("bad", i)
	}
	return lines, nil
}

// burnLines tells of budgets that burn faster than they last.
func burnLines(value []byte) ([]line, error) {
	rec, err := processors.DecodeRecord(value)
	if err != nil {
		return nil, err
	}
	defer rec.Release()
	c := columns{rec}
	var lines []line
	for i := range int(rec.NumRows()) {
		long := c.col("burn_long").(*array.List)
		from, to := long.ValueOffsets(i)
		values := long.ListValues().(*array.Float64)
		burn := math.NaN()
		for j := int(from); j < int(to); j++ {
			if values.IsValid(j) {
				burn = math.Max(values.Value(j), zeroIfNaN(burn))
			}
		}
		if !(burn >= 1) {
			continue
		}
		lines = append(lines, line{
			Type: "burn", At: c.time("at", i),
			Text: fmt.Sprintf("%s of %s burns %.1f times too fast", c.str("slo", i), c.str("entity", i), burn),
			Data: map[string]any{"slo": c.str("slo", i), "entity": c.str("entity", i), "burn_rate": burn, "sli": c.f64("sli", i)},
		})
	}
	return lines, nil
}

func zeroIfNaN(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return x
}

// eventLines tells of one CloudEvent; text says it to people.
func eventLines[T any](r *kgo.Record, kind string, text func(*T) (flyball.Time, string)) ([]line, error) {
	var v T
	if err := json.Unmarshal(r.Value, &v); err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", kind, err)
	}
	data := map[string]any{}
	if err := json.Unmarshal(r.Value, &data); err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", kind, err)
	}
	said := flyball.TimeOf(r.Timestamp)
	for _, h := range r.Headers {
		switch h.Key {
		case "ce_id", "ce_type", "ce_subject", "ce_time":
			data[h.Key] = string(h.Value)
		}
		if h.Key == "ce_time" {
			if t, err := time.Parse(time.RFC3339Nano, string(h.Value)); err == nil {
				said = flyball.TimeOf(t)
			}
		}
	}
	at, sentence := text(&v)
	if at == 0 {
		at = said
	}
	return []line{{Type: kind, At: at, Text: sentence, Data: data}}, nil
}

func findingText(f *flyball.Finding) (flyball.Time, string) {
	return f.At, fmt.Sprintf("%s  %s on %s: %s", f.State, f.Severity, f.Entity, f.Summary)
}

func (s *story) decisionText(d *flyball.Decision) (flyball.Time, string) {
	if s.decided != nil {
		s.decided(d)
	}
	text := fmt.Sprintf("%s  %s %s by rule %s", d.Verb, d.Action.Name, d.Target, d.Rule)
	if d.Verb == flyball.VerbControl {
		text = fmt.Sprintf("%s  %s: %s", d.Verb, d.Who, d.Reason)
	}
	for _, g := range d.Gates {
		if !g.Pass {
			text += fmt.Sprintf("; %s: %s", g.Gate, g.Reason)
		}
	}
	return d.At, text
}

// outcomeLines tells of one outcome. What has happened is in the attributes.
func outcomeLines(r *kgo.Record) ([]line, error) {
	o, err := sinkkafka.DecodeOutcome(r)
	if err != nil {
		return nil, err
	}
	return eventLines(r, "outcome", func(*flyball.Outcome) (flyball.Time, string) {
		text := fmt.Sprintf("%s  %s", o.Class, o.Target)
		for _, part := range []string{o.Reason, o.Detail} {
			if part != "" {
				text += ": " + part
			}
		}
		return o.At, text
	})
}

func verdictText(v *flyball.Verdict) (flyball.Time, string) {
	return v.At, fmt.Sprintf("%s  version %s of %s against %s (%s): %s", v.Verdict, v.Version, v.Entity, v.Baseline, v.Phase, v.Reason)
}

func commandText(c *flyball.Command) (flyball.Time, string) {
	return 0, fmt.Sprintf("%s %s, to be done by %s", c.Action.Name, c.Target, c.Deadline.Std().Format("15:04:05"))
}
