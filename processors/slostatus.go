package processors

import (
	"github.com/apache/arrow/go/v17/arrow"

	"github.com/flyball-io/flyball"
)

// SLORow is the status of one SLO at one point in event time.
type SLORow struct {
	// SLO is its name; Entity and Labels (canonical JSON) say about what.
	SLO, Entity, Labels string
	// At is the end of the pane up to which it counts.
	At flyball.Time
	// Total and Bad samples over the SLO's period.
	Total, Bad int64
	// SLI is the good share, NaN without samples.
	SLI float64
	// Target is the objective as a share.
	Target float64
	// BudgetConsumed is the share of the error budget used, 1 being all of it; it
	// may be more. NaN without samples.
	BudgetConsumed float64
	// Tiers, with the burn rates in both windows (NaN without samples), and
	// which of them fire.
	Tiers               []string
	BurnLong, BurnShort []float64
	Firing              []string
	// Complete is false when a source was missing.
	Complete bool
	// Revision of what is counted; another one is another budget.
	Revision string
	// State is OK, EXHAUSTED (the budget is used up) or NO_DATA.
	State string
	// PeriodStart and PeriodEnd bound the period that Total and Bad are of.
	PeriodStart, PeriodEnd flyball.Time
	// ExcludedTotal and ExcludedBad are the samples of the period that exclusions
	// took out: they are not among Total and Bad.
	ExcludedTotal, ExcludedBad int64
	// Suppressed holds "tier: reason" of tiers that burn and do not fire.
	Suppressed []string
	// Exhausts1h, Exhausts6h and Exhausts3d are in how many seconds the budget is gone
	// if it goes on burning as in the last hour, 6 hours, 3 days: 0 when it is gone,
	// NaN when it is not to be, or nobody knows.
	Exhausts1h, Exhausts6h, Exhausts3d float64
	// ExhaustsTrend is the same as the trend of the burn rate has it, between
	// ExhaustsEarliest and ExhaustsLatest with 90 % confidence (NaN is not within a
	// period).
	ExhaustsTrend, ExhaustsEarliest, ExhaustsLatest float64
	// SLIHighest is what SLI may be at most where a threshold lies within a bucket of
	// the histogram, whose values SLI counts as bad; NaN where it is exact.
	SLIHighest float64
}

// The states of an SLO.
const (
	SLOStateOK        = "OK"
	SLOStateExhausted = "EXHAUSTED"
	SLOStateNoData    = "NO_DATA"
)

// SLOStatus holds status rows as columns; their names are those of the
// ClickHouse table `slo_status`. The zero value is ready.
type SLOStatus struct {
	rows []SLORow
}

var sloSchema = arrow.NewSchema([]arrow.Field{
	field("slo", arrow.BinaryTypes.String),
	field("entity", arrow.BinaryTypes.String),
	field("labels", arrow.BinaryTypes.String),
	field("at", timestampType),
	field("total", arrow.PrimitiveTypes.Int64),
	field("bad", arrow.PrimitiveTypes.Int64),
	nullable("sli", arrow.PrimitiveTypes.Float64),
	nullable("target", arrow.PrimitiveTypes.Float64),
	nullable("budget_consumed", arrow.PrimitiveTypes.Float64),
	field("tiers", arrow.ListOf(arrow.BinaryTypes.String)),
	field("burn_long", arrow.ListOf(arrow.PrimitiveTypes.Float64)),
	field("burn_short", arrow.ListOf(arrow.PrimitiveTypes.Float64)),
	field("firing", arrow.ListOf(arrow.BinaryTypes.String)),
	field("complete", arrow.FixedWidthTypes.Boolean),
	field("revision", arrow.BinaryTypes.String),
	field("state", arrow.BinaryTypes.String),
	field("period_start", timestampType),
	field("period_end", timestampType),
	field("excluded_total", arrow.PrimitiveTypes.Int64),
	field("excluded_bad", arrow.PrimitiveTypes.Int64),
	field("suppressed", arrow.ListOf(arrow.BinaryTypes.String)),
	nullable("exhausts_1h", arrow.PrimitiveTypes.Float64),
	nullable("exhausts_6h", arrow.PrimitiveTypes.Float64),
	nullable("exhausts_3d", arrow.PrimitiveTypes.Float64),
	nullable("exhausts_trend", arrow.PrimitiveTypes.Float64),
	nullable("exhausts_earliest", arrow.PrimitiveTypes.Float64),
	nullable("exhausts_latest", arrow.PrimitiveTypes.Float64),
	nullable("sli_highest", arrow.PrimitiveTypes.Float64),
}, nil)

// SLOSchema returns the Arrow schema of the slo topic.
func SLOSchema() *arrow.Schema { return sloSchema }

// Len returns the number of rows.
func (s *SLOStatus) Len() int {
	if s == nil {
		return 0
	}
	return len(s.rows)
}

// Append adds a row.
func (s *SLOStatus) Append(r SLORow) { s.rows = append(s.rows, r) }

// Row returns row i.
func (s *SLOStatus) Row(i int) SLORow { return s.rows[i] }

// Encode returns the rows as an Arrow IPC stream.
func (s *SLOStatus) Encode() []byte {
	return encodeRecord(sloSchema, s.Len(), []arrow.Array{
		stringColumn(pick(s.rows, func(r SLORow) string { return r.SLO })),
		stringColumn(pick(s.rows, func(r SLORow) string { return r.Entity })),
		stringColumn(pick(s.rows, func(r SLORow) string { return r.Labels })),
		timeColumn(pick(s.rows, func(r SLORow) int64 { return int64(r.At) })),
		int64Column(pick(s.rows, func(r SLORow) int64 { return r.Total })),
		int64Column(pick(s.rows, func(r SLORow) int64 { return r.Bad })),
		floatColumn(pick(s.rows, func(r SLORow) float64 { return r.SLI })),
		floatColumn(pick(s.rows, func(r SLORow) float64 { return r.Target })),
		floatColumn(pick(s.rows, func(r SLORow) float64 { return r.BudgetConsumed })),
		stringListColumn(pick(s.rows, func(r SLORow) []string { return r.Tiers })),
		floatListColumn(pick(s.rows, func(r SLORow) []float64 { return r.BurnLong })),
		floatListColumn(pick(s.rows, func(r SLORow) []float64 { return r.BurnShort })),
		stringListColumn(pick(s.rows, func(r SLORow) []string { return r.Firing })),
		boolColumn(pick(s.rows, func(r SLORow) bool { return r.Complete })),
		stringColumn(pick(s.rows, func(r SLORow) string { return r.Revision })),
		stringColumn(pick(s.rows, func(r SLORow) string { return r.State })),
		timeColumn(pick(s.rows, func(r SLORow) int64 { return int64(r.PeriodStart) })),
		timeColumn(pick(s.rows, func(r SLORow) int64 { return int64(r.PeriodEnd) })),
		int64Column(pick(s.rows, func(r SLORow) int64 { return r.ExcludedTotal })),
		int64Column(pick(s.rows, func(r SLORow) int64 { return r.ExcludedBad })),
		stringListColumn(pick(s.rows, func(r SLORow) []string { return r.Suppressed })),
		floatColumn(pick(s.rows, func(r SLORow) float64 { return r.Exhausts1h })),
		floatColumn(pick(s.rows, func(r SLORow) float64 { return r.Exhausts6h })),
		floatColumn(pick(s.rows, func(r SLORow) float64 { return r.Exhausts3d })),
		floatColumn(pick(s.rows, func(r SLORow) float64 { return r.ExhaustsTrend })),
		floatColumn(pick(s.rows, func(r SLORow) float64 { return r.ExhaustsEarliest })),
		floatColumn(pick(s.rows, func(r SLORow) float64 { return r.ExhaustsLatest })),
		floatColumn(pick(s.rows, func(r SLORow) float64 { return r.SLIHighest })),
	})
}

func pick[T any](rows []SLORow, f func(SLORow) T) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = f(r)
	}
	return out
}

// Blocks returns the rows as Arrow IPC streams, each small enough for a record.
func (s *SLOStatus) Blocks() [][]byte {
	var out [][]byte
	for from := 0; from < s.Len(); from += sloRows {
		part := SLOStatus{rows: s.rows[from:min(from+sloRows, s.Len())]}
		out = append(out, part.Encode())
	}
	return out
}

// sloRows is how many rows of status fit into a block with room to spare.
const sloRows = MaxBlock / 1024
