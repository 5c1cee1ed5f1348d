package main

import (
	"fmt"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/benchmarks/bench/telemetry"
	"github.com/flyball-io/flyball/benchmarks/machine"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/aggregate"
)

// setting is one thing to measure.
type setting struct {
	shape      telemetry.Shape
	partitions int32
}

// dimension is what grows while all else stays.
type dimension struct {
	name   string
	values []float64
	of     func(x float64) setting
}

func usual() setting {
	return setting{telemetry.Shape{Series: 1000, Attributes: 5}, 8}
}

var dimensions = []dimension{
	{"series", []float64{100, 1000, 10_000, 100_000, 1_000_000}, func(x float64) setting {
		s := usual()
		s.shape.Series = int(x)
		return s
	}},
	{"attributes of a span", []float64{1, 5, 10, 20, 40}, func(x float64) setting {
		s := usual()
		s.shape.Attributes = int(x)
		return s
	}},
	{"labels grouped by", []float64{1, 2, 4, 8, 16}, func(x float64) setting {
		s := usual()
		s.shape.Groups = int(x) - 1 // http.route is one
		return s
	}},
	{"partitions of panes", []float64{1, 8, 32, 128, 512}, func(x float64) setting {
		s := usual()
		s.partitions = int32(x)
		return s
	}},
	{"percent of spans 1 to 300 s late", []float64{0, 1, 10, 50, 100}, func(x float64) setting {
		s := usual()
		s.shape.Late, s.shape.LateBy = x/100, 5*time.Minute
		return s
	}},
}

// Curve is what was measured of a dimension.
type Curve struct {
	Name   string  `json:"name"`
	Points []Point `json:"points"`
}

// relative is the throughput at a point ÷ that at the first.
func (c Curve) relative(p Point) float64 { return c.Points[0].Nanos / p.Nanos }

// Point is one measurement.
type Point struct {
	X float64 `json:"x"`
	// Nanos is processor time per span.
	Nanos        float64 `json:"cpu_ns_per_span"`
	BytesPerSpan float64 `json:"bytes_per_span"`
	PanesPerSpan float64 `json:"panes_per_span"`
}

const (
	// spansKept is how many spans are made, and read again and again. Their spans are
	// of many series, whatever the number of those is.
	spansKept = 1_000_000
	// Samples are folded this many at a time, and flushed as often as a transaction of half
	// a second would be at a million spans per second.
	spansPerFold  = 10_000
	spansPerFlush = 500_000
	// Spans per second of event time.
	rate = 100_000
)

// engine is the role without Kafka.
type engine struct {
	decoder ingest.Decoder
	builder *ingest.Builder
	machine *aggregate.Machine
	flush   int // after so many spans
	folded  int
	panes   int64
	reading time.Duration // spent on counting panes, which is not the role's work
}

func newEngine(s setting, flush int) (*engine, error) {
	source := flyball.Source{Name: "spans", Topics: []string{"otlp_spans"}, Format: "otlp_spans", OutOfOrderness: 5 * time.Second, IdleTimeout: 10 * time.Second}
	failed, err := flyball.ParseMatcher(`status.code="ERROR"`)
	if err != nil {
		return nil, err
	}
	indicator := flyball.Indicator{
		Name: "requests", Source: "spans", Entity: "service.name", GroupBy: []string{"service.name", "http.route"},
		Value: flyball.FieldDuration, Bad: []flyball.Matcher{failed}, Pane: 10 * time.Second, Window: time.Minute, SeriesLimit: 10_000_000,
	}
	for g := range s.shape.Groups {
		indicator.GroupBy = append(indicator.GroupBy, fmt.Sprintf("group.%d", g))
	}
	indicators := []flyball.Indicator{indicator}
	p := ingest.ProjectionOf(indicators)
	e := &engine{flush: flush}
	dict := ingest.NewDictionary(len(p.Labels))
	if e.decoder, err = decode.New(source, p); err != nil {
		return nil, err
	}
	e.machine, err = aggregate.New(aggregate.Config{Source: source, Indicators: indicators, Labels: p.Labels, Values: p.Values, Partitions: s.partitions}, dict)
	e.builder = ingest.NewBuilder(p, dict, ingest.NewPool())
	return e, err
}

// take decodes a record, and folds and flushes when it is time to.
func (e *engine) take(record []byte) error {
	if err := e.decoder.Decode(record, e.builder); err != nil {
		return err
	}
	if e.builder.Len() < spansPerFold {
		return nil
	}
	batch := e.builder.Batch()
	e.machine.Step(aggregate.Input{Samples: []aggregate.Samples{{
		Topic: "otlp_spans", Time: batch.Time.Int64Values(), Set: batch.Set.Uint32Values(),
		Values: [][]float64{batch.Values[0].Float64Values()}, MaxTime: batch.MaxTime,
	}}})
	batch.Release()
	e.folded += spansPerFold
	if e.folded < e.flush {
		return nil
	}
	e.folded = 0
	ready := e.machine.Step(aggregate.Input{Flush: &aggregate.Flush{Partitions: []aggregate.SourcePartition{{Topic: "otlp_spans", Of: 1}}}})
	e.machine.Commit()
	before := machine.ProcessorTime()
	defer func() { e.reading += machine.ProcessorTime() - before }()
	for _, p := range ready.Panes {
		if len(p.Panes) == 0 {
			continue
		}
		if err := processors.ReadPanes(p.Panes, func(processors.PaneRow) { e.panes++ }); err != nil {
			return err
		}
	}
	return nil
}

// measure folds spans, after a warm-up, out of records with kept spans in all, and flushes
// after every so many.
func measure(s setting, kept, spans, flush int) (Point, error) {
	records, size := recordsOf(s.shape, kept), 0
	for _, r := range records {
		size += len(r)
	}
	e, err := newEngine(s, flush)
	if err != nil {
		return Point{}, err
	}
	defer e.builder.Release()
	var p Point
	p.BytesPerSpan = float64(size) / float64(kept)
	pass := func(n int) (int64, error) {
		before := machine.ProcessorTime() - e.reading
		for i := range n / telemetry.SpansPerRecord {
			if err := e.take(records[i%len(records)]); err != nil {
				return 0, err
			}
		}
		return int64(machine.ProcessorTime() - e.reading - before), nil
	}
	if _, err := pass(kept); err != nil {
		return p, err
	}
	e.panes = 0
	used, err := pass(spans)
	p.Nanos, p.PanesPerSpan = float64(used)/float64(spans), float64(e.panes)/float64(spans)
	return p, err
}

// recordsOf makes records with that many spans in all.
func recordsOf(shape telemetry.Shape, spans int) (records [][]byte) {
	g := telemetry.NewSpans(time.Unix(1_700_000_000, 0), rate, shape)
	for range spans / telemetry.SpansPerRecord {
		record, _ := g.Append(nil)
		records = append(records, record)
	}
	return records
}
