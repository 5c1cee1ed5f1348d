package remote

import (
	"math"
	"time"

	"github.com/flyball-io/flyball/detectors/stats"
)

// stretch is how much of the history is counted together.
const stretch = 15 * time.Minute

// past sums up the baseline's history in stretches; nil when there is none. Values are
// read from the end, where the histories of replicas meet.
func (s *series) past(pane time.Duration) *stats.Past {
	history := s.history
	if s.exposure != nil {
		history = s.exposure.history
	}
	length := 0
	for _, r := range history {
		length = max(length, len(r.values))
	}
	if length == 0 {
		return nil
	}
	panes := max(1, int(stretch/pane))
	n := (length + panes - 1) / panes
	x, e := make([]float64, n), make([]float64, n)
	for back := range length {
		events, exposure := s.counted(back)
		i := n - 1 - back/panes
		x[i], e[i] = x[i]+events, e[i]+exposure
	}
	return stats.NewPast(float64(panes), x, e)
}

// counted is what the baseline had so many steps before the last of its history, as in
// an arm: a replica that has traffic and no value had no events.
func (s *series) counted(back int) (events, exposure float64) {
	if s.exposure == nil {
		for _, r := range s.history {
			if v := r.before(back); v >= 0 {
				events, exposure = events+v, exposure+1
			}
		}
		return events, exposure
	}
	for _, out := range s.exposure.history {
		of := out.before(back)
		if !(of > 0) {
			continue
		}
		exposure += of
		for _, r := range s.history {
			if v := r.before(back); r.replica == out.replica && v >= 0 {
				events += v
			}
		}
	}
	return events, exposure
}

// before returns the value so many steps before the last one, NaN where there is none.
func (r samples) before(back int) float64 {
	if i := len(r.values) - 1 - back; i >= 0 {
		return r.at(i)
	}
	return math.NaN()
}
