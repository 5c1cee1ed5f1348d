package history

import (
	"context"
	"fmt"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/histogram"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

const windows = `
SELECT labels, start, end, count, bad, ifNull(sum, 0), ifNull(min, inf), ifNull(max, -inf), if(start >= fromUnixTimestamp64Milli(?), hist, '')
FROM windows FINAL
WHERE indicator = ? AND entity = ? AND start >= fromUnixTimestamp64Milli(?) AND end <= fromUnixTimestamp64Milli(?)
    AND (toUnixTimestamp64Milli(start) % ?) = 0 AND dateDiff('millisecond', start, end) = ?
ORDER BY start, labels`

// Windows returns the windows of an indicator about one entity that lie in [from,
// until), as panes of the width of its window, by start, with their distributions from
// a time on. Of windows that overlap only those that do not are returned.
func Windows(ctx context.Context, db *clickhouse.DB, i *flyball.Indicator, entity string, from, distributions, until time.Time) ([]processors.PaneRow, error) {
	width := i.Window.Milliseconds()
	rows, err := db.Conn().Query(ctx, windows, distributions.UnixMilli(), i.Name, entity, from.UnixMilli(), until.UnixMilli(), width, width)
	if err != nil {
		return nil, fmt.Errorf("cannot read windows from database %q: %w", db.Name(), err)
	}
	defer rows.Close()
	var out []processors.PaneRow
	for rows.Next() {
		r := processors.PaneRow{Indicator: i.Name, Entity: entity}
		var start, end time.Time
		var sum float64
		var sketch string
		if err := rows.Scan(&r.Labels, &start, &end, &r.Count, &r.Bad, &sum, &r.Min, &r.Max, &sketch); err != nil {
			return nil, fmt.Errorf("cannot read windows from database %q: %w", db.Name(), err)
		}
		r.Start, r.Sum = flyball.TimeOf(start), processors.SumOf(sum, 0)
		if sketch != "" {
			var h histogram.Histogram
			if err := h.MergeQuantilesDD([]byte(sketch)); err != nil {
				return nil, fmt.Errorf("cannot read the window of %q that starts at %v: %w", i.Name, start, err)
			}
			r.Hist = h.AppendBinary(nil)
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("cannot read windows from database %q: %w", db.Name(), err)
	}
	return out, nil
}
