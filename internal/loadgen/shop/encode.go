package shop

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
)

// Encoding is the form of a record value, named as the Collector names it.
type Encoding string

// The encodings.
const (
	// OTLPProto is serialized TracesData (the same bytes as ExportTraceServiceRequest).
	OTLPProto Encoding = "otlp_proto"
	// OTLPJSON is the same message in OTLP's JSON form.
	OTLPJSON Encoding = "otlp_json"
)

// Encoder turns spans into record values. It keeps scratch space and is not safe for concurrent use.
type Encoder struct {
	json  bool
	heads []int32 // per pod: 1 + index in spans of its first span in this record
	links []int32 // per span: 1 + index of the pod's next one
	tails []int32
	order []*pod
}

// NewEncoder returns an encoder; unknown encodings are an error.
func NewEncoder(e Encoding) (*Encoder, error) {
	if e != OTLPProto && e != OTLPJSON {
		return nil, fmt.Errorf("cannot use encoding %q: want %s or %s", e, OTLPProto, OTLPJSON)
	}
	return &Encoder{json: e == OTLPJSON}, nil
}

// Append appends one TracesData with all spans to dst, grouped by resource as exporters do.
func (e *Encoder) Append(dst []byte, spans []Span) []byte {
	e.group(spans)
	if e.json {
		return e.appendJSON(dst, spans)
	}
	for _, pod := range e.order {
		var resource, scope int
		dst, resource = open(dst, 1)
		dst = append(dst, pod.resource.proto...)
		dst, scope = open(dst, 2)
		dst = append(dst, pod.scope.proto...)
		for i := e.heads[pod.id]; i != 0; i = e.links[i-1] {
			dst = spans[i-1].appendProto(dst)
		}
		dst = closeField(closeField(dst, scope), resource)
	}
	return dst
}

// group chains the spans of each pod, pods in order of their first span.
func (e *Encoder) group(spans []Span) {
	for _, pod := range e.order {
		e.heads[pod.id] = 0
	}
	e.order = e.order[:0]
	e.links = append(e.links[:0], make([]int32, len(spans))...)
	for i := range spans {
		pod := spans[i].pod
		for int(pod.id) >= len(e.heads) {
			e.heads, e.tails = append(e.heads, 0), append(e.tails, 0)
		}
		if e.heads[pod.id] == 0 {
			e.heads[pod.id] = int32(i + 1)
			e.order = append(e.order, pod)
		} else {
			e.links[e.tails[pod.id]-1] = int32(i + 1)
		}
		e.tails[pod.id] = int32(i + 1)
	}
}

// open starts a length-delimited field and leaves room for a length of two bytes, the usual case here.
func open(dst []byte, field int) ([]byte, int) {
	dst = append(dst, byte(field<<3|2), 0, 0)
	return dst, len(dst)
}

// closeField fills in the length of the field whose content starts at the given place.
func closeField(dst []byte, from int) []byte {
	n := len(dst) - from
	if n >= 1<<7 && n < 1<<14 {
		dst[from-2], dst[from-1] = byte(n)|0x80, byte(n>>7)
		return dst
	}
	var length [binary.MaxVarintLen64]byte
	size := binary.PutUvarint(length[:], uint64(n))
	dst = append(dst, length[:max(0, size-2)]...) // only to grow
	copy(dst[from-2+size:], dst[from:from+n])
	copy(dst[from-2:], length[:size])
	return dst[:from-2+size+n]
}

func (s *Span) appendProto(dst []byte) []byte {
	sh := s.shape
	dst, from := open(dst, 2)
	dst = append(dst, 1<<3|2, 16)
	dst = append(dst, s.TraceID[:]...)
	dst = append(dst, 2<<3|2, 8)
	dst = append(dst, s.ID[:]...)
	if s.Parent != [8]byte{} {
		dst = append(dst, 4<<3|2, 8)
		dst = append(dst, s.Parent[:]...)
	}
	dst = append(dst, sh.head.proto...)
	dst = binary.LittleEndian.AppendUint64(append(dst, 7<<3|1), uint64(s.Start))
	dst = binary.LittleEndian.AppendUint64(append(dst, 8<<3|1), uint64(s.End))
	dst = append(dst, sh.mid[s.outcome].proto...)
	dst = s.appendDynamicProto(dst)
	if sh.hasEvent[s.outcome] {
		dst = append(dst, 11<<3|2)
		dst = binary.AppendUvarint(dst, uint64(9+len(sh.event.proto)))
		dst = binary.LittleEndian.AppendUint64(append(dst, 1<<3|1), uint64(s.End))
		dst = append(dst, sh.event.proto...)
	}
	dst = append(dst, sh.foot[s.outcome].proto...)
	return closeField(dst, from)
}

// number is the value of the span's own attribute: an item, or a thread from 1 to 64.
func (s *Span) number() uint64 {
	if s.shape.hasPath {
		return uint64(s.item)
	}
	return uint64(s.item%64) + 1
}

// appendDynamicProto relies on all lengths being below 128, which compile makes sure of.
func (s *Span) appendDynamicProto(dst []byte) []byte {
	sh := s.shape
	key := sh.dynamic.proto
	if !sh.hasPath {
		dst = append(dst, 9<<3|2, byte(len(key)+4))
		dst = append(dst, key...)
		return append(dst, 2<<3|2, 2, 3<<3, byte(s.number()))
	}
	var digits [20]byte
	num := strconv.AppendUint(digits[:0], s.number(), 10)
	n := len(sh.before) + len(num) + len(sh.after)
	dst = append(dst, 9<<3|2, byte(len(key)+4+n))
	dst = append(dst, key...)
	dst = append(dst, 2<<3|2, byte(n+2), 1<<3|2, byte(n))
	dst = append(dst, sh.before...)
	dst = append(dst, num...)
	return append(dst, sh.after...)
}

func (e *Encoder) appendJSON(dst []byte, spans []Span) []byte {
	dst = append(dst, `{"resourceSpans":[`...)
	for n, pod := range e.order {
		if n > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '{')
		dst = append(dst, pod.resource.json...)
		dst = append(dst, `,"scopeSpans":[{`...)
		dst = append(dst, pod.scope.json...)
		dst = append(dst, `,"spans":[`...)
		for i := e.heads[pod.id]; i != 0; i = e.links[i-1] {
			dst = spans[i-1].appendJSON(dst)
			if e.links[i-1] != 0 {
				dst = append(dst, ',')
			}
		}
		dst = append(dst, `]}]}`...)
	}
	return append(dst, `]}`...)
}

func (s *Span) appendJSON(dst []byte) []byte {
	sh := s.shape
	dst = append(dst, `{"traceId":"`...)
	dst = hex.AppendEncode(dst, s.TraceID[:])
	dst = append(dst, `","spanId":"`...)
	dst = hex.AppendEncode(dst, s.ID[:])
	if s.Parent != [8]byte{} {
		dst = append(dst, `","parentSpanId":"`...)
		dst = hex.AppendEncode(dst, s.Parent[:])
	}
	dst = append(dst, `",`...)
	dst = append(dst, sh.head.json...)
	dst = strconv.AppendInt(dst, s.Start, 10)
	dst = append(dst, `","endTimeUnixNano":"`...)
	dst = strconv.AppendInt(dst, s.End, 10)
	dst = append(dst, `","attributes":[`...)
	dst = append(dst, sh.mid[s.outcome].json...)
	dst = append(dst, sh.dynamic.json...)
	dst = strconv.AppendUint(dst, s.number(), 10)
	dst = append(dst, sh.jsonAfter...)
	dst = append(dst, ']')
	if sh.hasEvent[s.outcome] {
		dst = append(dst, `,"events":[{"timeUnixNano":"`...)
		dst = strconv.AppendInt(dst, s.End, 10)
		dst = append(dst, sh.event.json...)
	}
	return append(dst, sh.foot[s.outcome].json...)
}
