// Package telemetry writes what the benchmarks feed beside spans: metrics in OTLP and
// events in JSON, of the services and routes of a small shop.
package telemetry

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Generator makes records, in the order of event time.
type Generator interface {
	// Append appends a record and says what is in it.
	Append(dst []byte) ([]byte, Content)
}

// Content is what samples a record holds, of those that the benchmark wants.
type Content struct {
	Samples, Failed int64
}

// The shop.
const (
	services         = 12
	routesPerService = 5
	pods             = 4
)

func service(i int) string { return fmt.Sprintf("service-%02d", i) }
func route(i int) string   { return fmt.Sprintf("/api/v1/resource-%d/{id}", i) }

// source is what generators have in common.
type source struct {
	rng  *rand.Rand
	at   time.Time
	step time.Duration // between records
	turn int
}

func newSource(start time.Time, perSecond float64, perRecord int) source {
	return source{rng: rand.New(rand.NewPCG(1, 2)), at: start, step: time.Duration(float64(perRecord) / perSecond * float64(time.Second))}
}

// next goes on to the next record.
func (s *source) next() (turn int) {
	s.at = s.at.Add(s.step)
	s.turn++
	return s.turn - 1
}

// status draws a status code: one in fifty is a failure.
func (s *source) status() int {
	switch s.rng.IntN(50) {
	case 0:
		return 503
	case 1, 2:
		return 404
	}
	return 200
}
