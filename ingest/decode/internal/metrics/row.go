package metrics

import (
	"math"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/otlp"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// row builds the rows of data points, whatever the encoding they came in.
type row struct {
	otlp.Row
	column metricColumns
	kinds  rows.Enum
	only   map[string]bool // names that are wanted; nil for all

	metric metric
	point  ingest.Point
	dist   flyball.Distribution
	text   []byte

	examples  bool          // exemplars are wanted
	exemplars []ingest.Note // of the point at hand
}

// metricColumns holds the column of each field that is not an attribute, or -1.
type metricColumns struct {
	name, unit, kind, quantile, value, duration int
}

// metric is what the data points at hand have in common.
type metric struct {
	name, unit  []byte
	kind        metricKind
	temporality int32
	monotonic   bool
	nanos       float64 // of its unit, 0 when that is not a time
	id          otlp.Identity
}

type metricKind int32

const (
	gaugeKind metricKind = iota
	sumKind
	histogramKind
	exponentialKind
	summaryKind
)

// Values of AggregationTemporality.
const (
	deltaTemporality      = 1
	cumulativeTemporality = 2
)

// noRecordedValue is the bit of DataPointFlags that says that a stream has no value
// any more.
const noRecordedValue = 1

func newRow(p ingest.Projection) row {
	r := row{
		Row: otlp.NewRow(p, otlp.Fields{
			Prefix: "point.", Labels: []string{"metric.name", "metric.unit", "metric.type", "quantile"},
			Values: []string{flyball.FieldValue, flyball.FieldDuration},
		}),
		column: metricColumns{
			name: p.Label("metric.name"), unit: p.Label("metric.unit"), kind: p.Label("metric.type"),
			quantile: p.Label("quantile"), value: p.Value(flyball.FieldValue), duration: p.Value(flyball.FieldDuration),
		},
		kinds: rows.Enum{Texts: []string{"gauge", "sum", "histogram", "exponential_histogram", "summary"}},
	}
	r.Identify, r.examples = true, p.Examples
	if names, ok := p.Only["metric.name"]; ok {
		r.only = map[string]bool{}
		for _, name := range names {
			r.only[name] = true
		}
	}
	return r
}

// begin starts a record. It reports whether codes known so far are void.
func (r *row) begin(b *ingest.Builder) bool {
	if !r.Begin(b) {
		return false
	}
	if c := r.column.kind; c >= 0 {
		r.kinds.Intern(b.Dictionary(), c)
	}
	return true
}

// wants reports whether some indicator may want the metric.
func (r *row) wants(name []byte) bool { return r.only == nil || r.only[string(name)] }

// enterMetric starts the points of a metric.
func (r *row) enterMetric() {
	m := &r.metric
	m.nanos = unitNanos[string(m.unit)]
	m.id = otlp.Identity{}
	if r.cumulative() {
		r.AddIdentity(&m.id, otlp.SampleLevel, []byte("metric.name"), &otlp.AnyValue{Kind: otlp.String, Bytes: m.name})
		r.AddIdentity(&m.id, otlp.SampleLevel, []byte("metric.unit"), &otlp.AnyValue{Kind: otlp.String, Bytes: m.unit})
		r.AddIdentity(&m.id, otlp.SampleLevel, []byte("metric.type"), &otlp.AnyValue{Kind: otlp.Int, Bits: uint64(m.kind)})
	}
}

// cumulative reports whether the points are totals of which only the increase counts.
// A sum that may go down is a level, and each of its points says what it is.
func (r *row) cumulative() bool {
	m := &r.metric
	switch m.kind {
	case sumKind:
		return m.temporality == cumulativeTemporality && m.monotonic
	case histogramKind, exponentialKind:
		return m.temporality == cumulativeTemporality
	}
	return false
}

// unitNanos are the units of time (UCUM) in nanoseconds.
var unitNanos = map[string]float64{
	"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9, "min": 60e9, "h": 3600e9, "d": 86400e9,
	"µs": 1e3, "μs": 1e3, "seconds": 1e9, "milliseconds": 1e6, "microseconds": 1e3, "nanoseconds": 1,
}

// pointFields are the fields of a data point that are not attributes.
type pointFields struct {
	start, at uint64
	flags     uint64
	number    float64
	has       bool // number is set
}

// enterPoint starts a data point.
func (r *row) enterPoint() {
	r.Enter(otlp.SampleLevel)
	r.exemplars = r.exemplars[:0]
	d := &r.dist
	*d = flyball.Distribution{
		Sum: math.NaN(), Min: math.NaN(), Max: math.NaN(), Nanos: r.metric.nanos,
		Bounds: d.Bounds[:0], Buckets: d.Buckets[:0], Pos: d.Pos[:0], Neg: d.Neg[:0],
	}
}

// endNumber ends a point of a gauge or sum.
func (r *row) endNumber(b *ingest.Builder, f *pointFields, id otlp.Identity) {
	if f.flags&noRecordedValue != 0 && !r.Broken[otlp.SampleLevel] {
		return
	}
	fault := r.timeFault(f)
	m := &r.metric
	counts := m.kind == sumKind && m.monotonic
	if fault == rows.NoFault && (!f.has || math.IsNaN(f.number) || math.IsInf(f.number, 0)) {
		fault = rows.FaultPoint
	}
	if fault == rows.NoFault && m.kind == sumKind && m.temporality != deltaTemporality && m.temporality != cumulativeTemporality {
		fault = rows.FaultTemporality
	}
	if fault == rows.NoFault && counts && f.number < 0 {
		fault = rows.FaultDecrease
	}
	r.number(f.number)
	if !counts {
		r.end(b, f, fault, nil)
		return
	}
	r.point = ingest.Point{Weight: weightOf(f.number), Value: f.number}
	r.end(b, f, fault, r.total(f, id))
}

// maxWeight bounds what one point counts for; more is no number of samples.
const maxWeight = 1 << 44

// weightOf returns how many samples an increase is.
func weightOf(v float64) int64 {
	if !(v >= 0) {
		return 0
	}
	return int64(math.Round(min(v, maxWeight)))
}

// number sets the columns of a measured value.
func (r *row) number(v float64) {
	if c := r.column.value; c >= 0 {
		r.Values[otlp.SampleLevel][c] = rows.Number{V: v, Rank: 1}
	}
	if c := r.column.duration; c >= 0 && r.metric.nanos > 0 {
		r.Values[otlp.SampleLevel][c] = rows.Number{V: v * r.metric.nanos, Rank: 1}
	}
}

// total completes the point at hand where it is one of a cumulative stream.
func (r *row) total(f *pointFields, id otlp.Identity) *ingest.Point {
	if r.cumulative() {
		r.point.Cumulative = true
		r.point.Start = flyball.Time(min(f.start, math.MaxInt64))
		id.Join(r.Identity(otlp.ScopeLevel))
		id.Join(r.metric.id)
		r.point.Stream = flyball.StreamID{Hi: id.Hi, Lo: id.Lo}
	}
	return &r.point
}

// endDistribution ends a point of a histogram, whose distribution was read.
func (r *row) endDistribution(b *ingest.Builder, f *pointFields, id otlp.Identity) {
	if f.flags&noRecordedValue != 0 && !r.Broken[otlp.SampleLevel] {
		return
	}
	fault := r.timeFault(f)
	if fault == rows.NoFault {
		fault = distributionFault(&r.dist)
	}
	if t := r.metric.temporality; fault == rows.NoFault && t != deltaTemporality && t != cumulativeTemporality {
		fault = rows.FaultTemporality
	}
	r.point = ingest.Point{Weight: int64(min(r.dist.Count, maxWeight)), Distribution: &r.dist, Value: math.NaN()}
	r.end(b, f, fault, r.total(f, id))
}

// distributionFault returns what is wrong with a distribution.
func distributionFault(d *flyball.Distribution) rows.Fault {
	if d.Count > maxWeight || math.IsInf(d.Sum, 0) {
		return rows.FaultPoint
	}
	if !d.Exponential {
		return explicitFault(d)
	}
	if d.Scale < -10 || d.Scale > 40 || !(d.ZeroThreshold >= 0) || math.IsInf(d.ZeroThreshold, 1) ||
		beyond(d.Scale, d.PosOffset, d.Pos) || beyond(d.Scale, d.NegOffset, d.Neg) {
		return rows.FaultBounds
	}
	if !addUp(d.Count, d.Zero, d.Pos, d.Neg) {
		return rows.FaultBuckets
	}
	return rows.NoFault
}

func explicitFault(d *flyball.Distribution) rows.Fault {
	if len(d.Buckets) == 0 && len(d.Bounds) == 0 {
		return rows.NoFault // it only counts
	}
	if len(d.Buckets) != len(d.Bounds)+1 || !addUp(d.Count, 0, d.Buckets, nil) {
		return rows.FaultBuckets
	}
	last := math.Inf(-1)
	for _, x := range d.Bounds {
		if !(x > last) || math.IsInf(x, 1) {
			return rows.FaultBounds
		}
		last = x
	}
	return rows.NoFault
}

// addUp reports whether counts are what is counted.
func addUp(count, zero uint64, lists ...[]uint64) bool {
	sum := zero
	for _, list := range lists {
		for _, n := range list {
			if sum > count || n > count-sum {
				return false
			}
			sum += n
		}
	}
	return sum == count
}

// beyond reports whether some bucket with a count is beyond the range of float64.
func beyond(scale, offset int32, counts []uint64) bool {
	last := len(counts) - 1
	for last >= 0 && counts[last] == 0 {
		last--
	}
	if last < 0 {
		return false
	}
	at := int64(offset) + int64(last)
	if scale >= 0 {
		return at>>scale >= 1024
	}
	return at >= 1024>>-scale
}

// quantileRow ends one quantile of a summary.
func (r *row) quantileRow(b *ingest.Builder, f *pointFields, quantile, value float64) {
	if c := r.column.quantile; c >= 0 {
		r.text = rows.AppendDouble(r.text[:0], quantile)
		r.SetField(otlp.SampleLevel, c, r.text)
	}
	fault := r.timeFault(f)
	if fault == rows.NoFault && math.IsInf(value, 0) {
		fault = rows.FaultPoint
	}
	r.number(value)
	r.end(b, f, fault, nil)
}

func (r *row) timeFault(f *pointFields) rows.Fault {
	switch {
	case r.Broken[otlp.SampleLevel]:
		return rows.FaultFraming
	case f.at == 0:
		return rows.FaultNoTime
	case f.at > math.MaxInt64:
		return rows.FaultTimeRange
	}
	return rows.NoFault
}

// row ends the point at hand.
func (r *row) end(b *ingest.Builder, f *pointFields, fault rows.Fault, p *ingest.Point) {
	r.SetField(otlp.SampleLevel, r.column.name, r.metric.name)
	r.SetField(otlp.SampleLevel, r.column.unit, r.metric.unit)
	labels, values := r.Labels[otlp.SampleLevel], r.Values[otlp.SampleLevel]
	if c := r.column.kind; c >= 0 {
		labels[c].Code = r.kinds.Code(int32(r.metric.kind))
	}
	n := b.Len()
	if p == nil {
		r.Append(b, flyball.Time(f.at), fault, labels, values)
	} else {
		r.AppendPoint(b, flyball.Time(f.at), fault, labels, values, p)
	}
	if b.Len() > n {
		r.noteExemplars(n, b)
	}
}
