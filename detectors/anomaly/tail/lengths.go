package tail

import (
	"math"

	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
)

// Lengths judges how long something lasts, by how long it did before.
type Lengths struct{ logs Upper }

// lengthFloor is the smallest mean excess of a logarithm of a length: those of a series
// that was always on time must be well beyond it to count.
const lengthFloor = 0.7

// NewLengths returns a tail that forgets after one to two generations of so many lengths.
func NewLengths(generation int) Lengths { return Lengths{NewUpper(generation)} }

// Digits returns how surprising a length would be.
func (l *Lengths) Digits(length float64) float64 { return l.logs.Digits(log(length), lengthFloor) }

// Add learns a length.
func (l *Lengths) Add(length float64) { l.logs.Add(log(length), 1) }

// log is the logarithm of what is mostly 1.
func log(x float64) float64 {
	if x == 1 {
		return 0
	}
	return math.Log(x)
}

// WorthTelling reports whether something that has lasted for n points is worth judging
// again: when it has grown by half since, so that it does not speak up at every point.
func WorthTelling(n int) bool {
	mark := 2
	for mark < n {
		mark += (mark + 1) / 2
	}
	return mark == n
}

// Code walks over the memory.
func (l *Lengths) Code(c *snapshot.Codec) { l.logs.Code(c) }
