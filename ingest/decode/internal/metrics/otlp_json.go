package metrics

import (
	"math"

	"github.com/go-faster/jx"

	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/otlp"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// OTLPJSON decodes OTLP metrics in their JSON encoding: one MetricsData object
// per record. It gives the same rows as [OTLP] does for the same metrics, and
// reads JSON as that of spans does.
type OTLPJSON struct {
	row        row
	json       otlp.EnvelopeJSON
	name, unit []byte
}

// NewOTLPJSON returns a decoder that keeps the columns of p.
func NewOTLPJSON(p ingest.Projection) *OTLPJSON {
	d := &OTLPJSON{row: newRow(p)}
	d.json.Lists = [3][2]string{{"resourceMetrics", "resource_metrics"}, {"scopeMetrics", "scope_metrics"}, {"metrics", "metrics"}}
	d.json.Item = d.metric
	return d
}

// Decode implements [ingest.Decoder].
func (d *OTLPJSON) Decode(value []byte, b *ingest.Builder) error {
	d.row.begin(b)
	return d.json.Decode(value, &d.row.Row, b)
}

// metric reads one Metric: at first what its points have in common, which may come
// after them, and then the points.
func (d *OTLPJSON) metric(b *ingest.Builder) error {
	d.row.metric = metric{}
	data, found := jx.Decoder{}, false
	ok, err := d.json.Fields(func(key []byte) (err error) {
		good := true
		kind := gaugeKind
		switch string(key) {
		case "name":
			d.name, good, err = d.json.AppendString(d.name[:0])
			d.row.metric.name = d.name
			return d.broken(good, err)
		case "unit":
			d.unit, good, err = d.json.AppendString(d.unit[:0])
			d.row.metric.unit = d.unit
			return d.broken(good, err)
		case "gauge":
		case "sum":
			kind = sumKind
		case "histogram":
			kind = histogramKind
		case "exponentialHistogram", "exponential_histogram":
			kind = exponentialKind
		case "summary":
			kind = summaryKind
		default:
			return d.json.Dec.Skip()
		}
		if d.json.Dec.Next() == jx.Null {
			return d.json.Dec.Skip()
		}
		data, found = d.json.Dec, true
		d.row.metric.kind = kind
		return d.common()
	})
	if err != nil {
		return err
	}
	if !ok || d.row.metric.kind < 0 {
		d.row.Reject(rows.FaultFraming)
		return nil
	}
	if !found {
		return nil
	}
	after := d.json.Dec
	d.json.Dec = data
	d.row.enterMetric()
	err = d.points(b)
	d.json.Dec = after
	return err
}

// broken notes that a metric has a field of the wrong type, which costs its points.
func (d *OTLPJSON) broken(ok bool, err error) error {
	if !ok {
		d.row.metric.kind = -1
	}
	return err
}

// common reads what the points of the data at hand have in common.
func (d *OTLPJSON) common() error {
	m := &d.row.metric
	m.temporality, m.monotonic = 0, false
	ok, err := d.json.Fields(func(key []byte) (err error) {
		good := true
		switch string(key) {
		case "aggregationTemporality", "aggregation_temporality":
			m.temporality, good, err = d.json.Enum("AGGREGATION_TEMPORALITY_", []string{"UNSPECIFIED", "DELTA", "CUMULATIVE"})
		case "isMonotonic", "is_monotonic":
			if d.json.Dec.Next() != jx.Bool {
				good = d.json.Dec.Next() == jx.Null
				return d.broken(good, d.json.Dec.Skip())
			}
			m.monotonic, err = d.json.Dec.Bool()
		default:
			err = d.json.Dec.Skip()
		}
		return d.broken(good, err)
	})
	return d.broken(ok, err)
}

func (d *OTLPJSON) points(b *ingest.Builder) error {
	wanted := d.row.wants(d.row.metric.name)
	return d.json.Object(func(key []byte) error {
		switch string(key) {
		case "dataPoints", "data_points":
			return d.json.Array(func() error { return d.point(b, wanted) })
		}
		return d.json.Dec.Skip()
	})
}

// point reads one data point and ends its row, or those of its quantiles.
func (d *OTLPJSON) point(b *ingest.Builder, wanted bool) error {
	d.row.enterPoint()
	kind := d.row.metric.kind
	d.row.dist.Exponential = kind == exponentialKind
	var f pointFields
	quantiles := jx.Decoder{}
	err := d.json.FieldsOf(&d.row.Row, otlp.SampleLevel, func(key []byte) error {
		if kind == summaryKind && (string(key) == "quantileValues" || string(key) == "quantile_values") {
			quantiles = d.json.Dec
			return d.json.Dec.Skip()
		}
		ok, known, err := d.field(&f, key)
		if !known && kind == histogramKind {
			ok, known, err = d.explicit(key)
		}
		if !known && kind == exponentialKind {
			ok, known, err = d.exponential(key)
		}
		if !known {
			return d.json.Dec.Skip()
		}
		return d.row.Check(otlp.SampleLevel, ok, err)
	})
	if err != nil {
		return err
	}
	id := d.row.Identity(otlp.SampleLevel)
	scope := d.row.Identity(otlp.ScopeLevel)
	id.Hi, id.Lo = id.Hi-scope.Hi, id.Lo-scope.Lo // the point's own
	switch {
	case !wanted:
		passTime(f.at, b)
	case kind == summaryKind:
		return d.quantiles(quantiles, &f, b)
	case kind == histogramKind || kind == exponentialKind:
		d.row.endDistribution(b, &f, id)
	default:
		d.row.endNumber(b, &f, id)
	}
	return nil
}

// field reads a field that points of every kind have, or a number's.
func (d *OTLPJSON) field(f *pointFields, key []byte) (ok, known bool, err error) {
	kind := d.row.metric.kind
	isNumber := kind == gaugeKind || kind == sumKind
	ok, known = true, true
	switch string(key) {
	case "attributes":
		err = d.json.Attributes(&d.row.Row, otlp.SampleLevel)
	case "startTimeUnixNano", "start_time_unix_nano":
		f.start, ok, err = d.json.Uint64()
	case "timeUnixNano", "time_unix_nano":
		f.at, ok, err = d.json.Uint64()
	case "exemplars":
		if !d.row.examples {
			return true, false, nil
		}
		err = d.exemplars()
	case "flags":
		f.flags, ok, err = d.json.Uint64()
	case "asInt", "as_int":
		if known = isNumber; known && !d.null(&err) {
			var n int64
			n, ok, err = d.json.Int64(64)
			f.number, f.has = float64(n), true
		}
	case "asDouble", "as_double":
		if known = isNumber; known && !d.null(&err) {
			f.number, ok, err = d.json.Double()
			f.has = true
		}
	case "count":
		if known = !isNumber; known {
			d.row.dist.Count, ok, err = d.json.Uint64()
		}
	case "sum":
		if known = !isNumber; known && !d.null(&err) {
			d.row.dist.Sum, ok, err = d.json.Double()
		}
	case "min":
		if known = !isNumber; known && !d.null(&err) {
			d.row.dist.Min, ok, err = d.json.Double()
		}
	case "max":
		if known = !isNumber; known && !d.null(&err) {
			d.row.dist.Max, ok, err = d.json.Double()
		}
	default:
		known = false
	}
	return ok, known, err
}

// null steps over null.
func (d *OTLPJSON) null(err *error) bool {
	if d.json.Dec.Next() != jx.Null {
		return false
	}
	*err = d.json.Dec.Skip()
	return true
}

func (d *OTLPJSON) explicit(key []byte) (ok, known bool, err error) {
	switch string(key) {
	case "bucketCounts", "bucket_counts":
		ok, err = d.counts(&d.row.dist.Buckets)
	case "explicitBounds", "explicit_bounds":
		ok, err = d.list(func() (bool, error) {
			v, ok, err := d.json.Double()
			d.row.dist.Bounds = append(d.row.dist.Bounds, v)
			return ok, err
		})
	default:
		return false, false, nil
	}
	return ok, true, err
}

func (d *OTLPJSON) exponential(key []byte) (ok, known bool, err error) {
	dist := &d.row.dist
	ok, known = true, true
	switch string(key) {
	case "scale":
		dist.Scale, ok, err = d.int32()
	case "zeroCount", "zero_count":
		dist.Zero, ok, err = d.json.Uint64()
	case "zeroThreshold", "zero_threshold":
		dist.ZeroThreshold, ok, err = d.json.Double()
	case "positive":
		ok, err = d.buckets(&dist.PosOffset, &dist.Pos)
	case "negative":
		ok, err = d.buckets(&dist.NegOffset, &dist.Neg)
	default:
		known = false
	}
	return ok, known, err
}

func (d *OTLPJSON) int32() (int32, bool, error) {
	n, ok, err := d.json.Int64(32)
	return int32(n), ok, err
}

func (d *OTLPJSON) buckets(offset *int32, counts *[]uint64) (bool, error) {
	all := true
	ok, err := d.json.Fields(func(key []byte) (err error) {
		good := true
		switch string(key) {
		case "offset":
			*offset, good, err = d.int32()
		case "bucketCounts", "bucket_counts":
			good, err = d.counts(counts)
		default:
			err = d.json.Dec.Skip()
		}
		all = all && good
		return err
	})
	return ok && all, err
}

func (d *OTLPJSON) counts(into *[]uint64) (bool, error) {
	return d.list(func() (bool, error) {
		n, ok, err := d.json.Uint64()
		*into = append(*into, n)
		return ok, err
	})
}

// list reads an array; null is an empty one and anything else not ok.
func (d *OTLPJSON) list(element func() (bool, error)) (bool, error) {
	if kind := d.json.Dec.Next(); kind != jx.Array {
		return kind == jx.Null, d.json.Dec.Skip()
	}
	all := true
	err := d.json.Array(func() error {
		ok, err := element()
		all = all && ok
		return err
	})
	return all, err
}

// quantiles ends the rows of a summary, whose list of quantiles was passed before.
func (d *OTLPJSON) quantiles(list jx.Decoder, f *pointFields, b *ingest.Builder) error {
	if d.row.Broken[otlp.SampleLevel] {
		d.row.Reject(rows.FaultFraming)
		return nil
	}
	if f.flags&noRecordedValue != 0 || list.Next() == jx.Invalid {
		return nil
	}
	after := d.json.Dec
	d.json.Dec = list
	ok, err := d.list(func() (bool, error) {
		quantile, value := 0.0, 0.0
		all := true
		ok, err := d.json.Fields(func(key []byte) (err error) {
			good := true
			switch string(key) {
			case "quantile":
				quantile, good, err = d.json.Double()
			case "value":
				value, good, err = d.json.Double()
			default:
				err = d.json.Dec.Skip()
			}
			all = all && good
			return err
		})
		switch {
		case err != nil:
		case !ok || !all:
			d.row.Reject(rows.FaultFraming)
		case !math.IsNaN(value):
			d.row.quantileRow(b, f, quantile, value)
		}
		return true, err
	})
	if !ok {
		d.row.Reject(rows.FaultFraming)
	}
	d.json.Dec = after
	return err
}
