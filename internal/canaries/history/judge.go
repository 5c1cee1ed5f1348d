package history

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

// QuestionError is a question that has no answer as it is asked.
type QuestionError struct{ err error }

// Error is what is wrong with it.
func (e *QuestionError) Error() string { return e.err.Error() }

// Unwrap returns the error that says so.
func (e *QuestionError) Unwrap() error { return e.err }

// ID names an answer: the same question has the same.
func (q Question) ID() string {
	number := func(v *float64) float64 {
		if v == nil {
			return -1
		}
		return *v
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %d %d %v %v", q.Canary, q.Entity, q.Version, q.Baseline, q.From, q.To, number(q.Pass), number(q.Marginal)))
	return "past-" + hex.EncodeToString(sum[:8])
}

// Judge answers a question from the windows in ClickHouse: the verdicts of the analysis,
// in their order; at least one.
func Judge(ctx context.Context, db *clickhouse.DB, canaries []flyball.Canary, all []flyball.Indicator, q Question) ([]flyball.Verdict, error) {
	i := slices.IndexFunc(canaries, func(c flyball.Canary) bool { return c.Name == q.Canary })
	if i < 0 {
		return nil, &QuestionError{fmt.Errorf("no canary %q is configured", q.Canary)}
	}
	c, indicators, err := Widths(canaries[i], all)
	if err != nil {
		return nil, &QuestionError{err}
	}
	looks, counts := Before(c, indicators)
	from := q.From.Std()
	rows, err := windowsOf(ctx, db, indicators, q.Entity, from.Add(-counts), from.Add(-looks), q.To.Std())
	if err != nil {
		return nil, err
	}
	verdicts, err := Analyse(c, indicators, rows, q)
	if err != nil {
		return nil, &QuestionError{err}
	}
	return verdicts, nil
}

// windowsOf reads the windows of all indicators.
func windowsOf(ctx context.Context, db *clickhouse.DB, indicators []flyball.Indicator, entity string, from, distributions, until time.Time) ([]processors.PaneRow, error) {
	var out []processors.PaneRow
	for i := range indicators {
		rows, err := Windows(ctx, db, &indicators[i], entity, from, distributions, until)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	if len(out) == 0 {
		return nil, &QuestionError{fmt.Errorf("there are no windows of %q from %s to %s; was record running, and are they not older than ClickHouse keeps them?",
			entity, from.Format(time.RFC3339), until.Format(time.RFC3339))}
	}
	return out, nil
}
