package shop

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Shop generates the spans of the simulated shop in event time. It is not safe for concurrent use.
type Shop struct {
	cfg    Config
	plan   *plan
	rng    *rand.Rand
	pcg    *rand.PCG
	wheel  wheel // punctual spans
	late   wheel
	start  int64
	stopAt int64   // no new requests from here on
	next   float64 // the next request, in expected requests after the slot's start
	trace  [16]byte
	out    []Span
}

// New checks the configuration and returns a shop whose first requests come in at c.Start.
func New(c Config) (*Shop, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	p, err := compile(c)
	if err != nil {
		return nil, err
	}
	pcg := rand.NewPCG(c.Seed, 1)
	s := &Shop{cfg: c, plan: p, pcg: pcg, rng: rand.New(pcg), start: c.Start.UnixNano(), stopAt: math.MaxInt64}
	if c.Duration > 0 {
		s.stopAt = s.start + int64(c.Duration)
	}
	s.wheel.reuse = true
	s.next = s.rng.ExpFloat64()
	return s, nil
}

// Now is the event time up to which spans were returned.
func (s *Shop) Now() time.Time { return time.Unix(0, s.now()).UTC() }

func (s *Shop) now() int64 { return s.start + s.wheel.first*int64(Slot) }

// Done reports whether no more spans will come.
func (s *Shop) Done() bool { return s.wheel.pending+s.late.pending == 0 && s.now() >= s.stopAt }

// Accepting reports whether new requests still come in.
func (s *Shop) Accepting() bool { return s.now() < s.stopAt }

// SpansPerRequest is the expected number of spans of one user request.
func (s *Shop) SpansPerRequest() float64 { return s.plan.spansPerTrace }

// Next advances event time in steps of 100 ms as far as until and returns the spans exported on the
// way, roughly ordered by their end. The slice is valid until the next call.
func (s *Shop) Next(until time.Time) []Span {
	s.out = s.out[:0]
	for end := until.UnixNano(); s.now()+int64(Slot) <= end; {
		s.arrivals()
		spans, late := s.wheel.take(), s.late.take()
		if s.now()+int64(Slot) > end && len(s.out)+len(late) == 0 {
			return spans // a single step, as the shell takes it, needs no copy
		}
		s.out = append(append(s.out, spans...), late...)
	}
	return s.out
}

// Stop lets no new requests in and returns everything that is still on its way, late spans included.
// The slice is valid until the next call of a method.
func (s *Shop) Stop() []Span {
	s.stopAt = min(s.stopAt, s.now())
	s.out = s.out[:0]
	for s.wheel.pending+s.late.pending > 0 {
		s.out = append(append(s.out, s.wheel.take()...), s.late.take()...)
	}
	return s.out
}

// arrivals lets in the requests of the first slot: a Poisson process whose rate is constant in a slot.
func (s *Shop) arrivals() {
	from := s.now()
	length := min(int64(Slot), s.stopAt-from)
	if length <= 0 {
		return
	}
	perNano := s.cfg.Rate / s.plan.spansPerTrace * s.daily(from) / 1e9
	expected := perNano * float64(length)
	for s.next < expected {
		s.request(from + int64(s.next/perNano))
		s.next += s.rng.ExpFloat64()
	}
	s.next -= expected
}

// daily is the traffic's cycle, with mean 1 over a day.
func (s *Shop) daily(at int64) float64 {
	if s.cfg.DailyAmplitude == 0 {
		return 1
	}
	day := int64(s.cfg.Day)
	phase := float64((at-int64(s.cfg.DailyPeak))%day) / float64(day)
	return 1 + s.cfg.DailyAmplitude*math.Cos(2*math.Pi*phase)
}

// Labels returns the ground truth about the schedule of incidents as it stands.
func (s *Shop) Labels() []Label {
	var labels []Label
	for _, svc := range s.plan.services {
		for _, in := range svc.incidents {
			labels = append(labels, Label{
				Kind: in.Kind, Service: in.Service, Route: in.Route, Version: in.Version, Severity: in.Severity,
				Start: time.Unix(0, in.start).UTC(), End: time.Unix(0, in.end).UTC(), Affected: s.plan.affected(svc, in),
			})
		}
	}
	return labels
}

// Heal ends the incidents that a service has at this moment, as a successful remediation would, and
// reports how many it ended. Later ones still come.
func (s *Shop) Heal(service string) (int, error) {
	svc := s.plan.service(service)
	if svc == nil {
		return 0, fmt.Errorf("cannot heal service %q: no such service", service)
	}
	ended := 0
	for _, in := range svc.incidents {
		if now := s.now(); in.start <= now && now < in.end {
			in.end = now
			ended++
		}
	}
	return ended, nil
}

// SetCanary changes the share of requests that the canary of a service gets from now on, in [0, 1]:
// 0 rolls it back and 1 promotes it.
func (s *Shop) SetCanary(service string, share float64) error {
	svc := s.plan.service(service)
	if svc == nil || len(svc.canary) == 0 || !(share >= 0 && share <= 1) {
		return fmt.Errorf("cannot set canary share of service %q to %v: want a service with a canary and a share in [0, 1]", service, share)
	}
	svc.canaryShare = share
	return nil
}
