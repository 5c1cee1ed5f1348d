package processors

import "math"

// Sum adds floats so that the order hardly ever matters: the running total is
// kept as an unevaluated pair, whose second half holds the rounding errors of
// the first (Knuth's TwoSum, TAOCP vol. 2, 4.2.2; Neumaier, 1974). That makes
// windows the same whatever the partitions, batches or crashes on the way.
//
// Sums of integers, such as nanoseconds, are exact: adding up to 2^20 of up to
// 2^53 each, and merging such sums to a total of up to 2^105. Of other values
// the error before the one rounding in Value is about n·2^-106 of the sum of
// their magnitudes.
type Sum struct {
	hi, lo float64
}

// SumOf returns a sum of two parts as Parts returned them.
func SumOf(hi, lo float64) Sum { return Sum{hi, lo} }

// Parts returns the pair, for the wire.
func (s Sum) Parts() (hi, lo float64) { return s.hi, s.lo }

// Add adds x, which must be finite; no partial sum may reach 2^1024.
func (s *Sum) Add(x float64) {
	t := s.hi + x
	b := t - s.hi
	s.lo += (s.hi - (t - b)) + (x - b)
	s.hi = t
}

// Merge adds another sum. It leaves the second half below one unit in the last
// place of the first, which keeps merges of many sums exact; Add does not,
// because it is called once per sample.
func (s *Sum) Merge(o Sum) {
	s.Add(o.hi)
	s.lo += o.lo
	hi := s.hi + s.lo
	b := hi - s.hi
	s.lo = (s.hi - (hi - b)) + (s.lo - b)
	s.hi = hi
}

// Value returns the sum, rounded once.
func (s Sum) Value() float64 { return s.hi + s.lo }

// finite reports whether both halves are numbers.
func (s Sum) finite() bool {
	return math.Abs(s.hi) <= math.MaxFloat64 && math.Abs(s.lo) <= math.MaxFloat64
}
