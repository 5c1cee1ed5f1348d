package query

import (
	"context"
	"time"
)

// Finding is one finding in its latest state.
type Finding struct {
	ID         string     `ch:"finding_id"`
	Kind       string     `ch:"kind"`
	State      string     `ch:"state"`
	Severity   string     `ch:"severity"`
	Entity     string     `ch:"entity"`
	Detector   string     `ch:"detector"`
	Tier       string     `ch:"tier"`
	OpenedAt   time.Time  `ch:"opened_at"`
	ChangedAt  time.Time  `ch:"changed_at"`
	ResolvedAt *time.Time `ch:"resolved_at"`
	Summary    string     `ch:"summary"`
	Complete   bool       `ch:"is_complete"`

	Names      []string   `ch:"evidence_names"`
	Values     []*float64 `ch:"evidence_values"`
	Thresholds []*float64 `ch:"evidence_thresholds"`
	Units      []string   `ch:"evidence_units"`
	Spans      []string   `ch:"evidence_windows"`

	// Examples are there where one finding is asked for.
	Examples []Example
}

// Example is a sample that a finding is about.
type Example struct {
	Indicator string     `ch:"indicator"`
	Labels    string     `ch:"labels"`
	At        *time.Time `ch:"at"`
	Trace     string     `ch:"trace_id"`
	Text      string     `ch:"text"`
}

const findingColumns = `finding_id, kind, state, severity, entity, detector, tier, opened_at, changed_at, resolved_at,
    summary, is_complete, evidence_names, evidence_values, evidence_thresholds, evidence_units, evidence_windows`

// OpenFindings returns what is open, the most urgent first, of one entity or, where that
// is empty, of all.
func (r *Reader) OpenFindings(ctx context.Context, entity string) ([]Finding, error) {
	return ask[Finding](ctx, r, `SELECT `+findingColumns+`
FROM v_findings
WHERE is_open AND (? = '' OR entity = ?)
ORDER BY transform(severity, ['page', 'ticket', 'info'], [0, 1, 2], 3), opened_at DESC
LIMIT 500`, entity, entity)
}

// FindingsOf returns the findings of an entity that were open in a range, the newest first.
func (r *Reader) FindingsOf(ctx context.Context, entity string, from, until time.Time) ([]Finding, error) {
	return ask[Finding](ctx, r, `SELECT `+findingColumns+`
FROM v_findings
WHERE entity = ? AND opened_at < fromUnixTimestamp64Milli(?) AND (is_open OR changed_at >= fromUnixTimestamp64Milli(?))
ORDER BY opened_at DESC
LIMIT 200`, entity, until.UnixMilli(), from.UnixMilli())
}

// Finding returns one finding; ok is false when there is none.
func (r *Reader) Finding(ctx context.Context, id string) (Finding, bool, error) {
	f, ok, err := one[Finding](ctx, r, `SELECT `+findingColumns+` FROM v_findings WHERE finding_id = ? LIMIT 1`, id)
	if err != nil || !ok {
		return f, ok, err
	}
	f.Examples, err = ask[Example](ctx, r, `SELECT indicator, labels, at, trace_id, text FROM v_examples WHERE finding_id = ? ORDER BY place LIMIT 10`, id)
	return f, true, err
}
