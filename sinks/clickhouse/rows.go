package clickhouse

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/flyball-io/flyball"
)

// DeadLetter is one record of the dead-letter topic.
type DeadLetter struct {
	// At is the record's timestamp; Partition and Offset are its position on the
	// dead-letter topic.
	At        time.Time
	Partition int32
	Offset    int64
	// Stage is the role that gave it up, Reason a short constant, and Message
	// says what and why for a person.
	Stage, Reason, Message string
	// SourceTopic, SourcePartition and SourceOffset say where it came from.
	SourceTopic     string
	SourcePartition int32
	SourceOffset    int64
	// Key and Value are as they came.
	Key, Value []byte
}

// InsertLabels writes what people said of findings, with the token's meaning as in
// [Writer.Insert].
func (w *Writer) InsertLabels(ctx context.Context, list []flyball.FindingLabel, token string) error {
	type row = flyball.FindingLabel
	return w.insertRows(ctx, TableLabels, len(list), []any{
		each(list, func(r *row) string { return r.Finding }),
		each(list, func(r *row) string { return r.Entity }),
		each(list, func(r *row) string { return string(r.Verdict) }),
		each(list, func(r *row) string { return r.By }),
		each(list, func(r *row) time.Time { return instant(r.At) }),
	}, token)
}

// changeOf is what a control says of a change, nothing for most.
func changeOf(c *flyball.Control) flyball.Change {
	if c.Change == nil {
		return flyball.Change{}
	}
	return *c.Change
}

// InsertControls writes what people told automation, with the token's meaning as in
// [Writer.Insert].
func (w *Writer) InsertControls(ctx context.Context, list []flyball.Control, token string) error {
	type row = flyball.Control
	return w.insertRows(ctx, TableControls, len(list), []any{
		each(list, func(r *row) string { return r.ID }),
		each(list, func(r *row) time.Time { return instant(r.At) }),
		each(list, func(r *row) string { return string(r.Kind) }),
		each(list, func(r *row) string { return r.Who }),
		each(list, func(r *row) string { return r.Why }),
		each(list, func(r *row) string { return r.Scope.Kind }),
		each(list, func(r *row) string { return r.Scope.Name }),
		each(list, func(r *row) time.Time { return instant(max(r.Until, 0)) }),
		each(list, func(r *row) string { return r.Lifts }),
		each(list, func(r *row) string { return string(r.Mode) }),
		each(list, func(r *row) string { return r.Operation }),
		each(list, func(r *row) string { return r.Target }),
		each(list, func(r *row) string { return r.Guardrail }),
		each(list, func(r *row) string { return r.Backlog }),
		each(list, func(r *row) string { return changeOf(r).Entity }),
		each(list, func(r *row) string { return changeOf(r).Kind }),
		each(list, func(r *row) string { return changeOf(r).Version }),
	}, token)
}

// seriesText writes the series of an anomaly as JSON.
func seriesText(f *flyball.Finding) string { return listText(f.Series) }

// examplesText writes the samples that a finding is about as JSON.
func examplesText(f *flyball.Finding) string { return listText(f.Examples) }

// listText writes a list as JSON, and no list as nothing.
func listText[T any](list []T) string {
	if len(list) == 0 {
		return ""
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic("BUG: a list does not encode: " + err.Error())
	}
	return string(text)
}

// InsertFindings writes findings, with the token's meaning as in
// [Writer.Insert].
func (w *Writer) InsertFindings(ctx context.Context, list []flyball.Finding, token string) error {
	type row = flyball.Finding
	columns := []any{
		each(list, func(r *row) string { return r.ID }),
		each(list, func(r *row) uint32 { return uint32(r.Revision) }),
		each(list, func(r *row) string { return r.Kind }),
		each(list, func(r *row) string { return string(r.State) }),
		each(list, func(r *row) string { return r.Severity }),
		each(list, func(r *row) string { return r.Entity }),
		each(list, func(r *row) string { return r.Labels.JSON() }),
		each(list, func(r *row) string { return r.Detector }),
		each(list, func(r *row) string { return r.Tier }),
		each(list, func(r *row) time.Time { return instant(r.At) }),
		each(list, func(r *row) time.Time { return instant(r.OpenedAt) }),
		each(list, func(r *row) string { return r.Summary }),
	}
	columns = append(columns, evidenceColumns(list, func(r *row) []flyball.Evidence { return r.Evidence })...)
	columns = append(columns, each(list, func(r *row) bool { return r.Incomplete }), each(list, seriesText), each(list, examplesText))
	return w.insertRows(ctx, TableFindings, len(list), columns, token)
}

// InsertDecisions writes decisions, with the token's meaning as in
// [Writer.Insert].
func (w *Writer) InsertDecisions(ctx context.Context, list []flyball.Decision, token string) error {
	type row = flyball.Decision
	gates := func(r *row) []flyball.GateResult { return r.Gates }
	parts := func(r *row) []flyball.SubExpression { return r.Explain }
	return w.insertRows(ctx, TableDecisions, len(list), []any{
		each(list, func(r *row) string { return r.ID }),
		each(list, func(r *row) time.Time { return instant(r.At) }),
		each(list, func(r *row) string { return string(r.Verb) }),
		each(list, func(r *row) string { return r.Rule }),
		each(list, func(r *row) string { return r.RuleRevision }),
		each(list, func(r *row) string { return r.Finding }),
		each(list, func(r *row) uint32 { return uint32(r.FindingRevision) }),
		each(list, func(r *row) string { return r.Entity }),
		each(list, func(r *row) string { return r.Target }),
		each(list, func(r *row) string { return r.Action.Name }),
		each(list, func(r *row) map[string]string { return r.Action.Params }),
		each(list, func(r *row) string { return string(r.Mode) }),
		eachOf(list, gates, func(g *flyball.GateResult) string { return g.Gate }),
		eachOf(list, gates, func(g *flyball.GateResult) bool { return g.Pass }),
		eachOf(list, gates, func(g *flyball.GateResult) string { return g.Reason }),
		eachOf(list, parts, func(p *flyball.SubExpression) string { return p.Expr }),
		eachOf(list, parts, func(p *flyball.SubExpression) string { return p.Value }),
		each(list, func(r *row) string { return r.Command }),
		each(list, func(r *row) string { return r.Trigger }),
		each(list, func(r *row) string { return r.Operation }),
		each(list, func(r *row) uint32 { return uint32(r.Attempt) }),
		each(list, func(r *row) []string { return orNone(r.Causes) }),
		each(list, func(r *row) string { return r.Reason }),
		each(list, func(r *row) string { return r.Who }),
	}, token)
}

// InsertCommands writes commands, with the token's meaning as in
// [Writer.Insert].
func (w *Writer) InsertCommands(ctx context.Context, list []flyball.Command, token string) error {
	type row = flyball.Command
	columns := []any{
		each(list, func(r *row) string { return r.ID }),
		each(list, func(r *row) time.Time { return instant(r.At) }),
		each(list, func(r *row) string { return r.Decision }),
		each(list, func(r *row) string { return r.Reason.Finding }),
		each(list, func(r *row) string { return r.OperationID }),
		each(list, func(r *row) uint32 { return uint32(r.Attempt) }),
		each(list, func(r *row) string { return r.Action.Name }),
		each(list, func(r *row) map[string]string { return r.Action.Params }),
		each(list, func(r *row) string { return r.Target }),
		each(list, func(r *row) string { return string(r.Mode) }),
		each(list, func(r *row) string { return r.Reason.Rule }),
		each(list, func(r *row) string { return r.Reason.Revision }),
	}
	columns = append(columns, evidenceColumns(list, func(r *row) []flyball.Evidence { return r.Reason.Evidence })...)
	columns = append(columns, each(list, func(r *row) time.Time { return instant(r.Deadline) }))
	return w.insertRows(ctx, TableCommands, len(list), columns, token)
}

// InsertDeadLetters writes dead letters, with the token's meaning as in
// [Writer.Insert].
func (w *Writer) InsertDeadLetters(ctx context.Context, list []DeadLetter, token string) error {
	type row = DeadLetter
	return w.insertRows(ctx, TableDeadLetters, len(list), []any{
		each(list, func(r *row) time.Time { return r.At }),
		each(list, func(r *row) int32 { return r.Partition }),
		each(list, func(r *row) int64 { return r.Offset }),
		each(list, func(r *row) string { return r.Stage }),
		each(list, func(r *row) string { return r.Reason }),
		each(list, func(r *row) string { return r.Message }),
		each(list, func(r *row) string { return r.SourceTopic }),
		each(list, func(r *row) int32 { return r.SourcePartition }),
		each(list, func(r *row) int64 { return r.SourceOffset }),
		each(list, func(r *row) string { return text(r.Key) }),
		each(list, func(r *row) string { return text(r.Value) }),
	}, token)
}

// insertRows writes one slice per column that the table is expected to have, in
// that order.
func (w *Writer) insertRows(ctx context.Context, table string, rows int, columns []any, token string) error {
	if rows == 0 {
		return nil
	}
	in := w.inserts[table]
	if in == nil || in.schema != nil {
		var err error
		if in, err = w.rowPlan(ctx, expectedTable(table)); err != nil {
			return err
		}
		w.inserts[table] = in
	}
	if len(columns) != len(in.columns) {
		panic("BUG: rows and table differ in columns: " + table)
	}
	return w.send(ctx, in, rows, token, func(batch driver.Batch) error {
		for i, c := range columns {
			if err := batch.Column(i).Append(c); err != nil {
				return fmt.Errorf("column %q of type %s: %w", in.columns[i].Name, in.columns[i].Type, err)
			}
		}
		return nil
	})
}

// InsertOutcomes writes what executors reported, with the token's meaning as in
// [Writer.Insert].
func (w *Writer) InsertOutcomes(ctx context.Context, list []flyball.Outcome, token string) error {
	type row = flyball.Outcome
	return w.insertRows(ctx, TableOutcomes, len(list), []any{
		each(list, func(r *row) string { return r.ID }),
		each(list, func(r *row) time.Time { return instant(r.At) }),
		each(list, func(r *row) string { return string(r.Class) }),
		each(list, func(r *row) string { return r.Command }),
		each(list, func(r *row) string { return r.OperationID }),
		each(list, func(r *row) uint32 { return uint32(r.Attempt) }),
		each(list, func(r *row) string { return r.Target }),
		each(list, func(r *row) time.Time { return instant(r.Started) }),
		each(list, func(r *row) time.Time { return instant(r.Finished) }),
		each(list, func(r *row) string { return r.Reason }),
		each(list, func(r *row) string { return r.Detail }),
	}, token)
}

func expectedTable(name string) tableColumns {
	for _, t := range expected {
		if t.name == name {
			return t
		}
	}
	panic("BUG: no such table: " + name)
}

// evidenceColumns are the five columns evidence.*.
func evidenceColumns[R any](list []R, evidence func(*R) []flyball.Evidence) []any {
	type item = flyball.Evidence
	return []any{
		eachOf(list, evidence, func(e *item) string { return e.Name }),
		eachOf(list, evidence, func(e *item) *float64 { return number(&e.Value) }),
		eachOf(list, evidence, func(e *item) *float64 { return number(e.Threshold) }),
		eachOf(list, evidence, func(e *item) string { return e.Unit }),
		eachOf(list, evidence, func(e *item) string { return e.Window }),
	}
}

func each[R, T any](list []R, f func(*R) T) []T {
	out := make([]T, len(list))
	for i := range list {
		out[i] = f(&list[i])
	}
	return out
}

func eachOf[R, S, T any](list []R, of func(*R) []S, f func(*S) T) [][]T {
	return each(list, func(r *R) []T { return each(of(r), f) })
}

// number makes null of what is not a number.
func number(v *float64) *float64 {
	if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) {
		return nil
	}
	return v
}

// instant makes the zero of ClickHouse, 1970, of an unknown time.
func instant(t flyball.Time) time.Time {
	if t == flyball.NoTime {
		return time.Time{}
	}
	return t.Std()
}

// orNone returns the list, or an empty one instead of nil.
func orNone(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
