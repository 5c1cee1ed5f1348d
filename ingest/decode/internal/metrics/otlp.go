package metrics

import (
	"math"

	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/otlp"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// OTLP decodes OTLP metrics in protobuf: an ExportMetricsServiceRequest or
// MetricsData (opentelemetry-proto, metrics/v1). One data point is one row; of a
// summary, one quantile is.
//
// The event time is time_unix_nano. The labels "metric.name", "metric.unit",
// "metric.type" (gauge, sum, histogram, exponential_histogram, summary), "quantile"
// (of summaries), "scope.name" and "scope.version" are those fields; any other is an
// attribute, of the data point ("point." as a prefix), else of the scope, else of the
// resource, as the decoder of spans has it. The value "value" is that of the point in the
// metric's own unit, "duration" the same in nanoseconds where the unit is a time, and
// any other value is an attribute.
//
//   - A point of a gauge, and of a sum that is not monotonic, is a sample.
//   - A point of a monotonic delta sum stands for as many samples as its value, to the
//     nearest one, where samples are counted.
//   - A point of a delta histogram stands for its count; what was measured goes with it
//     as its sender's buckets.
//   - A point of a cumulative histogram or monotonic sum is marked as such, with its
//     start and the identity of its stream.
//   - A quantile of a summary is a sample like a gauge's: nobody can merge it with
//     another. Count and sum of a summary are not read. A quantile that is NaN is none.
//
// A point whose flags say that there is no recorded value is none. Points that are not
// finite, monotonic sums below 0, histograms whose buckets do not add up or are not in
// order, and sums and histograms without a temporality are rejected.
type OTLP struct {
	row      row
	envelope otlp.Envelope
}

// NewOTLP returns a decoder that keeps the columns of p.
func NewOTLP(p ingest.Projection) *OTLP {
	d := &OTLP{row: newRow(p), envelope: otlp.Envelope{Resource: "ResourceMetrics", Scope: "ScopeMetrics"}}
	d.envelope.Item = d.metric
	return d
}

// Tags of Metric and of the data points (opentelemetry/proto/metrics/v1).
const (
	metricNameTag        = 1<<3 | otlp.WireBytes
	metricUnitTag        = 3<<3 | otlp.WireBytes
	metricGaugeTag       = 5<<3 | otlp.WireBytes
	metricSumTag         = 7<<3 | otlp.WireBytes
	metricHistogramTag   = 9<<3 | otlp.WireBytes
	metricExponentialTag = 10<<3 | otlp.WireBytes
	metricSummaryTag     = 11<<3 | otlp.WireBytes

	dataPointsTag      = 1<<3 | otlp.WireBytes
	dataTemporalityTag = 2<<3 | otlp.WireVarint
	dataMonotonicTag   = 3<<3 | otlp.WireVarint

	pointStartTag = 2<<3 | otlp.WireFixed64 // of every kind of point
	pointTimeTag  = 3<<3 | otlp.WireFixed64

	numberDoubleTag     = 4<<3 | otlp.WireFixed64
	numberExemplarsTag  = 5<<3 | otlp.WireBytes
	numberIntTag        = 6<<3 | otlp.WireFixed64
	numberAttributesTag = 7<<3 | otlp.WireBytes
	numberFlagsTag      = 8<<3 | otlp.WireVarint

	summaryQuantilesTag  = 6<<3 | otlp.WireBytes
	summaryAttributesTag = 7<<3 | otlp.WireBytes
	summaryFlagsTag      = 8<<3 | otlp.WireVarint
	quantileTag          = 1<<3 | otlp.WireFixed64
	quantileValueTag     = 2<<3 | otlp.WireFixed64
)

// Decode implements [ingest.Decoder].
func (d *OTLP) Decode(value []byte, b *ingest.Builder) error {
	void := d.row.begin(b)
	return d.envelope.Decode(value, &d.row.Row, b, void)
}

// metric reads one Metric. Of several kinds of data the last counts, and parts of one
// kind join, as in the reference implementation.
func (d *OTLP) metric(m []byte, b *ingest.Builder) {
	d.row.metric = metric{}
	of := &d.row.metric
	var data []byte
	var dataTag uint64
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(m, i); i < 0 {
			d.row.Reject(rows.FaultFraming)
			return
		}
		switch t {
		case metricNameTag:
			of.name = m[from:i]
		case metricUnitTag:
			of.unit = m[from:i]
		case metricGaugeTag, metricSumTag, metricHistogramTag, metricExponentialTag, metricSummaryTag:
			if t == dataTag {
				data = append(data[:len(data):len(data)], m[from:i]...)
			} else {
				data, dataTag = m[from:i], t
			}
		}
	}
	switch dataTag {
	case 0:
		return
	case metricSumTag:
		of.kind = sumKind
	case metricHistogramTag:
		of.kind = histogramKind
	case metricExponentialTag:
		of.kind = exponentialKind
	case metricSummaryTag:
		of.kind = summaryKind
	}
	d.points(data, b)
}

// points reads the points of a metric, after what they have in common.
func (d *OTLP) points(m []byte, b *ingest.Builder) {
	of := &d.row.metric
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(m, i); i < 0 {
			d.row.Reject(rows.FaultFraming)
			return
		}
		var n uint64
		switch {
		case t == dataTemporalityTag:
			n, _ = otlp.Uvarint(m, from)
			of.temporality = int32(n)
		case t == dataMonotonicTag && of.kind == sumKind:
			n, _ = otlp.Uvarint(m, from)
			of.monotonic = n != 0
		}
	}
	wanted := d.row.wants(of.name)
	d.row.enterMetric()
	for i := 0; i < len(m); {
		t, from, to := otlp.NextField(m, i)
		i = to
		switch {
		case t != dataPointsTag:
		case !wanted:
			pass(m[from:to], b)
		case of.kind == histogramKind || of.kind == exponentialKind:
			d.distribution(m[from:to], b)
		case of.kind == summaryKind:
			d.summary(m[from:to], b)
		default:
			d.number(m[from:to], b)
		}
	}
}

// pass notes the time of a point that nobody wants.
func pass(m []byte, b *ingest.Builder) {
	at := uint64(0)
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(m, i); i < 0 {
			return
		}
		if t == pointTimeTag {
			at, _ = otlp.Fixed64(m, from)
		}
	}
	passTime(at, b)
}

// number reads a NumberDataPoint and ends its row.
func (d *OTLP) number(m []byte, b *ingest.Builder) {
	d.row.enterPoint()
	var f pointFields
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(m, i); i < 0 {
			d.row.Broken[otlp.SampleLevel] = true
			break
		}
		switch t {
		case numberAttributesTag:
			d.row.ReadAttribute(otlp.SampleLevel, m[from:i])
		case pointStartTag:
			f.start, _ = otlp.Fixed64(m, from)
		case pointTimeTag:
			f.at, _ = otlp.Fixed64(m, from)
		case numberDoubleTag:
			f.number, f.has = double(m, from), true
		case numberIntTag:
			n, _ := otlp.Fixed64(m, from)
			f.number, f.has = float64(int64(n)), true
		case numberExemplarsTag:
			d.exemplar(m[from:i])
		case numberFlagsTag:
			f.flags, _ = otlp.Uvarint(m, from)
		}
	}
	d.row.endNumber(b, &f, d.identity(m, numberAttributesTag))
}

func double(m []byte, i int) float64 {
	n, _ := otlp.Fixed64(m, i)
	return math.Float64frombits(n)
}

// identity returns the identity of a point's own attributes, where it matters.
func (d *OTLP) identity(m []byte, tag uint64) (id otlp.Identity) {
	if d.row.cumulative() {
		d.row.AddIdentities(&id, otlp.SampleLevel, m, tag)
	}
	return id
}

// summary reads a SummaryDataPoint: all of it, and then its quantiles.
func (d *OTLP) summary(m []byte, b *ingest.Builder) {
	d.row.enterPoint()
	var f pointFields
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(m, i); i < 0 {
			d.row.Reject(rows.FaultFraming)
			return
		}
		switch t {
		case summaryAttributesTag:
			d.row.ReadAttribute(otlp.SampleLevel, m[from:i])
		case pointTimeTag:
			f.at, _ = otlp.Fixed64(m, from)
		case summaryFlagsTag:
			f.flags, _ = otlp.Uvarint(m, from)
		}
	}
	if f.flags&noRecordedValue != 0 {
		return
	}
	for i := 0; i < len(m); {
		t, from, to := otlp.NextField(m, i)
		i = to
		if t == summaryQuantilesTag {
			d.quantile(m[from:to], b, &f)
		}
	}
}

func (d *OTLP) quantile(m []byte, b *ingest.Builder, f *pointFields) {
	quantile, value := 0.0, 0.0
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(m, i); i < 0 {
			d.row.Reject(rows.FaultFraming)
			return
		}
		switch t {
		case quantileTag:
			quantile = double(m, from)
		case quantileValueTag:
			value = double(m, from)
		}
	}
	if !math.IsNaN(value) {
		d.row.quantileRow(b, f, quantile, value)
	}
}
