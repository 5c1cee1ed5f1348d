package histogram

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
)

// What is written for ClickHouse comes back the same.
func TestMergeQuantilesDD(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	f := func(name string, draw func() float64) {
		t.Helper()
		var h, back Histogram
		for range 500 {
			h.Add(draw())
		}
		if err := back.MergeQuantilesDD(h.AppendQuantilesDD(nil)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(back.AppendQuantilesDD(nil), h.AppendQuantilesDD(nil)) || back.Count() != h.Count() {
			t.Errorf("%s: another histogram came back", name)
		}
	}
	f("durations", func() float64 { return math.Exp(18 + r.NormFloat64()) })
	f("both signs and zeros", func() float64 { return math.Trunc(3 * r.NormFloat64()) })
	f("small", r.Float64)
	state := func() []byte {
		var h Histogram
		h.AddN(5, 3)
		return h.AppendQuantilesDD(nil)
	}
	var h Histogram
	for n := range len(state()) {
		if h.MergeQuantilesDD(state()[:n]) == nil {
			t.Errorf("%d of %d bytes are taken", n, len(state()))
		}
	}
	if h.MergeQuantilesDD(append(state(), 0)) == nil || h.Count() != 0 {
		t.Errorf("bytes after the end are taken, or %d values of what failed", h.Count())
	}
}
