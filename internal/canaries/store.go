// Package canaries is what programs outside the engine see of analyses: their
// verdicts, followed on the topic, and a way to ask for one.
package canaries

import (
	"cmp"
	"slices"
	"sync"

	"github.com/flyball-io/flyball"
)

// Limits of a Store: the oldest analyses are forgotten, and of a long one verdicts in
// the middle.
const (
	maxAnalyses = 1000
	maxVerdicts = 1500
)

// Store holds the verdicts that were followed. The zero value is ready, and not yet
// caught up.
type Store struct {
	mu       sync.Mutex
	analyses map[string]*analysis
	seen     int64
	ready    bool
	changed  chan struct{} // closed at the next change
}

// analysis is one analysis: what was asked for, and what became of it.
type analysis struct {
	request   *flyball.CanaryRequest
	cancelled bool
	verdicts  []flyball.Verdict
	order     int64 // of the last change
}

// Analysis is what is known of one analysis.
type Analysis struct {
	// Request is what was asked for; nil when it began by itself.
	Request *flyball.CanaryRequest
	// Cancelled is set when its end was asked for.
	Cancelled bool
	// Verdicts in the order of their revisions; empty when none has come.
	Verdicts []flyball.Verdict
}

// Last returns the last verdict, or what stands for it when none has come.
func (a *Analysis) Last() flyball.Verdict {
	if n := len(a.Verdicts); n > 0 {
		return a.Verdicts[n-1]
	}
	v := flyball.Verdict{Phase: flyball.PhaseWarmup, Verdict: flyball.VerdictInconclusive, Reason: "it has not begun",
		At: flyball.NoTime, StartedAt: flyball.NoTime, EndsAt: flyball.NoTime, Metrics: []flyball.MetricVerdict{}}
	if r := a.Request; r != nil {
		v.ID, v.Canary, v.Entity, v.Version, v.Baseline, v.By = r.ID, r.Canary, r.Entity, r.Version, r.Baseline, r.By
	}
	if a.Cancelled {
		v.Phase, v.Reason = flyball.PhaseCancelled, "it was cancelled before it began"
	}
	return v
}

func (s *Store) of(id string) *analysis {
	a := s.analyses[id]
	if a == nil {
		if s.analyses == nil {
			s.analyses = map[string]*analysis{}
		}
		a = &analysis{}
		s.analyses[id] = a
	}
	s.seen++
	a.order = s.seen
	for len(s.analyses) > maxAnalyses {
		oldest := ""
		for id, a := range s.analyses {
			if oldest == "" || a.order < s.analyses[oldest].order {
				oldest = id
			}
		}
		delete(s.analyses, oldest)
	}
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
	return a
}

// AddVerdict takes a verdict; one that was taken before changes nothing.
func (s *Store) AddVerdict(v flyball.Verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.of(v.ID)
	at, known := slices.BinarySearchFunc(a.verdicts, v.Revision, func(x flyball.Verdict, revision int) int { return cmp.Compare(x.Revision, revision) })
	if known {
		return
	}
	a.verdicts = slices.Insert(a.verdicts, at, v)
	if len(a.verdicts) > maxVerdicts { // every second one of the older half, so that the course of it stays
		var kept []flyball.Verdict
		for i, v := range a.verdicts {
			if i%2 == 0 || i > maxVerdicts/2 {
				kept = append(kept, v)
			}
		}
		a.verdicts = kept
	}
}

// AddRequest takes a request.
func (s *Store) AddRequest(r flyball.CanaryRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Cancel {
		if a := s.analyses[r.ID]; a != nil {
			s.of(r.ID).cancelled = true
		}
		return
	}
	if a := s.of(r.ID); a.request == nil {
		a.request = &r
	}
}

// Get returns an analysis by its id.
func (s *Store) Get(id string) (Analysis, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.analyses[id]
	if a == nil {
		return Analysis{}, false
	}
	return a.copy(), true
}

func (a *analysis) copy() Analysis {
	return Analysis{Request: a.request, Cancelled: a.cancelled, Verdicts: slices.Clone(a.verdicts)}
}

// List returns all analyses, those that changed last first.
func (s *Store) List() []Analysis {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*analysis
	for _, a := range s.analyses {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b *analysis) int { return cmp.Compare(b.order, a.order) })
	out := make([]Analysis, len(list))
	for i, a := range list {
		out[i] = a.copy()
	}
	return out
}

func (s *Store) setReady() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = true
}

// Ready reports whether what was on the topics when it started has been read.
func (s *Store) Ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ready
}

// Changed returns a channel that is closed at the next change.
func (s *Store) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}
