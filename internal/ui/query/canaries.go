package query

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/flyball-io/flyball"
)

// Analysis is one analysis of a canary, with its latest verdict.
type Analysis struct {
	ID       string    `ch:"analysis_id"`
	Canary   string    `ch:"canary"`
	Entity   string    `ch:"entity"`
	Version  string    `ch:"version"`
	Baseline string    `ch:"baseline"`
	Phase    string    `ch:"phase"`
	Verdict  string    `ch:"verdict"`
	Final    bool      `ch:"is_final"`
	Score    float64   `ch:"score"`
	Reason   string    `ch:"reason"`
	Needs    string    `ch:"needs"`
	Started  time.Time `ch:"started_at"`
	Judged   time.Time `ch:"judged_at"`
	Weight   uint32    `ch:"allowed_weight_percent"`
}

// Analyses returns analyses, the newest first, of one entity or, where that is empty, of
// all.
func (r *Reader) Analyses(ctx context.Context, entity string, from, until time.Time) ([]Analysis, error) {
	return ask[Analysis](ctx, r, `
SELECT analysis_id, canary, entity, version, baseline, phase, verdict, is_final, score, reason, needs, started_at, judged_at, allowed_weight_percent
FROM v_canary_verdicts
WHERE (? = '' OR entity = ?) AND judged_at >= fromUnixTimestamp64Milli(?) AND started_at < fromUnixTimestamp64Milli(?)
ORDER BY started_at DESC
LIMIT 200`, entity, entity, from.UnixMilli(), until.UnixMilli())
}

// Verdicts returns every verdict of an analysis, in order.
func (r *Reader) Verdicts(ctx context.Context, id string) ([]flyball.Verdict, error) {
	type row struct {
		Data string `ch:"data"`
	}
	rows, err := ask[row](ctx, r, `SELECT data FROM verdicts FINAL WHERE id = ? ORDER BY revision LIMIT 5000`, id)
	if err != nil {
		return nil, err
	}
	out := make([]flyball.Verdict, len(rows))
	for i := range rows {
		if err := json.Unmarshal([]byte(rows[i].Data), &out[i]); err != nil {
			return nil, fmt.Errorf("cannot read verdict of analysis %q: %w", id, err)
		}
	}
	return out, nil
}
