package examples

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/flyball-io/flyball"
)

var errEncoding = errors.New("cannot read examples: the bytes are not their encoding")

// Cut splits off the encoded examples that data begins with, if any.
func Cut(data []byte) (encoded, rest []byte) {
	if len(data) == 0 || data[0] != Mark {
		return nil, data
	}
	size, n := binary.Uvarint(data[1:])
	if n <= 0 || size > uint64(len(data)-1-n) {
		return data, nil // whoever reads them says so
	}
	end := 1 + n + int(size)
	return data[:end], data[end:]
}

// Read returns the examples that AppendBinary has encoded with the same start.
func Read(data []byte, start flyball.Time) (Few, error) {
	var f Few
	if len(data) == 0 {
		return f, nil
	}
	size, n := binary.Uvarint(data[1:])
	if data[0] != Mark || n <= 0 || size != uint64(len(data)-1-n) {
		return f, errEncoding
	}
	r := reader{rest: data[1+n:]}
	for len(r.rest) > 0 {
		e := Example{Value: math.NaN()}
		flags := r.take(1)[0]
		e.Bad = flags&flagBad != 0
		e.At = start.Add(time.Duration(min(r.uvarint(), math.MaxInt32*uint64(time.Second))))
		if flags&flagValue != 0 {
			e.Value = math.Float64frombits(binary.LittleEndian.Uint64(r.take(8)))
		}
		if flags&flagTrace != 0 {
			copy(e.Trace[:], r.take(16))
			e.Hash = TraceHash(e.Trace)
		}
		if flags&flagText != 0 {
			e.Hash = binary.LittleEndian.Uint64(r.take(8))
			e.Text = string(r.take(r.uvarint()))
		}
		if r.failed {
			return Few{}, errEncoding
		}
		f.Add(&e)
	}
	return f, nil
}

// reader takes bytes from the front. After the end it gives zeros, and has failed.
type reader struct {
	rest   []byte
	failed bool
}

var zeros [16]byte

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.failed, r.rest = true, nil
		return zeros[:min(n, uint64(len(zeros)))]
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.failed, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// TraceHash orders traces without favour.
func TraceHash(id [16]byte) uint64 {
	h := binary.LittleEndian.Uint64(id[:]) ^ binary.LittleEndian.Uint64(id[8:])
	h *= 0x9e3779b97f4a7c15
	return h ^ h>>29
}

// TextHash orders texts without favour.
func TextHash(text []byte) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for _, c := range text {
		h = (h ^ uint64(c)) * prime
	}
	return h ^ h>>32
}
