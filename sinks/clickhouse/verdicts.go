package clickhouse

import (
	"context"
	"encoding/json"
	"time"

	"github.com/flyball-io/flyball"
)

// InsertVerdicts writes verdicts on canaries, with the token's meaning as in
// [Writer.Insert].
func (w *Writer) InsertVerdicts(ctx context.Context, list []flyball.Verdict, token string) error {
	type row = flyball.Verdict
	type metric = flyball.MetricVerdict
	metrics := func(r *row) []metric { return r.Metrics }
	numbers := func(f func(*metric) flyball.Number) any {
		return eachOf(list, metrics, func(m *metric) *float64 { v := float64(f(m)); return number(&v) })
	}
	return w.insertRows(ctx, TableVerdicts, len(list), []any{
		each(list, func(r *row) string { return r.ID }),
		each(list, func(r *row) uint32 { return uint32(r.Revision) }),
		each(list, func(r *row) string { return r.Canary }),
		each(list, func(r *row) string { return r.Entity }),
		each(list, func(r *row) string { return r.Version }),
		each(list, func(r *row) string { return r.Baseline }),
		each(list, func(r *row) string { return r.Phase }),
		each(list, func(r *row) string { return r.Verdict }),
		each(list, func(r *row) float64 { return r.Score }),
		each(list, func(r *row) string { return r.Reason }),
		each(list, func(r *row) string { return r.Needs }),
		each(list, func(r *row) string { return r.Judge }),
		each(list, func(r *row) time.Time { return instant(r.At) }),
		each(list, func(r *row) time.Time { return instant(r.StartedAt) }),
		each(list, func(r *row) time.Time { return instant(r.EndsAt) }),
		each(list, func(r *row) uint32 { return uint32(r.Looks) }),
		each(list, func(r *row) uint32 { return uint32(r.Held) }),
		each(list, func(r *row) uint32 { return uint32(r.Step) }),
		each(list, func(r *row) uint32 { return uint32(r.AllowedWeight) }),
		each(list, func(r *row) string { return r.By }),
		eachOf(list, metrics, func(m *metric) string { return m.Name }),
		eachOf(list, metrics, func(m *metric) string { return m.Kind }),
		eachOf(list, metrics, func(m *metric) string { return m.Verdict }),
		eachOf(list, metrics, func(m *metric) string { return m.Classification }),
		eachOf(list, metrics, func(m *metric) bool { return m.Critical }),
		numbers(func(m *metric) flyball.Number { return m.Effect }),
		numbers(func(m *metric) flyball.Number { return m.Interval[0] }),
		numbers(func(m *metric) flyball.Number { return m.Interval[1] }),
		numbers(func(m *metric) flyball.Number { return m.EHarm }),
		numbers(func(m *metric) flyball.Number { return m.ESafe }),
		numbers(func(m *metric) flyball.Number { return m.Canary.Last }),
		numbers(func(m *metric) flyball.Number { return m.Baseline.Last }),
		eachOf(list, metrics, func(m *metric) string { return m.Reason }),
		each(list, func(r *row) string { return verdictJSON(r) }),
	}, token)
}

func verdictJSON(v *flyball.Verdict) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("BUG: a verdict does not encode: " + err.Error())
	}
	return string(text)
}

const verdictsOf = `
SELECT data FROM verdicts FINAL
WHERE id = ? ORDER BY revision`

// Verdicts returns what was recorded of an analysis, in the order of its verdicts.
func (db *DB) Verdicts(ctx context.Context, id string) ([]flyball.Verdict, error) {
	rows, err := db.conn.Query(ctx, verdictsOf, id)
	if err != nil {
		return nil, failure("read verdicts from", db.Name(), err)
	}
	defer rows.Close()
	var out []flyball.Verdict
	for rows.Next() {
		var text string
		var v flyball.Verdict
		if err := rows.Scan(&text); err != nil {
			return nil, failure("read verdicts from", db.Name(), err)
		}
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			return nil, failure("read verdicts from", db.Name(), err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, failure("read verdicts from", db.Name(), err)
	}
	return out, nil
}
