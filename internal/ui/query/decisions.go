package query

import (
	"context"
	"time"
)

// Decision is one record of the decision log.
type Decision struct {
	ID        string            `ch:"decision_id"`
	At        time.Time         `ch:"decided_at"`
	Verb      string            `ch:"verb"`
	Rule      string            `ch:"rule"`
	Revision  string            `ch:"rule_revision"`
	Finding   string            `ch:"finding_id"`
	Entity    string            `ch:"entity"`
	Target    string            `ch:"target"`
	Action    string            `ch:"action"`
	Params    map[string]string `ch:"action_params"`
	Mode      string            `ch:"mode"`
	Gates     []string          `ch:"gate_names"`
	Passed    []bool            `ch:"gate_passed"`
	Reasons   []string          `ch:"gate_reasons"`
	Stopped   []string          `ch:"stopped_by_gates"`
	Parts     []string          `ch:"explain_expressions"`
	Values    []string          `ch:"explain_values"`
	Command   string            `ch:"command"`
	Trigger   string            `ch:"trigger"`
	Operation string            `ch:"operation"`
	Attempt   uint32            `ch:"attempt"`
	Causes    []string          `ch:"cause_operation_ids"`
	Reason    string            `ch:"reason"`
	Who       string            `ch:"who"`
}

const decisionColumns = `decision_id, decided_at, verb, rule, rule_revision, finding_id, entity, target, action, action_params, mode,
    gate_names, gate_passed, gate_reasons, stopped_by_gates, explain_expressions, explain_values,
    ifNull(command_id, '') AS command, ` + "`trigger`" + `, ifNull(operation_id, '') AS operation, attempt, cause_operation_ids,
    reason, ifNull(person, '') AS who`

// Filter narrows a list of decisions. What is empty does not.
type Filter struct {
	Verb, Rule, Entity, Gate string
	// People keeps only what a person said or was asked.
	People bool
	// Before is the key of the last row of the page before.
	BeforeAt time.Time
	BeforeID string
	Limit    int
}

// farAhead is after everything that was recorded: the year 2109.
var farAhead = time.UnixMilli(1 << 42)

// Decisions returns one page of the decision log, the newest first.
func (r *Reader) Decisions(ctx context.Context, f Filter) ([]Decision, error) {
	before := f.BeforeAt
	if before.IsZero() {
		before = farAhead
	}
	return ask[Decision](ctx, r, `SELECT `+decisionColumns+`
FROM v_decisions
WHERE (decided_at, decision_id) < (fromUnixTimestamp64Milli(?), ?)
    AND (? = '' OR verb = ?) AND (? = '' OR rule = ?) AND (? = '' OR entity = ?) AND (? = '' OR has(stopped_by_gates, ?))
    AND (NOT ? OR person IS NOT NULL)
ORDER BY decided_at DESC, decision_id DESC
LIMIT ?`, before.UnixMilli(), f.BeforeID, f.Verb, f.Verb, f.Rule, f.Rule, f.Entity, f.Entity, f.Gate, f.Gate, f.People, f.Limit)
}

// Decision returns one decision; ok is false when there is none.
func (r *Reader) Decision(ctx context.Context, id string) (Decision, bool, error) {
	return one[Decision](ctx, r, `SELECT `+decisionColumns+` FROM v_decisions WHERE decision_id = ? LIMIT 1`, id)
}

// Story returns what was decided about a finding or an operation, in order.
func (r *Reader) Story(ctx context.Context, finding, operation string) ([]Decision, error) {
	return ask[Decision](ctx, r, `SELECT `+decisionColumns+`
FROM v_decisions
WHERE (? != '' AND finding_id = ?) OR (? != '' AND operation_id = ?)
ORDER BY decided_at, recorded_at, verb != 'act', decision_id
LIMIT 500`, finding, finding, operation, operation)
}

// Waiting returns the operations that wait for a person, the oldest first: those of which
// the last word was that they wait.
func (r *Reader) Waiting(ctx context.Context) ([]Decision, error) {
	return ask[Decision](ctx, r, `SELECT `+decisionColumns+`
FROM v_decisions
WHERE verb IN ('await_approval', 'suggest') AND operation_id IN
(
    SELECT operation_id FROM v_decisions WHERE operation_id IS NOT NULL AND verb != 'control'
    GROUP BY operation_id
    HAVING argMax(verb, (decided_at, recorded_at)) IN ('await_approval', 'suggest')
        AND countIf(verb IN ('act', 'rejected', 'expired', 'closed')) = 0
)
ORDER BY operation_id, decided_at DESC
LIMIT 1 BY operation_id
LIMIT 200`)
}

// Blocked returns the operations whose outcome nobody knows: their targets are held.
func (r *Reader) Blocked(ctx context.Context) ([]Decision, error) {
	return ask[Decision](ctx, r, `SELECT `+decisionColumns+`
FROM v_decisions
WHERE verb = 'unknown' AND operation_id IN
(
    SELECT operation_id FROM v_decisions WHERE operation_id IS NOT NULL AND verb != 'control'
    GROUP BY operation_id HAVING argMax(verb, (decided_at, recorded_at)) = 'unknown'
)
ORDER BY decided_at DESC
LIMIT 200`)
}

// Breaker is when the breaker of a guardrail last opened or was closed.
type Breaker struct {
	Guardrail string    `ch:"guardrail"`
	At        time.Time `ch:"at"`
	Reason    string    `ch:"reason"`
	Open      bool      `ch:"open"`
}

// Breakers returns the last that the decision log says of every guardrail's breaker.
func (r *Reader) Breakers(ctx context.Context) ([]Breaker, error) {
	return ask[Breaker](ctx, r, `
SELECT guardrail, max(decided_at) AS at, argMax(text, decided_at) AS reason, argMax(is_open, decided_at) AS open
FROM
(
    SELECT decided_at, reason AS text, CAST(verb = 'page' AS Bool) AS is_open,
        if(verb = 'page', extract(reason, '^the breaker of guardrail (\\S+) has opened'), extract(reason, '^reset_breaker ([^:\\s]+): its breaker is closed')) AS guardrail
    FROM v_decisions
    WHERE verb IN ('page', 'control')
)
WHERE guardrail != ''
GROUP BY guardrail ORDER BY guardrail`)
}

// Remediation is one operation of which a command was sent.
type Remediation struct {
	Operation string    `ch:"operation_id"`
	Rule      string    `ch:"rule"`
	Target    string    `ch:"target"`
	Finding   string    `ch:"finding_id"`
	Action    string    `ch:"first_action"`
	Attempts  uint32    `ch:"attempts"`
	SentAt    time.Time `ch:"first_sent_at"`
	LastAt    time.Time `ch:"last_at"`
	LastVerb  string    `ch:"last_verb"`
	Effective bool      `ch:"was_effective"`
}

// Remediations returns the operations about an entity in a range, the newest first.
func (r *Reader) Remediations(ctx context.Context, entity string, from, until time.Time) ([]Remediation, error) {
	return ask[Remediation](ctx, r, `
SELECT ifNull(r.operation_id, '') AS operation_id, rule, target, finding_id, first_action, attempts, first_sent_at, last_at,
    d.verb AS last_verb, was_effective
FROM v_remediations AS r
INNER JOIN
(
    SELECT operation_id, argMaxIf(verb, (decided_at, verb != 'act'), verb != 'control') AS verb
    FROM v_decisions WHERE entity = ? AND operation_id IS NOT NULL GROUP BY operation_id
) AS d ON d.operation_id = r.operation_id
WHERE entity = ? AND last_at >= fromUnixTimestamp64Milli(?) AND first_sent_at < fromUnixTimestamp64Milli(?)
ORDER BY first_sent_at DESC
LIMIT 200`, entity, entity, from.UnixMilli(), until.UnixMilli())
}

// Rules returns the rules and entities of the decision log, for filters.
func (r *Reader) Rules(ctx context.Context) ([]string, error) {
	type row struct {
		Name string `ch:"rule"`
	}
	rows, err := ask[row](ctx, r, `SELECT DISTINCT rule FROM v_decisions WHERE rule != '' ORDER BY rule LIMIT 200`)
	names := make([]string, len(rows))
	for i := range rows {
		names[i] = rows[i].Name
	}
	return names, err
}
