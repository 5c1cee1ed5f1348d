package histogram

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// ddSketch is what ClickHouse makes of a state: its reader and its quantile,
// after the layout in DDSketch.h and Store.h.
type ddSketch struct {
	gamma    float64
	pos, neg map[int]float64
	zeros    float64
}

// readState reads a state and fails the test if it is not well-formed.
func readState(t rapid.TB, data []byte) ddSketch {
	t.Helper()
	r := bytes.NewReader(data)
	tag := func(want byte) {
		if b, err := r.ReadByte(); err != nil || b != want {
			t.Fatalf("byte %d of the state is %#x (%v), want %#x", len(data)-r.Len()-1, b, err, want)
		}
	}
	float := func() (v float64) {
		if err := binary.Read(r, binary.LittleEndian, &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	varint := func() int {
		v, err := binary.ReadVarint(r)
		if err != nil {
			t.Fatal(err)
		}
		return int(v)
	}
	store := func() map[int]float64 {
		kind, _ := r.ReadByte()
		n, err := binary.ReadUvarint(r)
		if err != nil {
			t.Fatal(err)
		}
		bins := map[int]float64{}
		switch kind {
		case 0x04: // sparse
			key := 0
			for range n {
				key += varint()
				bins[key] += float()
			}
		case 0x0c: // dense, which ClickHouse may write and AppendQuantilesDD does not
			key, step := varint(), varint()
			for range n {
				if c := float(); c != 0 {
					bins[key] += c
				}
				key += step
			}
			return bins
		default:
			t.Fatalf("store of kind %#x", kind)
		}
		if uint64(len(bins)) != n {
			t.Fatalf("%d keys, %d of them different", n, len(bins))
		}
		return bins
	}
	var s ddSketch
	tag(0x02)
	s.gamma = float()
	if offset := float(); offset != 0 {
		t.Fatalf("index offset %v, want 0", offset)
	}
	tag(0x01)
	s.pos = store()
	tag(0x03)
	s.neg = store()
	tag(0x04)
	s.zeros = float()
	if r.Len() != 0 {
		t.Fatalf("%d bytes left over", r.Len())
	}
	return s
}

// quantile is DDSketchDenseLogarithmic::get.
func (s ddSketch) quantile(q float64) float64 {
	keys := func(m map[int]float64) (sorted []int, total float64) {
		for k, n := range m {
			sorted = append(sorted, k)
			total += n
		}
		slices.Sort(sorted)
		return sorted, total
	}
	value := func(key int) float64 {
		return math.Exp(float64(key)*math.Log(s.gamma)) * (1 + finestError)
	}
	pos, npos := keys(s.pos)
	neg, nneg := keys(s.neg)
	rank := q * (npos + nneg + s.zeros - 1)
	running := 0.0
	switch {
	case rank < nneg:
		for _, k := range neg {
			if running += s.neg[k]; running >= nneg-rank {
				return -value(k)
			}
		}
		return -value(neg[len(neg)-1])
	case rank < nneg+s.zeros:
		return 0
	default:
		for _, k := range pos {
			if running += s.pos[k]; running > rank-s.zeros-nneg {
				return value(k)
			}
		}
		return value(pos[len(pos)-1])
	}
}

func TestQuantilesDDAccuracy(t *testing.T) {
	if v, err := strconv.ParseFloat(QuantilesDDAccuracy, 64); err != nil || v != finestError {
		t.Errorf("QuantilesDDAccuracy is %v (%v), want %v", v, err, finestError)
	}
}

func TestStateBytes(t *testing.T) {
	const mapping = "02 748515d3b059f03f 0000000000000000"
	f := func(h *Histogram, want string) {
		t.Helper()
		if got := h.AppendQuantilesDD([]byte{}); !bytes.Equal(got, unhex(t, want)) {
			t.Errorf("got %x, want %s", got, want)
		}
	}
	f(of(), mapping+"01 0400 03 0400 04 0000000000000000")
	f(of(0, 0), mapping+"01 0400 03 0400 04 0000000000000040")
	// 1 is in bucket -1, 1.01 in 0, 1000 in 318.
	f(of(1, 1.01, 1.01, 1000), mapping+`01 0403 01 000000000000f03f 02 0000000000000040 fc04 000000000000f03f 03 0400 04 0000000000000000`)
	f(of(-1000), mapping+"01 0400 03 0401 fc04 000000000000f03f 04 0000000000000000")
	coarse := of(1.5)
	coarse.AddN(1.5, 2)
	coarse.downscale(1)
	f(coarse, mapping+"01 0402 24 000000000000f83f 02 000000000000f83f 03 0400 04 0000000000000000")
	// At scale -1, in (1, 4]: half at √2, half at 2·√2.
	coarse.downscale(5)
	f(coarse, mapping+"01 0402 20 000000000000f83f 40 000000000000f83f 03 0400 04 0000000000000000")
}

// TestStateQuantiles: ClickHouse's quantile of a state is ours, for any contents.
func TestStateQuantiles(t *testing.T) {
	f := func(name string, vs []float64) {
		t.Helper()
		h := of(vs...)
		s := readState(t, h.AppendQuantilesDD(nil))
		sorted := slices.Sorted(slices.Values(vs))
		for _, q := range quantiles {
			if got, want := s.quantile(q), exact(sorted, q); !withinError(got, want, finestError) {
				t.Errorf("%s: quantile %v = %v, want %v ± 1.083 %%", name, q, got, want)
			}
			if got, want := s.quantile(q), h.Quantile(q); math.Abs(got-want) > 1e-9*math.Abs(want) {
				t.Errorf("%s: quantile %v = %v, here %v", name, q, got, want)
			}
		}
	}
	f("lognormal", latencies(10000, 0.5, 1))
	f("wide lognormal", latencies(10000, 3, 2))
	f("bimodal", bimodal(10000, 1))
	f("constant", constant(1000, 123456))
	f("below 1", []float64{1e-9, 1e-6, 0.001, 0.5, 0.999})
	f("both signs", []float64{-1000, -1.5, -0.001, 0, 0, 0.7, 3, 4e6})
	f("zeros", constant(3, 0))
}

// TestCoarseStates: below scale 5 all counts are kept, stay inside their bucket, and
// quantiles are inside that bucket too.
func TestCoarseStates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vs := rapid.SliceOfN(valueGen(), 1, 40).Draw(t, "values")
		h := of(vs...)
		to := rapid.IntRange(-10, h.Scale()).Draw(t, "scale")
		if h.ZeroCount() < h.Count() {
			h.downscale(uint(h.Scale() - to))
		}
		s := readState(t, h.AppendQuantilesDD(nil))
		total := s.zeros
		for _, n := range s.pos {
			total += n
		}
		for _, n := range s.neg {
			total += n
		}
		if total != float64(len(vs)) || s.zeros != float64(h.ZeroCount()) {
			t.Fatalf("total %v of %d, zeros %v of %d", total, len(vs), s.zeros, h.ZeroCount())
		}
		if s.gamma != roots[1] {
			t.Fatalf("γ %v, want %v", s.gamma, roots[1])
		}
		folded := map[int]float64{}
		for k, n := range s.pos {
			folded[k>>h.shift] += n
		}
		for k, n := range folded {
			if float64(h.pos.at(k)) != n {
				t.Fatalf("bucket %d has %v, want %d", k, n, h.pos.at(k))
			}
		}
		sorted := slices.Sorted(slices.Values(vs))
		for _, q := range []float64{0, 1} {
			got, want := s.quantile(q), exact(sorted, q)
			if math.Abs(want) <= math.Ldexp(1, -1022) {
				want = 0
			}
			gamma := math.Exp2(math.Exp2(float64(-h.Scale())))
			if a, b := math.Abs(got), math.Abs(want); a > b*gamma*(1+finestError) || b > a*gamma*(1+finestError) || (got < 0) != (want < 0) {
				t.Fatalf("quantile %v = %v, want %v within a factor of %v", q, got, want, gamma)
			}
		}
	})
}
