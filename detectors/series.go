package detectors

import (
	"fmt"
	"time"

	"github.com/flyball-io/flyball"
)

// SeriesDetector judges one series of window values, strictly online: what it says of
// a point follows from that point and those before. Its memory is bounded.
type SeriesDetector interface {
	// Observe judges a point, then learns it.
	Observe(SeriesPoint) SeriesReading
	// AppendSnapshot appends the whole memory to dst.
	AppendSnapshot(dst []byte) []byte
	// Restore replaces the memory by one that AppendSnapshot of a detector with the
	// same settings wrote. After an error the detector is to be thrown away.
	Restore(snapshot []byte) error
}

// SeriesPoint is the value of one closed window.
type SeriesPoint struct {
	// At is the end of the window.
	At flyball.Time
	// Value is NaN where there is none.
	Value float64
	// Count is how many samples it rests on.
	Count int64
}

// SeriesReading is what a detector says of one point.
type SeriesReading struct {
	// Digits is the surprise, −log10 of its chance by the history of the series; 0 is
	// none. It stays up for as long as the series is unusual.
	Digits float64
	// News is set when the surprise exceeds that of the recent past.
	News bool
	// Rarity is how rare news of so much surprise is in this series, in digits;
	// Threshold is from which rarity on the accepted false alarms admit one.
	Rarity, Threshold float64
	// Alarm is set when news is so rare and none was raised lately.
	Alarm bool
	// Direction is 1 above what was expected, −1 below, 0 for neither.
	Direction int8
	// Expected is the forecast, Low and High are where alarms would begin. Each is
	// NaN or infinite where there is no such number.
	Expected, Low, High float64
	// Algorithm is who is surprised most, Second who is next; "" is nobody.
	Algorithm, Second string
	// Seen is how many points the judgement rests on.
	Seen int
	// Age is for how long what is described has lasted already, where that is known, as
	// of a mean that has moved.
	Age time.Duration
	// Reason says why in one sentence with the numbers in it, until the next Observe.
	Reason fmt.Stringer
}

// Score maps the surprise to [0, 1], a tenth per digit.
func (r *SeriesReading) Score() float64 { return min(r.Digits/10, 1) }
