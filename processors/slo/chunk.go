package slo

import (
	"encoding/binary"
	"fmt"
)

// chunkSlices is how many slices a chunk holds: 64 of 10 s are about ten
// minutes, and encode to about 200 bytes.
const chunkSlices = 64

// chunk is a run of slices, encoded: total and bad of each as uvarints, without
// the empty slices at the end. The bytes are never changed, so that they serve
// as the memory, as what an abort goes back to, and as the durable form.
type chunk struct {
	index  int64
	sum    counts // of its slices, weighed
	before counts // of all chunks before it
	data   []byte // not weighed
}

type counts struct{ total, bad int64 }

func (c counts) plus(d counts) counts  { return counts{c.total + d.total, c.bad + d.bad} }
func (c counts) minus(d counts) counts { return counts{c.total - d.total, c.bad - d.bad} }

// next cuts the counts of one slice off data, which holds whole slices.
func next(data []byte) (counts, []byte) {
	total, n := binary.Uvarint(data)
	bad, m := binary.Uvarint(data[n:])
	return counts{int64(total), int64(bad)}, data[n+m:]
}

// firstSlices returns the sum of the first n slices of a chunk.
func firstSlices(data []byte, n int, w weigh) (sum counts) {
	var c counts
	for ; n > 0 && len(data) > 0; n-- {
		c, data = next(data)
		sum = sum.plus(w.of(c))
	}
	return sum
}

// slice returns the n-th slice of a chunk.
func slice(data []byte, n int) (c counts) {
	for ; n >= 0; n-- {
		if len(data) == 0 {
			return counts{}
		}
		c, data = next(data)
	}
	return c
}

// unpack decodes a chunk.
func unpack(data []byte) (slices [chunkSlices]counts) {
	for i := 0; len(data) > 0; i++ {
		slices[i], data = next(data)
	}
	return slices
}

// pack encodes a chunk.
func pack(slices *[chunkSlices]counts) []byte {
	n := chunkSlices
	for n > 0 && slices[n-1] == (counts{}) {
		n--
	}
	data := make([]byte, 0, chunkSlices*2*binary.MaxVarintLen64) // on the stack
	for _, c := range slices[:n] {
		data = binary.AppendUvarint(data, uint64(c.total))
		data = binary.AppendUvarint(data, uint64(c.bad))
	}
	return append(make([]byte, 0, len(data)), data...)
}

// check says what is wrong with bytes that should be a chunk.
func check(data []byte) error {
	for i := 0; len(data) > 0; i++ {
		if i == chunkSlices {
			return fmt.Errorf("it has more than %d slices", chunkSlices)
		}
		total, n := binary.Uvarint(data)
		if n <= 0 {
			return fmt.Errorf("it ends in the total of slice %d", i)
		}
		bad, m := binary.Uvarint(data[n:])
		if m <= 0 {
			return fmt.Errorf("it ends in the bad samples of slice %d", i)
		}
		if bad > total || total > maxSlice {
			return fmt.Errorf("%d of %d samples are bad in slice %d", bad, total, i)
		}
		data = data[n+m:]
	}
	return nil
}

// maxSlice is more samples than a slice can have; it keeps sums within int64.
const maxSlice = 1 << 56
