package telemetry

import (
	"fmt"
	"time"
)

// Events writes lines of an access log, one JSON object of some 250 bytes per record.
type Events struct{ source }

// NewEvents returns a generator of that many events per second of event time.
func NewEvents(start time.Time, perSecond float64) *Events {
	return &Events{newSource(start, perSecond, 1)}
}

// Append implements [Generator].
func (e *Events) Append(dst []byte) ([]byte, Content) {
	e.next()
	svc, status := e.rng.IntN(services), e.status()
	took := e.rng.ExpFloat64() * 20
	dst = append(dst, `{"ts":"`...)
	dst = e.at.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000Z")
	dst = fmt.Appendf(dst, `","service":"%s","http":{"method":"GET","route":"%s","status_code":%d},"duration_ms":%.3f,"trace_id":"%016x%016x","region":"eu-west-1","pod":"%s-%d","bytes":%d}`,
		service(svc), route(e.rng.IntN(routesPerService)), status, took, e.rng.Uint64(), e.rng.Uint64(), service(svc), e.rng.IntN(pods), e.rng.IntN(5000))
	c := Content{Samples: 1}
	if status >= 500 {
		c.Failed = 1
	}
	return dst, c
}
