package trend

import "math"

// Outlook says when a series of equidistant values reaches the end of its range, if it
// goes on as it does: by a robust line, carried on, and only of trends beyond doubt.
type Outlook struct {
	index  []float64
	slopes []float64 // scratch
}

// End is where a trend leads.
type End struct {
	// At is the end of the range, Side is 1 for the upper one and −1 for the lower.
	At   float64
	Side int8
	// Left is in how many steps it is reached, Soonest and Latest bound that.
	Left, Soonest, Latest float64
	// Digits is −log10 of the chance of such a trend where there is none (Mann and
	// Kendall's test).
	Digits float64
}

const (
	outlookSigmas = 1.96 // of the interval of the time left
	outlookSure   = 3    // sigmas of Mann and Kendall's test
)

// NewOutlook returns an outlook from at most so many values.
func NewOutlook(most int) Outlook {
	o := Outlook{index: make([]float64, most), slopes: make([]float64, 0, most*(most-1)/2)}
	for i := range o.index {
		o.index[i] = float64(i)
	}
	return o
}

// Ends says where y leads within so many steps, if that is the end of low to high.
func (o *Outlook) Ends(y []float64, low, high, steps float64) (e End, ok bool) {
	if !heading(y, low, high, steps) {
		return e, false
	}
	var line Sen
	line, o.slopes = Line(o.index[:len(y)], y, outlookSigmas, o.slopes)
	slope, least, steepest := line.Slope, line.Low, line.High
	e.At, e.Side = high, 1
	if slope < 0 {
		slope, least, steepest = -line.Slope, -line.High, -line.Low
		e.At, e.Side = low, -1
	}
	last := y[len(y)-1]
	room := math.Abs(e.At - last)
	if (last-e.At)*float64(e.Side) >= 0 {
		room = 0
	}
	// The lower end of the interval must still be a trend, and in time.
	if !(least > 0 && math.Abs(line.Z) > outlookSure && room <= slope*steps) {
		return e, false
	}
	e.Left, e.Soonest, e.Latest = room/slope, room/max(steepest, slope), room/least
	e.Digits = -math.Log10(math.Erfc(math.Abs(line.Z) / math.Sqrt2))
	return e, true
}

// heading is a cheap look whether a line is worth drawing: does the last third lead from
// the first third to an end of the range within twice the steps.
func heading(y []float64, low, high, steps float64) bool {
	third := len(y) / 3
	first, last := 0.0, 0.0
	for i := range third {
		first += y[i]
		last += y[len(y)-1-i]
	}
	slope := (last - first) / float64(third) / float64(len(y)-third)
	end := y[len(y)-1] + 2*slope*steps
	return end >= high || end <= low
}
