package chdb

import (
	"encoding/binary"
	"math"
)

// sketchState is ClickHouse's binary state of quantilesDD with γ = 2^(1/32)
// for n values v: mapping, positive store, empty negative store, zero count.
func sketchState(v float64, n float64) []byte {
	gamma := math.Exp2(1.0 / 32)
	b := appendFloat([]byte{2}, gamma)
	b = appendFloat(b, 0)
	b = append(b, 1, 4)
	b = binary.AppendUvarint(b, 1)
	b = binary.AppendVarint(b, int64(math.Log(v)/math.Log(gamma)))
	b = appendFloat(b, n)
	b = append(b, 3, 4, 0)
	return appendFloat(append(b, 4), 0)
}

func appendFloat(b []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
}
