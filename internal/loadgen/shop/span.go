package shop

import "time"

// SpanKind is OTLP's Span.SpanKind.
type SpanKind uint8

// The span kinds, with OTLP's numbers.
const (
	KindServer   SpanKind = 2
	KindClient   SpanKind = 3
	KindProducer SpanKind = 4
	KindConsumer SpanKind = 5
)

// String is the kind as OTLP names it, without the prefix SPAN_KIND_.
func (k SpanKind) String() string {
	switch k {
	case KindServer:
		return "SERVER"
	case KindClient:
		return "CLIENT"
	case KindProducer:
		return "PRODUCER"
	case KindConsumer:
		return "CONSUMER"
	}
	return "UNSPECIFIED"
}

// outcome is how an operation ended; it selects the status attributes of a span.
type outcome uint8

const (
	outcomeOK             outcome = iota
	outcomeNotFound               // the client asked for something that does not exist
	outcomeFailed                 // failed by itself
	outcomeBadGateway             // a required call failed
	outcomeGatewayTimeout         // a required call took too long
	outcomeClientTimeout          // client spans only: the caller gave up
	outcomes
)

// Span is one generated sample. Spans are plain values; what all spans of one operation share is behind
// the accessors.
type Span struct {
	// TraceID and ID identify the span.
	TraceID [16]byte
	ID      [8]byte
	// Parent is all zeros for a root span.
	Parent [8]byte
	// Start and End are in Unix nanoseconds on the clock of the pod, its error included.
	Start, End int64

	shape   *shape
	pod     *pod
	item    uint16
	outcome outcome
	delayed bool
}

// Service is service.name.
func (s *Span) Service() string { return s.pod.service.name }

// Version is service.version.
func (s *Span) Version() string { return s.pod.version }

// Pod is k8s.pod.name.
func (s *Span) Pod() string { return s.pod.name }

// Name is the span's name.
func (s *Span) Name() string { return s.shape.name }

// Route is http.route, rpc.service/rpc.method, the messaging destination or the database statement's
// summary; for client spans that of the callee.
func (s *Span) Route() string { return s.shape.route }

// Kind is the span's kind.
func (s *Span) Kind() SpanKind { return s.shape.kind }

// Failed reports whether the span's status code is ERROR.
func (s *Span) Failed() bool { return s.shape.failed[s.outcome] }

// Duration is End minus Start.
func (s *Span) Duration() time.Duration { return time.Duration(s.End - s.Start) }

// Delayed reports whether the span was exported late on purpose.
func (s *Span) Delayed() bool { return s.delayed }

// Series numbers what the accessors but Pod tell, version included: small, dense over the shop, the
// same for all spans for which they are the same.
func (s *Span) Series() int { return int(s.shape.id)<<1 | int(s.pod.canary) }
