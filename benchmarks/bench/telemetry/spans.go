package telemetry

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Shape is what spans look like; the zero value of a field is none.
type Shape struct {
	// Series is how many services and routes there are, ten routes to a service.
	Series int
	// Groups is how many attributes group.0, group.1, … a span has beside http.route,
	// always the same for a series.
	Groups int
	// Attributes is how many a span has that nobody wants.
	Attributes int
	// Late is the share of spans that are up to LateBy late.
	Late   float64
	LateBy time.Duration
}

// Spans writes OTLP spans of a shape in protobuf: a record holds ten services with
// ten spans each.
type Spans struct {
	source
	shape     Shape
	resources [][]byte
	routes    [][]byte // attributes of the routes of a service
	scope     []byte
}

const (
	servicesPerRecord = 10
	spansPerService   = 10
	// SpansPerRecord is how many spans are in a record.
	SpansPerRecord = servicesPerRecord * spansPerService
)

// NewSpans returns a generator of that many spans per second of event time.
func NewSpans(start time.Time, perSecond float64, shape Shape) *Spans {
	s := &Spans{source: newSource(start, perSecond, SpansPerRecord), shape: shape}
	for i := range (shape.Series + spansPerService - 1) / spansPerService {
		s.resources = append(s.resources, appendField(nil, 1, appendField(nil, 1, attribute("service.name", fmt.Sprintf("service-%06d", i)))))
	}
	for r := range min(spansPerService, shape.Series) {
		list := appendField(nil, 9, attribute("http.route", route(r)))
		for g := range shape.Groups {
			list = appendField(list, 9, attribute(fmt.Sprintf("group.%d", g), fmt.Sprintf("value-%d-%d", g, r)))
		}
		for a := range shape.Attributes {
			list = appendField(list, 9, attribute(fmt.Sprintf("attribute.%d", a), fmt.Sprintf("something-%d", a)))
		}
		s.routes = append(s.routes, list)
	}
	return s
}

// Append implements [Generator].
func (s *Spans) Append(dst []byte) ([]byte, Content) {
	s.next()
	c := Content{Samples: SpansPerRecord}
	for range servicesPerRecord {
		scope := s.scope[:0]
		for range spansPerService {
			scope = appendField(scope, 2, s.span(&c))
		}
		s.scope = scope
		resource := append([]byte(nil), s.resources[s.rng.IntN(len(s.resources))]...)
		dst = appendField(dst, 1, appendField(resource, 2, scope))
	}
	return dst, c
}

func (s *Spans) span(c *Content) []byte {
	end := s.at.UnixNano()
	if s.shape.Late > 0 && s.rng.Float64() < s.shape.Late {
		end -= s.rng.Int64N(int64(s.shape.LateBy))
	}
	one := appendField(nil, 1, s.id(16))
	one = appendField(one, 2, s.id(8))
	one = appendField(one, 5, []byte("GET"))
	one = binary.LittleEndian.AppendUint64(append(one, 7<<3|1), uint64(end-1_000_000-s.rng.Int64N(200_000_000)))
	one = binary.LittleEndian.AppendUint64(append(one, 8<<3|1), uint64(end))
	one = append(one, s.routes[s.rng.IntN(len(s.routes))]...)
	if s.status() >= 500 {
		c.Failed++
		one = appendField(one, 15, []byte{3 << 3, 2})
	}
	return one
}

func (s *Spans) id(n int) []byte {
	b := make([]byte, 0, 16)
	for len(b) < n {
		b = binary.LittleEndian.AppendUint64(b, s.rng.Uint64())
	}
	return b
}
