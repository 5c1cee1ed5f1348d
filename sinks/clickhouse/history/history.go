// Package history reads what was recorded: what the topics no longer keep, and windows.
package history

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

// Window is a closed window of a series. A number that is not known is nil.
type Window struct {
	Indicator string            `ch:"indicator" json:"indicator"`
	Entity    string            `ch:"entity" json:"entity"`
	Labels    map[string]string `ch:"label_map" json:"labels"`
	Start     time.Time         `ch:"window_start" json:"start"`
	End       time.Time         `ch:"window_end" json:"end"`
	Revision  uint32            `ch:"revision" json:"revision"`
	// Samples and those of them that are Bad.
	Samples int64 `ch:"samples" json:"samples"`
	Bad     int64 `ch:"bad_samples" json:"bad"`
	// Rate is samples per second, Errors the share of bad ones.
	Rate   *float64 `ch:"samples_per_second" json:"rate"`
	Errors *float64 `ch:"error_ratio" json:"error_ratio"`
	// What follows is in the indicator's unit.
	Mean *float64 `ch:"value_mean" json:"mean"`
	Min  *float64 `ch:"value_min" json:"min"`
	Max  *float64 `ch:"value_max" json:"max"`
	P50  *float64 `ch:"value_p50" json:"p50"`
	P90  *float64 `ch:"value_p90" json:"p90"`
	P95  *float64 `ch:"value_p95" json:"p95"`
	P99  *float64 `ch:"value_p99" json:"p99"`
	// Complete is false when a source was missing.
	Complete bool `ch:"is_complete" json:"complete"`
	// LabelText is the canonical JSON of Labels: the last part of the place of a window.
	LabelText string `ch:"labels" json:"-"`
}

// WindowFilter narrows a list of windows. What is empty does not.
type WindowFilter struct {
	Indicator, Entity string
	// From and To bound the start: From ≤ start < To. Both must be there.
	From, To time.Time
	// Before is the last window of the page before.
	Before *Window
	Limit  int
}

const windows = `
SELECT indicator, entity, label_map, window_start, window_end, revision, samples, bad_samples, samples_per_second, error_ratio,
    value_mean, value_min, value_max, value_p50, value_p90, value_p95, value_p99, is_complete, labels
FROM v_windows
WHERE window_start >= fromUnixTimestamp64Milli(?) AND window_start < fromUnixTimestamp64Milli(?)
    AND (? = '' OR indicator = ?) AND (? = '' OR entity = ?)
    AND (? OR (window_start, indicator, entity, labels) < (fromUnixTimestamp64Milli(?), ?, ?, ?))
ORDER BY window_start DESC, indicator DESC, entity DESC, labels DESC
LIMIT ?`

// Windows returns windows, those that start last first.
func Windows(ctx context.Context, db *clickhouse.DB, f WindowFilter) ([]Window, error) {
	first, before := f.Before == nil, Window{}
	if !first {
		before = *f.Before
	}
	var out []Window
	err := db.Conn().Select(ctx, &out, windows, f.From.UnixMilli(), f.To.UnixMilli(), f.Indicator, f.Indicator, f.Entity, f.Entity,
		first, before.Start.UnixMilli(), before.Indicator, before.Entity, before.LabelText, f.Limit)
	if err != nil {
		return nil, fmt.Errorf("cannot read windows from %q: %w", db.Name(), err)
	}
	return out, nil
}

// decision is a row of v_decisions.
type decision struct {
	ID            string            `ch:"decision_id"`
	At            time.Time         `ch:"decided_at"`
	Verb          string            `ch:"verb"`
	Rule          string            `ch:"rule"`
	RuleRevision  string            `ch:"rule_revision"`
	Finding       string            `ch:"finding_id"`
	Revision      uint32            `ch:"finding_revision"`
	Entity        string            `ch:"entity"`
	Target        string            `ch:"target"`
	Action        string            `ch:"action"`
	Params        map[string]string `ch:"action_params"`
	Mode          string            `ch:"mode"`
	Gates         []string          `ch:"gate_names"`
	Passed        []bool            `ch:"gate_passed"`
	Reasons       []string          `ch:"gate_reasons"`
	Parts         []string          `ch:"explain_expressions"`
	Values        []string          `ch:"explain_values"`
	Command       string            `ch:"command"`
	Trigger       string            `ch:"trigger"`
	Operation     string            `ch:"operation"`
	Attempt       uint32            `ch:"attempt"`
	Causes        []string          `ch:"cause_operation_ids"`
	Reason        string            `ch:"reason"`
	Who           string            `ch:"who"`
	RecordedFirst bool              `ch:"acted"`
}

const decisionColumns = `
SELECT decision_id, decided_at, verb, rule, rule_revision, finding_id, finding_revision, entity, target, action, action_params, mode,
    gate_names, gate_passed, gate_reasons, explain_expressions, explain_values, ifNull(command_id, '') AS command,
    ` + "`trigger`" + `, ifNull(operation_id, '') AS operation, attempt, cause_operation_ids, reason, ifNull(person, '') AS who, verb = 'act' AS acted
FROM v_decisions
`

func (d *decision) decision() flyball.Decision {
	out := flyball.Decision{ID: d.ID, At: flyball.TimeOf(d.At), Verb: flyball.Verb(d.Verb), Rule: d.Rule, RuleRevision: d.RuleRevision,
		Finding: d.Finding, FindingRevision: int(d.Revision), Entity: d.Entity, Target: d.Target, Action: flyball.Action{Name: d.Action, Params: d.Params},
		Mode: flyball.Mode(d.Mode), Command: d.Command, Trigger: d.Trigger, Operation: d.Operation, Attempt: int(d.Attempt), Causes: d.Causes,
		Reason: d.Reason, Who: d.Who}
	for i := range d.Gates {
		out.Gates = append(out.Gates, flyball.GateResult{Gate: d.Gates[i], Pass: d.Passed[i], Reason: d.Reasons[i]})
	}
	for i := range d.Parts {
		out.Explain = append(out.Explain, flyball.SubExpression{Expr: d.Parts[i], Value: d.Values[i]})
	}
	return out
}

// DecisionFilter narrows a list of decisions. What is empty does not.
type DecisionFilter struct {
	Verb, Entity, Rule string
	// From and To bound when it was decided: From ≤ at < To; NoTime does not.
	From, To flyball.Time
	// BeforeAt and BeforeID are the last of the page before; NoTime is the first page.
	BeforeAt flyball.Time
	BeforeID string
	Limit    int
}

// farAhead is after all that was recorded, longAgo before: the years 2109 and 1970.
const (
	farAhead = int64(1) << 42
	longAgo  = int64(0)
)

func milli(t flyball.Time, otherwise int64) int64 {
	if t == flyball.NoTime {
		return otherwise
	}
	return t.Std().UnixMilli()
}

// Decisions returns decisions, the latest first. ConfigRevision and Notify are not
// recorded.
func Decisions(ctx context.Context, db *clickhouse.DB, f DecisionFilter) ([]flyball.Decision, error) {
	return readDecisions(ctx, db, decisionColumns+`
WHERE decided_at >= fromUnixTimestamp64Milli(?) AND decided_at < fromUnixTimestamp64Milli(?)
    AND (decided_at, decision_id) < (fromUnixTimestamp64Milli(?), ?)
    AND (? = '' OR verb = ?) AND (? = '' OR entity = ?) AND (? = '' OR rule = ?)
ORDER BY decided_at DESC, decision_id DESC
LIMIT ?`, milli(f.From, longAgo), milli(f.To, farAhead), milli(f.BeforeAt, farAhead), f.BeforeID,
		f.Verb, f.Verb, f.Entity, f.Entity, f.Rule, f.Rule, f.Limit)
}

// mostAbout is how many decisions about one thing are read at most.
const mostAbout = 1000

// About returns all decisions about a decision, a finding, an operation or a command, the
// earliest first.
func About(ctx context.Context, db *clickhouse.DB, id string) ([]flyball.Decision, error) {
	return readDecisions(ctx, db, decisionColumns+`
WHERE ? != '' AND (decision_id = ? OR finding_id = ? OR operation_id = ? OR command_id = ?)
ORDER BY decided_at, recorded_at, acted DESC, decision_id
LIMIT ?`, id, id, id, id, id, mostAbout)
}

func readDecisions(ctx context.Context, db *clickhouse.DB, sql string, args ...any) ([]flyball.Decision, error) {
	var rows []decision
	if err := db.Conn().Select(ctx, &rows, sql, args...); err != nil {
		return nil, fmt.Errorf("cannot read decisions from %q: %w", db.Name(), err)
	}
	out := make([]flyball.Decision, len(rows))
	for i := range rows {
		out[i] = rows[i].decision()
	}
	return out, nil
}

// Cursor returns the place of a window as text; see [ParseWindow].
func (w *Window) Cursor() ([]byte, error) {
	return json.Marshal([]string{w.Start.UTC().Format(time.RFC3339Nano), w.Indicator, w.Entity, w.LabelText})
}

// ParseWindow reads what Cursor returned.
func ParseWindow(text []byte) (*Window, error) {
	var parts []string
	if err := json.Unmarshal(text, &parts); err != nil || len(parts) != 4 {
		return nil, fmt.Errorf("cannot read the place of a window: it is none that was given")
	}
	start, err := time.Parse(time.RFC3339Nano, parts[0])
	if err != nil {
		return nil, fmt.Errorf("cannot read the place of a window: %w", err)
	}
	return &Window{Start: start, Indicator: parts[1], Entity: parts[2], LabelText: parts[3]}, nil
}
