package slo

import "math/bits"

// above reports whether a·b > c·d.
func above(a, b, c, d uint64) bool {
	leftHigh, leftLow := bits.Mul64(a, b)
	rightHigh, rightLow := bits.Mul64(c, d)
	return leftHigh > rightHigh || leftHigh == rightHigh && leftLow > rightLow
}

// scale returns n·part ÷ whole, rounded up; none is negative, and part is at most
// whole or the result fits.
func scale(n, part, whole int64) int64 {
	high, low := bits.Mul64(uint64(n), uint64(part))
	q, rest := bits.Div64(high, low, uint64(whole))
	if rest > 0 {
		q++
	}
	return int64(q)
}
