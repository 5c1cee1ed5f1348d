package slo

import (
	"time"

	"github.com/flyball-io/flyball"
)

const (
	// fineSlices is how far back a slice per pane is kept at most.
	fineSlices = 2160
	// middleSlices is into how many slices the longest burn-rate window is cut at
	// most, where a slice per pane would be too many.
	middleSlices = 1440
	// coarseSlices is into how many slices the period is cut at least.
	coarseSlices = 720
)

// kinds are the letters of the rings in the keys of durable chunks, finest first;
// the last is that of a period of the calendar. What rings other than the fine one
// count depends on the method.
var kinds = [...]string{
	flyball.Occurrences:     "fmcy",
	flyball.Timeslices:      "fMCY",
	flyball.RatioTimeslices: "fNDZ",
}

// layout returns the empty rings of an SLO, finest first, whose finest slices are
// unit wide and reach back at least as far as least.
func layout(s *flyball.SLO, unit, least time.Duration) []ring {
	kind, w := kinds[s.Method], weighBy(s)
	most := fineSlices * unit
	fine := newRing(kind[0], unit, roundUp(max(unit, least), unit), w)
	longest := time.Duration(0)
	for _, window := range reaches(s) {
		longest = max(longest, window)
		if window <= most {
			fine.span = max(fine.span, roundUp(window, unit))
		}
	}
	period, coarse := s.Period, kind[2]
	if s.Calendar != nil {
		// Counted by itself; the ring is for what exclusions take out of it, and reaches
		// over the longest of months and years.
		period, coarse = s.Period+s.Period/15+24*time.Hour, kind[3]
	}
	if period <= most {
		fine.span = max(fine.span, roundUp(period, unit))
	}
	rings := []ring{fine}
	for _, next := range []struct {
		reach, width time.Duration
		kind         byte
	}{
		{longest, middleWidth(s, longest, unit), kind[1]},
		{period, 0, coarse},
	} {
		finer := &rings[len(rings)-1]
		if next.reach <= finer.span {
			continue
		}
		if next.width == 0 {
			next.width = max(s.Period/coarseSlices/finer.width, 1) * finer.width
		}
		finer.span = max(finer.span, next.width)
		rings = append(rings, newRing(next.kind, next.width, next.reach, nil))
	}
	return rings
}

// middleWidth returns the width of slices into which the windows that the fine
// ring does not reach are cut: not more than middleSlices of the longest, and if
// possible such that all of them are whole slices.
func middleWidth(s *flyball.SLO, longest, unit time.Duration) time.Duration {
	least := roundUp(longest/middleSlices, unit)
	for width := least; width < 2*least; width += unit {
		whole := true
		for _, window := range windows(s) {
			whole = whole && (window <= fineSlices*unit || window%width == 0)
		}
		if whole {
			return width
		}
	}
	return least
}

// windows returns the windows of the tiers.
func windows(s *flyball.SLO) []time.Duration {
	var out []time.Duration
	for _, t := range s.Tiers {
		out = append(out, t.Long, t.Short)
	}
	return out
}

// reaches returns how far back the windows of the tiers are looked at.
func reaches(s *flyball.SLO) []time.Duration {
	var out []time.Duration
	for _, t := range s.Tiers {
		out = append(out, t.Long+t.After, t.Short+t.After)
	}
	return out
}

func roundUp(d, unit time.Duration) time.Duration { return (d + unit - 1) / unit * unit }
