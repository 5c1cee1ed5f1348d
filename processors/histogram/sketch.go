package histogram

import "math"

// MergeQuantilesDD adds the values of a state that [Histogram.AppendQuantilesDD] wrote.
// It changes nothing when it fails. What was written at a coarser scale than 5 comes
// back spread over the buckets that it covered, in whole counts.
func (h *Histogram) MergeQuantilesDD(state []byte) error {
	r := &reader{data: state}
	var sum Histogram
	if r.byte() != ddLogMapping || math.Float64frombits(r.uint64()) != roots[1] || r.uint64() != 0 {
		return r.fail("it is no sketch of this accuracy")
	}
	for _, side := range []struct {
		tag  byte
		sign float64
	}{{ddPositive, 1}, {ddNegative, -1}} {
		if r.byte() != side.tag || r.byte() != ddSparse {
			return r.fail("a store of the sketch is of another kind")
		}
		key, carry := int64(0), 0.0
		for n := r.uvarint(); n > 0 && !r.bad; n-- {
			key += r.varint()
			carry += math.Float64frombits(r.uint64())
			if !(carry >= 0 && carry < 1<<62) {
				return r.fail("a count of the sketch is out of range")
			}
			whole := math.Floor(carry)
			carry -= whole
			// The middle of the bucket, so that no rounding moves it to the next.
			if !sum.AddN(side.sign*math.Exp2((float64(key)+0.5)/perDoubling), uint64(whole)) && whole > 0 {
				return r.fail("a value of the sketch is out of range")
			}
		}
	}
	if r.byte() != ddZeroCount {
		return r.fail("the sketch has no count of zeros")
	}
	sum.AddN(0, uint64(math.Float64frombits(r.uint64())))
	if r.bad || r.at != len(state) {
		return r.fail("the sketch does not end where it should")
	}
	h.Merge(&sum)
	return nil
}
