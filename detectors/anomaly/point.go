// Package anomaly finds what is unusual in one series, as it happens: strictly
// online, with bounded memory, and with a reason for everything it says.
//
// Every detector first judges a point by what came before it and only then
// learns it. All of them speak in digits of surprise, −log10 of the chance that
// the series' own history gives to something as extreme: 4 digits are once in
// 10,000 points. That makes them comparable, and lets sensitivity be set in
// false alarms per week.
package anomaly

import (
	"math"
	"time"

	"github.com/flyball-io/flyball"
)

// Point is one closed window of a series, as detectors see it.
type Point struct {
	// At is the end of the window.
	At flyball.Time
	// Value is what was measured. NaN and infinities mean that there is none;
	// they are never judged or learned, but they count as silence.
	Value float64
	// Count is how many samples are behind the value.
	Count int64
}

// missing reports whether there is nothing to judge.
func (p Point) missing() bool {
	return math.IsNaN(p.Value) || math.IsInf(p.Value, 0)
}

// Reading is what a detector says of one point. The zero Reading says nothing.
type Reading struct {
	// At and Value are those of the point.
	At    flyball.Time
	Value float64
	// Digits is the surprise, −log10 p, at most MaxDigits; 0 is none. It stays
	// up for as long as the series is unusual.
	Digits float64
	// News is whether this surprise exceeds every one of the recent past, so that
	// an incident speaks once, and again only when it gets worse.
	News bool
	// Rarity is how rare news of so much surprise is in this very series, −log10
	// of its chance by the news that there was; 0 for what is no news.
	Rarity float64
	// Alarm is whether news is so rare that the accepted number of alarms a week
	// admits it, and none was raised lately. Whatever the series is like, chance
	// alone raises no more.
	Alarm bool
	// Direction is 1 above what was expected, −1 below, 0 for neither.
	Direction int8
	// Detector is who is surprised most.
	Detector Kind
	// Expected is the forecast for this point, made before it was seen; NaN when
	// there is none.
	Expected float64
	// Low and High are where the detector's alarm would begin, NaN or infinite
	// when there is no such limit.
	Low, High float64
	// Course is the same, or where the detector has no expectations of the value, those
	// of the first that has: what a chart shows beside the value.
	Course Course
	// Seen is how many points the judgement rests on.
	Seen int
	// Second is the detector next in surprise, None when nobody else is
	// surprised.
	Second Kind
	// For is the length of what is described: a silence, a run of equal values,
	// the age of a shift, the period of a season, the time until saturation.
	For time.Duration
	// Soonest and Latest bound For when it is a forecast.
	Soonest, Latest time.Duration
	// Level is a second number for the explanation: the extreme exceeded, the
	// usual rate, the limit ahead.
	Level float64
	// Duration is set when values are nanoseconds, to be written as such.
	Duration bool
}

// Course is what is expected of a value, NaN or infinite where nothing is.
type Course struct {
	// Expected is the forecast, Low and High are where alarms would begin.
	Expected, Low, High float64
}

// MaxDigits is the most surprise that is reported.
const MaxDigits = 30

// Score maps the surprise of news to [0, 1]: a tenth per digit. It is 0 for what
// is not news, so that an incident scores when it begins and when it worsens.
func (r *Reading) Score() float64 {
	if !r.News {
		return 0
	}
	return min(r.Digits/10, 1)
}

// Detector judges one series. Its memory is bounded; Observe does not allocate.
type Detector interface {
	// Observe judges a point by those before it, then learns it.
	Observe(Point) Reading
	// AppendSnapshot appends the whole memory to dst.
	AppendSnapshot(dst []byte) []byte
	// Restore replaces the memory by one that AppendSnapshot of a detector with
	// the same configuration wrote. The error is a snapshot.ErrMalformed, and the
	// detector is then to be thrown away.
	Restore(snapshot []byte) error
}
