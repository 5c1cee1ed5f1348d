package metrics

import (
	"bytes"
	"math"

	"github.com/klauspost/compress/s2"

	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/otlp"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// Prometheus decodes payloads of Prometheus' remote write 1.0: a WriteRequest in
// protobuf, compressed by snappy as a block (https://prometheus.io/docs/specs/prw).
// One sample of a series is one row.
//
// The label "metric.name" is __name__, "metric.type" is sum for counters and gauge for
// all else, and any other label is the series' own. The value "value" is the sample's,
// and "duration" the same in nanoseconds where the name has _seconds or _milliseconds
// in it. Which series are counters is told by metadata in the same request, or else by
// the usual endings, _total, _count, _sum and _bucket; samples of those are marked as
// cumulative. NaN, which also marks a series that is gone, is no sample.
//
// Native histograms and exemplars are not read.
type Prometheus struct {
	row    row
	plain  bool // not compressed
	buffer []byte
	types  map[string]metricKind // by name of the family, of the request at hand
}

// NewPrometheus returns a decoder that keeps the columns of p.
func NewPrometheus(p ingest.Projection, compressed bool) *Prometheus {
	return &Prometheus{row: newRow(p), plain: !compressed, types: map[string]metricKind{}}
}

// Tags of WriteRequest, TimeSeries, Label, Sample and MetricMetadata (prompb/remote.proto
// and types.proto).
const (
	seriesTag   = 1<<3 | otlp.WireBytes
	metadataTag = 3<<3 | otlp.WireBytes

	seriesLabelTag  = 1<<3 | otlp.WireBytes
	seriesSampleTag = 2<<3 | otlp.WireBytes
	labelNameTag    = 1<<3 | otlp.WireBytes
	labelValueTag   = 2<<3 | otlp.WireBytes
	sampleValueTag  = 1<<3 | otlp.WireFixed64
	sampleTimeTag   = 2<<3 | otlp.WireVarint

	metadataTypeTag = 1<<3 | otlp.WireVarint
	metadataNameTag = 2<<3 | otlp.WireBytes
)

// Types of MetricMetadata that count up.
const (
	metadataCounter   = 1
	metadataHistogram = 3
	metadataSummary   = 5
)

// maxDecompressed bounds what a record may become.
const maxDecompressed = 64 << 20

// Decode implements [ingest.Decoder].
func (d *Prometheus) Decode(value []byte, b *ingest.Builder) error {
	start := b.Len()
	d.row.begin(b)
	if !d.plain {
		n, err := s2.DecodedLen(value)
		if err != nil || n > maxDecompressed {
			return rows.Malformed(b, start, "the record is not a snappy block of a sensible size")
		}
		if cap(d.buffer) < n {
			d.buffer = make([]byte, n)
		}
		if value, err = s2.Decode(d.buffer[:n], value); err != nil {
			return rows.Malformed(b, start, "the record is not a snappy block")
		}
	}
	if !d.metadata(value) {
		return rows.Malformed(b, start, "the fields of the write request do not parse")
	}
	for i := 0; i < len(value); {
		t, from, to := otlp.NextField(value, i)
		if t == seriesTag {
			d.series(value[from:to], b)
		}
		i = to
	}
	return d.row.Err()
}

// metadata reads the types of metrics; it reports false when the request does not
// parse.
func (d *Prometheus) metadata(m []byte) bool {
	clear(d.types)
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(m, i); i < 0 {
			return false
		}
		if t != metadataTag {
			continue
		}
		kind, name := uint64(0), []byte(nil)
		part := m[from:i]
		for j := 0; j < len(part); {
			at, t := 0, uint64(0)
			if t, at, j = otlp.NextField(part, j); j < 0 {
				return false
			}
			switch t {
			case metadataTypeTag:
				kind, _ = otlp.Uvarint(part, at)
			case metadataNameTag:
				name = part[at:j]
			}
		}
		switch kind {
		case 0: // unknown
		case metadataCounter:
			d.types[string(name)] = sumKind
		case metadataHistogram, metadataSummary:
			d.types[string(name)] = histogramKind
		default:
			d.types[string(name)] = gaugeKind
		}
	}
	return true
}

// series reads one TimeSeries: its labels, and then its samples.
func (d *Prometheus) series(m []byte, b *ingest.Builder) {
	d.row.Enter(otlp.ResourceLevel)
	d.row.Enter(otlp.ScopeLevel)
	d.row.metric = metric{temporality: cumulativeTemporality}
	var id otlp.Identity
	if !d.labels(m, &id) {
		d.row.Reject(rows.FaultFraming)
		return
	}
	of := &d.row.metric
	of.nanos = nanosOfName(of.name)
	if d.counts(of.name) {
		of.kind, of.monotonic = sumKind, true
	}
	wanted := d.row.wants(of.name)
	for i := 0; i < len(m); {
		t, from, to := otlp.NextField(m, i)
		if t == seriesSampleTag {
			d.sample(m[from:to], b, wanted, id)
		}
		i = to
	}
}

// labels reads the labels into the level of the scope.
func (d *Prometheus) labels(m []byte, id *otlp.Identity) bool {
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(m, i); i < 0 {
			return false
		}
		if t != seriesLabelTag {
			continue
		}
		var name, value []byte
		part := m[from:i]
		for j := 0; j < len(part); {
			at, t := 0, uint64(0)
			if t, at, j = otlp.NextField(part, j); j < 0 {
				return false
			}
			switch t {
			case labelNameTag:
				name = part[at:j]
			case labelValueTag:
				value = part[at:j]
			}
		}
		v := otlp.AnyValue{Kind: otlp.String, Bytes: value}
		d.row.AddIdentity(id, otlp.SampleLevel, name, &v)
		if string(name) == "__name__" {
			d.row.metric.name = value
		} else if n := d.row.Wanted(otlp.ScopeLevel).Find(name); n >= 0 {
			d.row.Attribute(otlp.ScopeLevel, n, &v)
		}
	}
	return true
}

func (d *Prometheus) sample(m []byte, b *ingest.Builder, wanted bool, id otlp.Identity) {
	d.row.enterPoint()
	f := pointFields{has: true}
	millis := int64(0)
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(m, i); i < 0 {
			d.row.Reject(rows.FaultFraming)
			return
		}
		switch t {
		case sampleValueTag:
			f.number = double(m, from)
		case sampleTimeTag:
			n, _ := otlp.Uvarint(m, from)
			millis = int64(n)
		}
	}
	if millis > 0 && millis <= math.MaxInt64/1_000_000 {
		f.at = uint64(millis) * 1e6
	} else if millis != 0 {
		f.at = math.MaxUint64 // out of range
	}
	switch {
	case !wanted:
		passTime(f.at, b)
	case !math.IsNaN(f.number):
		d.row.endNumber(b, &f, id)
	}
}

// counts reports whether a series counts up.
func (d *Prometheus) counts(name []byte) bool {
	kind, known := d.types[string(name)]
	if known && kind != histogramKind {
		return kind == sumKind
	}
	for _, ending := range [...]string{"_total", "_count", "_sum", "_bucket"} {
		if base, ok := bytes.CutSuffix(name, []byte(ending)); ok {
			if kind, known := d.types[string(base)]; known {
				return kind == histogramKind || kind == sumKind
			}
			return true
		}
	}
	return false
}

var (
	secondsPart = []byte("_seconds")
	millisPart  = []byte("_milliseconds")
)

// nanosOfName returns how many nanoseconds the unit in a name has, 0 for none.
func nanosOfName(name []byte) float64 {
	switch {
	case bytes.HasSuffix(name, []byte("_count")), bytes.HasSuffix(name, []byte("_bucket")):
		return 0
	case bytes.Contains(name, secondsPart):
		return 1e9
	case bytes.Contains(name, millisPart):
		return 1e6
	}
	return 0
}
