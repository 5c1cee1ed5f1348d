package processors

// Sum adds floats so that the order hardly ever matters: the running total is
// kept as an unevaluated pair, whose second half holds the rounding errors of
// the first (Knuth's TwoSum, TAOCP vol. 2, 4.2.2; Neumaier, 1974). Sums of
// integers up to 2^53 each, such as nanoseconds, are exact. That makes windows
// the same whatever the partitions, batches or crashes on the way.
type Sum struct {
	hi, lo float64
}

// SumOf returns a sum of two parts as Parts returned them.
func SumOf(hi, lo float64) Sum { return Sum{hi, lo} }

// Parts returns the pair, for the wire.
func (s Sum) Parts() (hi, lo float64) { return s.hi, s.lo }

// Add adds x.
func (s *Sum) Add(x float64) {
	t := s.hi + x
	b := t - s.hi
	s.lo += (s.hi - (t - b)) + (x - b)
	s.hi = t
}

// Merge adds another sum.
func (s *Sum) Merge(o Sum) {
	s.Add(o.hi)
	s.lo += o.lo
}

// Value returns the sum, rounded once.
func (s Sum) Value() float64 { return s.hi + s.lo }
