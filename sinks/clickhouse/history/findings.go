package history

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

// finding is a row of the table findings: one state of one.
type finding struct {
	ID         string     `ch:"id"`
	Revision   uint32     `ch:"revision"`
	Kind       string     `ch:"kind"`
	State      string     `ch:"state"`
	Severity   string     `ch:"severity"`
	Entity     string     `ch:"entity"`
	Labels     string     `ch:"labels"`
	Detector   string     `ch:"detector"`
	Tier       string     `ch:"tier"`
	At         time.Time  `ch:"at"`
	OpenedAt   time.Time  `ch:"opened_at"`
	Summary    string     `ch:"summary"`
	Names      []string   `ch:"names"`
	Values     []*float64 `ch:"vals"`
	Thresholds []*float64 `ch:"thresholds"`
	Units      []string   `ch:"units"`
	Windows    []string   `ch:"windows"`
	Incomplete bool       `ch:"incomplete"`
	Series     string     `ch:"series"`
	Examples   string     `ch:"examples"`
}

func (f *finding) finding() (flyball.Finding, error) {
	out := flyball.Finding{ID: f.ID, Revision: int(f.Revision), Kind: f.Kind, State: flyball.FindingState(f.State), Severity: f.Severity,
		Entity: f.Entity, Detector: f.Detector, Tier: f.Tier, At: flyball.TimeOf(f.At), OpenedAt: flyball.TimeOf(f.OpenedAt),
		Summary: f.Summary, Incomplete: f.Incomplete}
	if err := json.Unmarshal([]byte(f.Labels), &out.Labels); err != nil {
		return out, fmt.Errorf("cannot read the labels of finding %q: %w", f.ID, err)
	}
	if f.Series != "" {
		if err := json.Unmarshal([]byte(f.Series), &out.Series); err != nil {
			return out, fmt.Errorf("cannot read the series of finding %q: %w", f.ID, err)
		}
	}
	if f.Examples != "" {
		if err := json.Unmarshal([]byte(f.Examples), &out.Examples); err != nil {
			return out, fmt.Errorf("cannot read the examples of finding %q: %w", f.ID, err)
		}
	}
	for i, v := range f.Values {
		if v != nil { // what is not a number is not there
			out.Evidence = append(out.Evidence, flyball.Evidence{Name: f.Names[i], Value: *v, Threshold: f.Thresholds[i], Unit: f.Units[i], Window: f.Windows[i]})
		}
	}
	return out, nil
}

// Findings returns every state that findings were in, From ≤ at < To, in the order of
// their times. Whom they were to notify is not recorded.
func Findings(ctx context.Context, db *clickhouse.DB, from, to flyball.Time) ([]flyball.Finding, error) {
	var rows []finding
	err := db.Conn().Select(ctx, &rows, "SELECT id, revision, kind, state, severity, entity, labels, detector, tier, at, opened_at, summary, "+
		"`evidence.name` AS names, `evidence.value` AS vals, `evidence.threshold` AS thresholds, `evidence.unit` AS units, "+
		"`evidence.window` AS windows, incomplete, series, examples"+`
FROM findings FINAL
WHERE at >= fromUnixTimestamp64Milli(?) AND at < fromUnixTimestamp64Milli(?)
ORDER BY at, entity, opened_at, id, revision`, milli(from, longAgo), milli(to, farAhead))
	if err != nil {
		return nil, fmt.Errorf("cannot read findings from %q: %w", db.Name(), err)
	}
	out := make([]flyball.Finding, len(rows))
	for i := range rows {
		if out[i], err = rows[i].finding(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Outcomes returns what executors reported, From ≤ at < To, in the order of their times.
func Outcomes(ctx context.Context, db *clickhouse.DB, from, to flyball.Time) ([]flyball.Outcome, error) {
	var rows []struct {
		ID        string    `ch:"id"`
		At        time.Time `ch:"at"`
		Class     string    `ch:"class"`
		Command   string    `ch:"command"`
		Operation string    `ch:"operation_id"`
		Attempt   uint32    `ch:"attempt"`
		Target    string    `ch:"target"`
		Started   time.Time `ch:"started"`
		Finished  time.Time `ch:"finished"`
		Reason    string    `ch:"reason"`
		Detail    string    `ch:"detail"`
	}
	err := db.Conn().Select(ctx, &rows, `
SELECT id, at, class, command, operation_id, attempt, target, started, finished, reason, detail
FROM outcomes FINAL
WHERE at >= fromUnixTimestamp64Milli(?) AND at < fromUnixTimestamp64Milli(?)
ORDER BY at, operation_id, attempt, id`, milli(from, longAgo), milli(to, farAhead))
	if err != nil {
		return nil, fmt.Errorf("cannot read outcomes from %q: %w", db.Name(), err)
	}
	out := make([]flyball.Outcome, len(rows))
	for i, r := range rows {
		out[i] = flyball.Outcome{ID: r.ID, Class: flyball.OutcomeClass(r.Class), Command: r.Command, Target: r.Target, At: flyball.TimeOf(r.At),
			OperationID: r.Operation, Attempt: int(r.Attempt), Started: known(r.Started), Finished: known(r.Finished), Reason: r.Reason, Detail: r.Detail}
	}
	return out, nil
}

// Controls returns what people told automation, From ≤ at < To, in the order of its times.
func Controls(ctx context.Context, db *clickhouse.DB, from, to flyball.Time) ([]flyball.Control, error) {
	var rows []struct {
		ID        string    `ch:"id"`
		At        time.Time `ch:"at"`
		Kind      string    `ch:"kind"`
		Who       string    `ch:"who"`
		Why       string    `ch:"why"`
		Scope     string    `ch:"scope_kind"`
		Name      string    `ch:"scope_name"`
		Until     time.Time `ch:"until"`
		Lifts     string    `ch:"lifts"`
		Mode      string    `ch:"mode"`
		Operation string    `ch:"operation_id"`
		Target    string    `ch:"target"`
		Guardrail string    `ch:"guardrail"`
		Backlog   string    `ch:"backlog"`
	}
	err := db.Conn().Select(ctx, &rows, `
SELECT id, at, kind, who, why, scope_kind, scope_name, until, lifts, mode, operation_id, target, guardrail, backlog
FROM controls FINAL
WHERE at >= fromUnixTimestamp64Milli(?) AND at < fromUnixTimestamp64Milli(?)
ORDER BY at, id`, milli(from, longAgo), milli(to, farAhead))
	if err != nil {
		return nil, fmt.Errorf("cannot read controls from %q: %w", db.Name(), err)
	}
	out := make([]flyball.Control, len(rows))
	for i, r := range rows {
		out[i] = flyball.Control{ID: r.ID, Kind: flyball.ControlKind(r.Kind), At: flyball.TimeOf(r.At), Who: r.Who, Why: r.Why,
			Scope: flyball.Scope{Kind: r.Scope, Name: r.Name}, Until: flyball.TimeOf(r.Until), Lifts: r.Lifts, Mode: flyball.Mode(r.Mode),
			Operation: r.Operation, Target: r.Target, Guardrail: r.Guardrail, Backlog: r.Backlog}
	}
	return out, nil
}

// known is a time; the epoch and what is before it is none.
func known(t time.Time) flyball.Time {
	if t.UnixMilli() <= 0 {
		return flyball.NoTime
	}
	return flyball.TimeOf(t)
}
