package anomaly

import (
	"math"

	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
)

// record is surprised by what has never been seen: a value above or below all
// others. Among n values in any order the last is a record with chance 2/n
// (Rényi); a series that has broken many records, because it grows, gets so many
// more chances. A record by a twentieth of the range counts for two digits more.
type record struct {
	broken int // records that mattered
}

const (
	recordWarm    = 40
	recordMargin  = 0.05  // of the range, for the whole bonus
	recordMatters = 0.005 // of the range, to be counted as broken
	recordBonus   = 2
)

func newRecord() *record { return &record{} }

func (r *record) observe(f *frame, o *opinion) {
	o.digits = 0
	if f.index < recordWarm || f.low <= f.value && f.value <= f.high {
		return
	}
	over := f.value - f.high
	o.side, o.level = 1, f.high
	if under := f.low - f.value; under > over {
		over, o.side, o.level = under, -1, f.low
	}
	// The range is that before this value, unless it is declared.
	width := f.rangeHigh - f.rangeLow
	if over <= 0 || width <= 0 {
		return
	}
	margin := over / width
	chance := 2 * float64(1+r.broken) / float64(f.index+1)
	o.digits = max(0, -math.Log10(chance)+recordBonus*min(margin/recordMargin, 1))
	if margin > recordMatters {
		r.broken++
	}
}

func (r *record) code(c *snapshot.Codec) { c.Count(&r.broken) }
