package histogram

import (
	"math"
	"math/big"
	"testing"
)

// bigEdges returns 2^(j/32) for j = 0..32 to 400 bits.
func bigEdges() []*big.Float {
	root := new(big.Float).SetPrec(400).SetInt64(2)
	for range finestScale {
		root.Sqrt(root)
	}
	edges := []*big.Float{new(big.Float).SetPrec(400).SetInt64(1)}
	for range perDoubling {
		edges = append(edges, new(big.Float).SetPrec(400).Mul(edges[len(edges)-1], root))
	}
	return edges
}

// referenceIndex returns the bucket of v > 0 by comparing with big-float edges.
func referenceIndex(edges []*big.Float, v float64) int {
	fraction, exponent := math.Frexp(v) // v = fraction·2^exponent, fraction in [0.5, 1)
	x := new(big.Float).SetFloat64(2 * fraction)
	j := 0
	for j < perDoubling && edges[j+1].Cmp(x) < 0 {
		j++
	}
	if x.Cmp(edges[0]) == 0 {
		j = -1 // an upper edge belongs to the bucket below it
	}
	return (exponent-1)*perDoubling + j
}

func indexOf(v float64) int { return index(math.Float64bits(v)) }

func TestIndexAtPowersOfTwo(t *testing.T) {
	for e := -1021; e <= 1023; e++ {
		v := math.Ldexp(1, e)
		if got, want := indexOf(v), e*perDoubling-1; got != want {
			t.Fatalf("index of 2^%d = %d, want %d", e, got, want)
		}
		if got, want := indexOf(math.Nextafter(v, 0)), e*perDoubling-1; got != want {
			t.Fatalf("index just below 2^%d = %d, want %d", e, got, want)
		}
		if got, want := indexOf(math.Nextafter(v, math.Inf(1))), e*perDoubling; got != want {
			t.Fatalf("index just above 2^%d = %d, want %d", e, got, want)
		}
	}
	if got := indexOf(math.MaxFloat64); got != maxIndex {
		t.Errorf("index of the largest float = %d, want %d", got, maxIndex)
	}
	if got := indexOf(math.Nextafter(math.Ldexp(1, -1022), 1)); got != minIndex {
		t.Errorf("index just above 2^-1022 = %d, want %d", got, minIndex)
	}
}

// TestIndexAtEveryEdge looks at both floats next to each of the 65,000 edges.
func TestIndexAtEveryEdge(t *testing.T) {
	edges := bigEdges()
	for j := 1; j < perDoubling; j++ {
		below, accuracy := edges[j].Float64()
		if accuracy == big.Exact {
			t.Fatalf("edge %d is a float", j)
		}
		if accuracy == big.Above {
			below = math.Nextafter(below, 0)
		}
		for e := -1022; e <= 1023; e++ {
			v := math.Ldexp(below, e)
			if got, want := indexOf(v), e*perDoubling+j-1; got != want {
				t.Fatalf("index of %v below edge %d of 2^%d = %d, want %d", v, j, e, got, want)
			}
			v = math.Nextafter(v, math.Inf(1))
			if got, want := indexOf(v), e*perDoubling+j; got != want {
				t.Fatalf("index of %v above edge %d of 2^%d = %d, want %d", v, j, e, got, want)
			}
		}
	}
}

func TestIndexAtSliceEdges(t *testing.T) {
	// The starts of the 64 table slices, and the floats around them.
	edges := bigEdges()
	for s := range 64 {
		v := math.Float64frombits(math.Float64bits(1) | uint64(s)<<sliceShift)
		for _, v := range []float64{math.Nextafter(v, 0), v, math.Nextafter(v, 4)} {
			if got, want := indexOf(v), referenceIndex(edges, v); got != want {
				t.Errorf("index of %v = %d, want %d", v, got, want)
			}
		}
	}
}

func TestRoots(t *testing.T) {
	for j, want := range bigEdges()[:perDoubling] {
		if w, _ := want.Float64(); roots[j] != w {
			t.Errorf("root %d = %v, want %v", j, roots[j], w)
		}
	}
}

func TestRelativeError(t *testing.T) {
	alpha := float64(finestError)
	if (1+alpha)/(1-alpha) != roots[1] {
		t.Errorf("(1+α)/(1-α) = %v, want %v", (1+alpha)/(1-alpha), roots[1])
	}
	for shift := uint(0); shift <= maxShift; shift++ {
		gamma := math.Exp2(math.Exp2(float64(int(shift) - finestScale)))
		want := (gamma - 1) / (gamma + 1)
		if math.IsInf(gamma, 1) {
			want = 1
		}
		if got := relativeError(shift); math.Abs(got-want) > 1e-14 {
			t.Errorf("relative error at scale %d = %v, want %v", finestScale-int(shift), got, want)
		}
	}
}

func TestRepresentative(t *testing.T) {
	for shift := uint(0); shift <= maxShift; shift++ {
		alpha := relativeError(shift) * (1 + 1e-12)
		for i := minIndex >> shift; i <= maxIndex>>shift; i++ {
			lo, hi, v := lowerEdge(i, shift), lowerEdge(i+1, shift), representative(i, shift)
			if i == maxIndex>>shift {
				hi = math.MaxFloat64
			}
			if i == minIndex>>shift {
				lo = math.Ldexp(1, -1022) // what is below counts as zero
			}
			if math.Abs(v-lo) > alpha*lo || math.Abs(hi-v) > alpha*hi {
				t.Fatalf("bucket %d (%v, %v] at scale %d: representative %v", i, lo, hi, finestScale-int(shift), v)
			}
		}
	}
}
