package shop

import (
	"encoding/binary"
	"math"
)

// request plays one user request that comes in at the given time.
func (s *Shop) request(at int64) {
	binary.LittleEndian.PutUint64(s.trace[:8], s.pcg.Uint64())
	binary.LittleEndian.PutUint64(s.trace[8:], s.pcg.Uint64()|1) // never all zeros, which means "invalid"
	u := s.rng.Float64()
	entries := s.plan.entries
	i := 0
	for i < len(entries)-1 && u >= entries[i].upTo {
		i++
	}
	s.serve(entries[i].route, [8]byte{}, at)
}

// serve plays one operation, its calls included, and returns its end and outcome.
func (s *Shop) serve(r *route, parent [8]byte, start int64) (int64, outcome) {
	pod := s.pick(r.service, start)
	version := ""
	if pod != nil {
		version = pod.version
	}
	slow, errorRate := r.effects(version, start)
	self := s.lognormal(r.mu, r.sigma) * slow
	result := outcomeOK
	switch u := s.rng.Float64(); {
	case u < errorRate:
		result = outcomeFailed
	case u < errorRate+r.notFoundRate:
		result = outcomeNotFound
	}
	if r.server == nil {
		return start + int64(self), result
	}
	id := s.newID()
	// A fixed part of the own work comes before the calls, the rest after them.
	end := start + int64(0.4*self)
	if len(r.calls) > 0 {
		var broken outcome
		if end, broken = s.calls(r, pod, id, end); broken != outcomeOK {
			result = broken
		}
	}
	end += int64(0.6 * self)
	s.export(r.server, r, pod, id, parent, start, end, result)
	return end, result
}

// calls plays the calls of an operation from the given time on. It stops at the first failure of a call
// that the operation needs, and says what that makes of the operation.
func (s *Shop) calls(r *route, pod *pod, parent [8]byte, at int64) (int64, outcome) {
	groupStart, end := at, at
	for i := range r.calls {
		e := &r.calls[i]
		if e.share < 1 && s.rng.Float64() >= e.share {
			continue
		}
		if !e.parallel {
			groupStart = end
		}
		done, result := s.call(e, r, pod, parent, groupStart)
		end = max(end, done)
		if e.optional || result == outcomeOK || result == outcomeNotFound {
			continue
		}
		if result == outcomeClientTimeout || result == outcomeGatewayTimeout {
			return end, outcomeGatewayTimeout
		}
		return end, outcomeBadGateway
	}
	return end, outcomeOK
}

// call plays one edge of the call graph: the caller's client span and what is behind it.
func (s *Shop) call(e *edge, r *route, pod *pod, parent [8]byte, start int64) (int64, outcome) {
	id := s.newID()
	network := int64(s.lognormal(networkMu, networkSigma))
	if e.async {
		sent := start + 2*network
		s.export(e.client, r, pod, id, parent, start, sent, outcomeOK)
		s.serve(e.callee, id, sent+10*network) // some time in the queue
		return sent, outcomeOK
	}
	done, result := s.serve(e.callee, id, start+network)
	end := done + network
	if end-start > e.timeout {
		end, result = start+e.timeout, outcomeClientTimeout
	}
	s.export(e.client, r, pod, id, parent, start, end, result)
	return end, result
}

// The logarithm of the nanoseconds one way over the cluster's network: 120 µs in the median.
const (
	networkMu    = 11.695
	networkSigma = 0.3
)

// effects folds the incidents that hit an operation into a factor on its own work and an error rate.
// The severity of a slow incident is meant for the whole request, so the own work has to make up for
// the calls, which stay as fast as they were.
func (r *route) effects(version string, at int64) (slow, errorRate float64) {
	slow, errorRate = 1, r.errorRate
	for _, in := range r.service.incidents {
		if !in.hits(r, version, at) {
			continue
		}
		switch in.Kind {
		case ErrorBurst:
			errorRate = max(errorRate, in.Severity)
		case LatencyRegression, SlowDependency:
			slow *= 1 + (in.Severity-1)*r.typical/math.Exp(r.mu)
		}
	}
	return slow, errorRate
}

// pick chooses a pod; nil for services that export nothing.
func (s *Shop) pick(svc *service, at int64) *pod {
	pods := svc.stable
	if len(svc.canary) > 0 && at >= svc.canaryFrom && s.rng.Float64() < svc.canaryShare {
		pods = svc.canary
	}
	switch len(pods) {
	case 0:
		return nil
	case 1:
		return pods[0]
	}
	return pods[s.rng.IntN(len(pods))]
}

func (s *Shop) lognormal(mu, sigma float64) float64 { return math.Exp(mu + sigma*s.rng.NormFloat64()) }

func (s *Shop) newID() (id [8]byte) {
	binary.LittleEndian.PutUint64(id[:], s.pcg.Uint64()|1)
	return id
}

// export puts a finished span on the wheel, unless its pod is silent. r is the operation that the pod
// was serving.
func (s *Shop) export(sh *shape, r *route, pod *pod, id, parent [8]byte, start, end int64, result outcome) {
	for _, in := range r.service.incidents {
		if in.Kind == Silence && pod.rank < in.Severity && in.hits(r, pod.version, end) {
			return
		}
	}
	wheel, leaves, delayed := &s.wheel, end, false
	if s.cfg.LateShare > 0 && s.rng.Float64() < s.cfg.LateShare {
		leaves += 1 + int64(s.rng.Float64()*float64(s.cfg.LateMax))
		wheel, delayed = &s.late, true
	}
	span := wheel.add((leaves - s.start) / int64(Slot))
	*span = Span{
		TraceID: s.trace, ID: id, Parent: parent, Start: start + pod.skew, End: end + pod.skew,
		shape: sh, pod: pod, item: uint16(id[1]) | uint16(id[2])<<8, outcome: result, delayed: delayed,
	}
}
