package record

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/histogram"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

// Series of a shop of middling size: services, each with routes and statuses.
const (
	services = 40
	routes   = 12
	statuses = 3
	series   = services * routes * statuses
)

// block makes the windows of all series over as many windows as give so many
// rows, with log-normal latencies, every third series without samples.
func block(seed, rows int) arrow.Record {
	r := rand.New(rand.NewPCG(uint64(seed), 1))
	const start = flyball.Time(1_790_000_000_000_000_000)
	var w processors.Windows
	var h histogram.Histogram
	for i := range rows {
		service, route, status := i%services, i/services%routes, i/services/routes%statuses
		entity := fmt.Sprintf("shop-service-%d", service)
		from := start.Add(time.Duration(seed*(rows/series+1)+i/series) * 10 * time.Second)
		row := processors.WindowRow{
			Indicator: "http-server-requests", Entity: entity,
			Labels: fmt.Sprintf(`{"http.response.status_code":"%d00","http.route":"/api/v1/things/%d","service.name":"%s"}`, 2+status, route, entity),
			Start:  from, End: from.Add(10 * time.Second), Revision: 1, Complete: true,
		}
		fill(&row, &h, r, status)
		w.Append(row)
	}
	rec, err := processors.DecodeRecord(w.Encode())
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return rec
}

// fill gives a row its samples: fewer, the worse the status.
func fill(row *processors.WindowRow, h *histogram.Histogram, r *rand.Rand, status int) {
	h.Reset()
	row.Min, row.Max = math.Inf(1), math.Inf(-1)
	for range [statuses]int{60, 4, 0}[status] {
		v := math.Max(1, math.Exp(17+0.6*r.NormFloat64())) // ns, median 24 ms
		h.Add(v)
		row.Sum += v
		row.Min, row.Max = math.Min(row.Min, v), math.Max(row.Max, v)
	}
	row.Count = int64(h.Count())
	if row.Count == 0 {
		nan := math.NaN()
		row.Sum, row.Min, row.Max, row.P50, row.P90, row.P95, row.P99 = nan, nan, nan, nan, nan, nan, nan
		return
	}
	row.Bad = int64(status) * row.Count / 2
	row.P50, row.P90, row.P95, row.P99 = h.Quantile(0.5), h.Quantile(0.9), h.Quantile(0.95), h.Quantile(0.99)
	row.Hist = h.AppendQuantilesDD(nil)
}

// columns holds a record's rows as the slices that clickhouse-go likes best.
type columns struct {
	names  []string
	slices []any
}

func columnsOf(rec arrow.Record) *columns {
	c := &columns{}
	for i, f := range rec.Schema().Fields() {
		c.names = append(c.names, "`"+f.Name+"`")
		c.slices = append(c.slices, sliceOf(rec.Column(i), int(rec.NumRows())))
	}
	return c
}

func sliceOf(a arrow.Array, n int) any {
	switch a := a.(type) {
	case *array.String:
		return made(n, func(i int) string { return strings.Clone(a.Value(i)) })
	case *array.Binary:
		return made(n, func(i int) string { return string(a.Value(i)) })
	case *array.Timestamp:
		return made(n, func(i int) time.Time { return time.Unix(0, int64(a.Value(i))) })
	case *array.Uint32:
		return made(n, a.Value)
	case *array.Int64:
		return made(n, a.Value)
	case *array.Boolean:
		return made(n, a.Value)
	case *array.Float64:
		if a.NullN() == 0 {
			return made(n, a.Value)
		}
		return made(n, func(i int) *float64 {
			if a.IsNull(i) {
				return nil
			}
			v := a.Value(i)
			return &v
		})
	}
	panic("BUG: no slice for " + a.DataType().String())
}

func made[T any](n int, value func(int) T) []T {
	rows := make([]T, n)
	for i := range rows {
		rows[i] = value(i)
	}
	return rows
}

// insert is the bare way.
func (c *columns) insert(ctx context.Context, db *clickhouse.DB) error {
	batch, err := db.Conn().PrepareBatch(ctx, "INSERT INTO windows ("+strings.Join(c.names, ", ")+")")
	if err != nil {
		return fmt.Errorf("cannot prepare bare insert: %w", err)
	}
	for i, s := range c.slices {
		if err := batch.Column(i).Append(s); err != nil {
			return fmt.Errorf("cannot append column %s: %w", c.names[i], err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("cannot send bare insert: %w", err)
	}
	return nil
}
