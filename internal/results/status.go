package results

import (
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// decodeStatus reads a record of the slo topic.
func decodeStatus(value []byte) (rows []processors.SLORow, err error) {
	rec, err := processors.DecodeRecord(value)
	if err != nil {
		return nil, err
	}
	defer rec.Release()
	if !rec.Schema().Equal(processors.SLOSchema()) {
		return nil, fmt.Errorf("cannot read the status of SLOs: its columns are others: %s", rec.Schema())
	}
	c := columns{rec}
	for i := range int(rec.NumRows()) {
		rows = append(rows, processors.SLORow{
			SLO: c.text("slo", i), Entity: c.text("entity", i), Labels: c.text("labels", i), At: c.time("at", i),
			Total: c.count("total", i), Bad: c.count("bad", i), SLI: c.number("sli", i), Target: c.number("target", i),
			BudgetConsumed: c.number("budget_consumed", i), Tiers: c.texts("tiers", i), BurnLong: c.numbers("burn_long", i),
			BurnShort: c.numbers("burn_short", i), Firing: c.texts("firing", i), Complete: c.of("complete").(*array.Boolean).Value(i),
			Revision: c.text("revision", i), State: c.text("state", i), PeriodStart: c.time("period_start", i), PeriodEnd: c.time("period_end", i),
			ExcludedTotal: c.count("excluded_total", i), ExcludedBad: c.count("excluded_bad", i), Suppressed: c.texts("suppressed", i),
			Exhausts1h: c.number("exhausts_1h", i), Exhausts6h: c.number("exhausts_6h", i), Exhausts3d: c.number("exhausts_3d", i),
			ExhaustsTrend: c.number("exhausts_trend", i), ExhaustsEarliest: c.number("exhausts_earliest", i),
			ExhaustsLatest: c.number("exhausts_latest", i), SLIHighest: c.number("sli_highest", i),
		})
	}
	return rows, nil
}

// columns gives values by the names of columns, which the schema has.
type columns struct{ arrow.Record }

func (c columns) of(name string) arrow.Array { return c.Column(c.Schema().FieldIndices(name)[0]) }

func (c columns) text(name string, i int) string { return c.of(name).(*array.String).Value(i) }

func (c columns) count(name string, i int) int64 { return c.of(name).(*array.Int64).Value(i) }

func (c columns) time(name string, i int) flyball.Time {
	return flyball.Time(c.of(name).(*array.Timestamp).Value(i))
}

// number returns NaN for null.
func (c columns) number(name string, i int) float64 { return floatAt(c.of(name).(*array.Float64), i) }

func floatAt(a *array.Float64, i int) float64 {
	if a.IsNull(i) {
		return math.NaN()
	}
	return a.Value(i)
}

func (c columns) texts(name string, i int) []string {
	list := c.of(name).(*array.List)
	from, to := list.ValueOffsets(i)
	out := make([]string, 0, to-from)
	for j := from; j < to; j++ {
		out = append(out, list.ListValues().(*array.String).Value(int(j)))
	}
	return out
}

func (c columns) numbers(name string, i int) []float64 {
	list := c.of(name).(*array.List)
	from, to := list.ValueOffsets(i)
	out := make([]float64, 0, to-from)
	for j := from; j < to; j++ {
		out = append(out, floatAt(list.ListValues().(*array.Float64), int(j)))
	}
	return out
}
