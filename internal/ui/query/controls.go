package query

import (
	"context"
	"time"
)

// Control is one thing that a person told automation.
type Control struct {
	ID        string     `ch:"control_id"`
	At        time.Time  `ch:"said_at"`
	Kind      string     `ch:"kind"`
	Who       string     `ch:"person"`
	Why       string     `ch:"why"`
	ScopeKind string     `ch:"scope_kind"`
	ScopeName string     `ch:"scope_name"`
	Until     *time.Time `ch:"ends_at"`
	Lifts     string     `ch:"lifts"`
	Mode      string     `ch:"mode"`
	Operation string     `ch:"operation"`
	Target    string     `ch:"target"`
	Guardrail string     `ch:"guardrail"`
	Backlog   string     `ch:"backlog"`
}

const controlColumns = `control_id, said_at, kind, person, why, scope_kind, scope_name, ends_at, lifts, mode,
    ifNull(operation_id, '') AS operation, target, guardrail, backlog`

// Controls returns one page of what people told automation, the newest first.
func (r *Reader) Controls(ctx context.Context, kind string, before time.Time, beforeID string, limit int) ([]Control, error) {
	if before.IsZero() {
		before = farAhead
	}
	return ask[Control](ctx, r, `SELECT `+controlColumns+`
FROM v_controls
WHERE (said_at, control_id) < (fromUnixTimestamp64Milli(?), ?) AND (? = '' OR kind = ?)
ORDER BY said_at DESC, control_id DESC
LIMIT ?`, before.UnixMilli(), beforeID, kind, kind, limit)
}

// Holding returns what may hold automation, in the order in which it was said: kills,
// pauses, maintenances and modes, and what takes them back.
func (r *Reader) Holding(ctx context.Context) ([]Control, error) {
	return ask[Control](ctx, r, `SELECT * FROM (SELECT `+controlColumns+`
FROM v_controls
WHERE kind IN ('kill', 'pause', 'maintenance', 'mode', 'resume')
ORDER BY said_at DESC, control_id DESC
LIMIT 5000) ORDER BY said_at, control_id`)
}

// Changes returns what people changed in a range, such as deployments by hand.
func (r *Reader) Changes(ctx context.Context, from, until time.Time) ([]Control, error) {
	return ask[Control](ctx, r, `SELECT `+controlColumns+`
FROM v_controls
WHERE kind = 'change' AND said_at >= fromUnixTimestamp64Milli(?) AND said_at < fromUnixTimestamp64Milli(?)
ORDER BY said_at DESC
LIMIT 200`, from.UnixMilli(), until.UnixMilli())
}
