package anomaly

import (
	"math"
	"time"

	"github.com/flyball-io/flyball/detectors/anomaly/phrase"
)

// Explain returns one sentence with the numbers in it, or "" when there is no
// surprise.
func (r *Reading) Explain() string { return string(r.AppendExplanation(nil)) }

// AppendExplanation appends what Explain returns.
func (r *Reading) AppendExplanation(dst []byte) []byte {
	if r.Digits <= 0 {
		return dst
	}
	dst = r.appendWhat(dst)
	if r.Direction > 0 && phrase.Finite(r.High) {
		dst = append(append(dst, "; alarm above "...), r.number(r.High)...)
	} else if r.Direction < 0 && phrase.Finite(r.Low) {
		dst = append(append(dst, "; alarm below "...), r.number(r.Low)...)
	}
	dst = append(dst, "; by chance once in "...)
	dst = append(dst, phrase.Odds(r.Digits)...)
	dst = append(dst, " points"...)
	if r.Second != None {
		dst = append(append(dst, "; so says "...), r.Second.String()...)
	}
	return dst
}

func (r *Reading) appendWhat(dst []byte) []byte {
	number := r.number
	value, side := number(r.Value), "above"
	if r.Direction < 0 {
		side = "below"
	}
	expected := number(r.Expected)
	say := func(parts ...string) []byte {
		for _, p := range parts {
			dst = append(dst, p...)
		}
		return dst
	}
	switch r.Detector {
	case Season:
		return say(value, " is ", side, " the ", expected, " usual at this time of the ", phrase.Period(r.For))
	case Spike:
		return say(value, " is ", side, " the ", expected, " that the last points lead to")
	case Level:
		return say(value, " is ", side, " the level of ", expected)
	case Step:
		return say(value, " after ", number(r.Level), " twelve points before is an unusual step")
	case Sustained:
		return say("the last twelve points are ", number(math.Abs(r.Level-r.Expected)), " ", side, " the ", expected, " usual at this time, on average")
	case Record:
		if r.Direction < 0 {
			return say(value, " is below all that was seen; the lowest was ", number(r.Level))
		}
		return say(value, " is above all that was seen; the highest was ", number(r.Level))
	case Sequence:
		return say(value, " has hardly ever followed a value like the last")
	}
	return r.appendState(dst)
}

// appendState writes what detectors say that are not about one value.
func (r *Reading) appendState(dst []byte) []byte {
	value := r.number
	say := func(parts ...string) []byte {
		for _, p := range parts {
			dst = append(dst, p...)
		}
		return dst
	}
	switch r.Detector {
	case Variance:
		if r.Direction < 0 {
			return say("unusually calm: ", phrase.Number(r.Level), " of the usual noise")
		}
		return say("unusually noisy: ", phrase.Number(r.Level), " times the usual noise")
	case Shift:
		return say("the mean has moved to ", value(r.Level), " from ", value(r.Expected), " since ", r.For.String())
	case Drift:
		return say("values are distributed unlike before: stability index ", phrase.Number(r.Level))
	case Stuck:
		return say(value(r.Value), " has not changed for ", r.For.String())
	case Silence:
		return say("no value for ", r.For.String())
	case Flapping:
		return say("goes up and down: ", phrase.Number(r.Level), " changes in the last 48 points")
	case Saturation:
		return say("reaches ", value(r.Level), " in ", r.For.Round(time.Minute).String(), ", between ",
			r.Soonest.Round(time.Minute).String(), " and ", r.Latest.Round(time.Minute).String())
	}
	return say(value(r.Value), " is unusual")
}

// number writes a value, as a duration where it is one.
func (r *Reading) number(x float64) string {
	if r.Duration {
		return phrase.Duration(x)
	}
	return phrase.Number(x)
}
