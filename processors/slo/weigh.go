package slo

import (
	"github.com/flyball-io/flyball"
)

// weigh turns the samples of a finished slice into what the budget counts; nil
// leaves them as they are.
type weigh func(counts) counts

// ratioUnit is the weight of a slice where its share of bad samples counts.
const ratioUnit = 1_000_000_000

func weighBy(s *flyball.SLO) weigh {
	if len(s.Parts) > 0 {
		return weighParts(s.Method)
	}
	switch s.Method {
	case flyball.Timeslices:
		target := uint64(s.SliceTargetPPB)
		return func(c counts) counts {
			switch {
			case c.total <= 0:
				return counts{}
			case above(uint64(c.total), target, uint64(c.total-c.bad), ratioUnit):
				return counts{1, 1}
			}
			return counts{1, 0}
		}
	case flyball.RatioTimeslices:
		return func(c counts) counts {
			if c.total <= 0 {
				return counts{}
			}
			return counts{ratioUnit, scale(c.bad, ratioUnit, c.total)}
		}
	}
	return nil
}

// weighParts is for the slices of a composite, in which its parts' own were added up:
// how many had samples, and how many of those were bad, or their weighed shares.
func weighParts(method flyball.BudgetingMethod) weigh {
	switch method {
	case flyball.Timeslices:
		return func(c counts) counts { return counts{min(c.total, 1), min(c.bad, 1)} }
	case flyball.RatioTimeslices:
		return func(c counts) counts { return c }
	}
	return nil
}

// of applies a weigh that may be nil.
func (w weigh) of(c counts) counts {
	if w == nil {
		return c
	}
	return w(c)
}
