// Package chart describes charts: the browser draws what is described here, and a screen
// reader says what Summary says.
package chart

import (
	"bytes"
	"math"
	"strconv"
	"time"
)

// Sheet is charts that share one time axis, and what happened on it.
type Sheet struct {
	// From and Until bound the axis.
	From  Instant `json:"from"`
	Until Instant `json:"until"`
	// X are the times of every value of every line, ascending.
	X []Instant `json:"x"`
	// Charts from top to bottom.
	Charts []Chart `json:"charts"`
	// Marks are drawn across all charts.
	Marks []Mark `json:"marks"`
}

// Chart is one chart.
type Chart struct {
	// ID names it in the page; Title is for people.
	ID    string `json:"id"`
	Title string `json:"title"`
	// Unit of its values, one of the constants.
	Unit string `json:"unit"`
	// Lines, Bands and Thresholds are what it shows.
	Lines      []Line      `json:"lines"`
	Bands      []Band      `json:"bands,omitempty"`
	Thresholds []Threshold `json:"thresholds,omitempty"`
	// Log draws the values on a logarithmic scale.
	Log bool `json:"log,omitempty"`
	// FromZero has the scale begin at zero.
	FromZero bool `json:"fromZero,omitempty"`
	// Summary says it in a sentence.
	Summary string `json:"summary"`
}

// The units of charts: the browser and [Format] write values by them.
const (
	PerSecond = "/s"
	Share     = "share" // 0.01 is 1 %
	Duration  = "ns"
	Times     = "x"
	Plain     = ""
)

// Line is one line of a chart.
type Line struct {
	// Label is its name in the legend; Role the colour, one of the constants.
	Label string `json:"label"`
	Role  string `json:"role"`
	// Y are the values, NaN where there is none.
	Y Values `json:"y"`
	// Dash and Fill say how it is drawn; Step holds values until the next.
	Dash bool `json:"dash,omitempty"`
	Fill bool `json:"fill,omitempty"`
	Step bool `json:"step,omitempty"`
}

// Band is an area between two lines, and what was expected.
type Band struct {
	Label string `json:"label"`
	Role  string `json:"role"`
	Low   Values `json:"low"`
	High  Values `json:"high"`
}

// Threshold is a horizontal line.
type Threshold struct {
	Label string  `json:"label"`
	Role  string  `json:"role"`
	Y     float64 `json:"y"`
}

// The roles of lines: the style sheet gives each a colour in light and in dark.
const (
	Main     = "main"
	Second   = "second"
	Third    = "third"
	Bad      = "bad"
	Warn     = "warn"
	Good     = "good"
	Expected = "expected"
	Quiet    = "quiet"
)

// Trim lets the axis begin where the values do, when most of it would be empty: as on the
// first day.
func (s *Sheet) Trim() {
	first := len(s.X)
	for i := range s.Charts {
		for _, l := range s.Charts[i].Lines {
			for at, y := range l.Y {
				if at < first && !math.IsNaN(y) {
					first = at
				}
			}
		}
	}
	if first < len(s.X) && first > len(s.X)/3 {
		s.From = s.X[max(first-2, 0)]
	}
}

// Mark is something that happened: at a time, or from a time until another.
type Mark struct {
	// Kind is page, ticket, info, deploy, remedy or change.
	Kind  string  `json:"kind"`
	At    Instant `json:"at"`
	Until Instant `json:"until,omitzero"`
	// Label says what; Href leads to more.
	Label string `json:"label"`
	Href  string `json:"href,omitempty"`
}

// Instant is a time, in JSON as seconds since the epoch.
type Instant struct{ time.Time }

// At makes an instant.
func At(t time.Time) Instant { return Instant{t} }

// MarshalJSON implements json.Marshaler.
func (i Instant) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(i.UnixMilli())/1000, 'f', -1, 64), nil
}

// Values are numbers in which NaN is no value, in JSON null; five digits are what a
// screen shows.
type Values []float64

// MarshalJSON implements json.Marshaler.
func (v Values) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, x := range v {
		if i > 0 {
			b.WriteByte(',')
		}
		if math.IsNaN(x) || math.IsInf(x, 0) {
			b.WriteString("null")
			continue
		}
		b.Write(strconv.AppendFloat(nil, x, 'g', 6, 64))
	}
	b.WriteByte(']')
	return b.Bytes(), nil
}

// Axis is the buckets of a range, and where in it a time belongs.
type Axis struct {
	from  time.Time
	step  time.Duration
	count int
}

// NewAxis returns the buckets of step in [from, until), each at a multiple of step.
func NewAxis(from, until time.Time, step time.Duration) Axis {
	start := from.Truncate(step)
	n := int((until.Sub(start) + step - 1) / step)
	return Axis{start, step, max(n, 1)}
}

// Times are the starts of the buckets.
func (a Axis) Times() []Instant {
	out := make([]Instant, a.count)
	for i := range out {
		out[i] = At(a.from.Add(time.Duration(i) * a.step))
	}
	return out
}

// Blank returns values for all buckets, none of them known.
func (a Axis) Blank() Values {
	out := make(Values, a.count)
	for i := range out {
		out[i] = math.NaN()
	}
	return out
}

// Set gives the bucket of a time its value.
func (a Axis) Set(v Values, t time.Time, x float64) {
	if i := int(t.Sub(a.from) / a.step); i >= 0 && i < len(v) && !t.Before(a.from) {
		v[i] = x
	}
}

// Known reports whether any value is.
func (v Values) Known() bool {
	for _, x := range v {
		if !math.IsNaN(x) {
			return true
		}
	}
	return false
}

// Last returns the last value that is known, NaN without.
func (v Values) Last() float64 {
	for i := len(v) - 1; i >= 0; i-- {
		if !math.IsNaN(v[i]) {
			return v[i]
		}
	}
	return math.NaN()
}

// Highest returns the greatest value and its place, NaN and -1 without.
func (v Values) Highest() (float64, int) {
	best, at := math.NaN(), -1
	for i, x := range v {
		if !math.IsNaN(x) && !(x <= best) {
			best, at = x, i
		}
	}
	return best, at
}
