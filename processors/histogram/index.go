package histogram

import "math"

// Resolution at the finest scale, 5: 32 buckets per doubling.
const (
	finestScale   = 5
	perDoubling   = 1 << finestScale
	mantissaBits  = 52
	mantissaMask  = 1<<mantissaBits - 1
	exponentBias  = 1023
	smallestBits  = 1 << mantissaBits     // bits of 2^-1022, the upper edge of the zero bucket
	infinityBits  = 0x7ff << mantissaBits // bits of +Inf
	signBit       = 1 << 63               // set for negative floats
	minIndex      = -1022 * perDoubling   // bucket that starts at 2^-1022
	maxIndex      = 1024*perDoubling - 1  // bucket that holds math.MaxFloat64
	sliceShift    = mantissaBits - 6      // the top six mantissa bits pick one of 64 slices
	coarsestScale = -10                   // two buckets cover every positive float
	maxShift      = finestScale - coarsestScale
)

// index returns the scale 5 bucket of the float with the given bits, which
// must be those of a finite number above 2^-1022. Bucket i is (2^(i/32),
// 2^((i+1)/32)].
//
// The upper edge is inclusive, and no edge but the powers of two is a float
// (the others are irrational). So the bucket of v is that of the next float
// below v under inclusive lower edges, which is what the bits give: exponent
// times 32, plus the number of edges at or below the mantissa.
func index(bits uint64) int {
	b := bits - 1
	m := b & mantissaMask
	return int(b>>mantissaBits)<<finestScale - exponentBias<<finestScale + int((edges[m>>sliceShift]+m)>>mantissaBits)
}

// edges counts the bucket edges at or below a mantissa m. The narrowest bucket
// (0.0219) is wider than a slice of the mantissa (1/64), so a slice holds one
// edge at most. The entry of a slice is (edges at or below its start)<<52 plus
// what has to be added to the edge inside it to reach 1<<52; adding m carries
// into the count exactly when m has reached that edge. The edges are
// ceil((2^(j/32)-1)·2^52), checked against big-float roots in the tests.
var edges = [64]uint64{
	0x0000000000000000, 0x000fa64f2cea7a8b, 0x001f4aa7930676f0, 0x0020000000000000,
	0x002eecfe2feda4af, 0x003e8d47c382ae85, 0x0040000000000000, 0x004e2b78ce974655,
	0x005dc785918a9dc7, 0x0060000000000000, 0x006d61620ae0211e, 0x0070000000000000,
	0x007cf901f5ce48ea, 0x008c8e58c8c55635, 0x0090000000000000, 0x009c2159b3edcbdd,
	0x00a0000000000000, 0x00abb1f79f9e76d2, 0x00bb40252ac9d5d8, 0x00c0000000000000,
	0x00cacbd4a962b07e, 0x00d0000000000000, 0x00da54f822b7abd6, 0x00e0000000000000,
	0x00e9db814fc5aa7b, 0x00f0000000000000, 0x00f95f619980c433, 0x0100000000000000,
	0x0108e08a1713a08c, 0x0110000000000000, 0x01185eeb8c14fe79, 0x0120000000000000,
	0x0127da7666b331ed, 0x0130000000000000, 0x0137531abdd55f24, 0x0140000000000000,
	0x0146c8c84f323a1b, 0x0150000000000000, 0x0150000000000000, 0x01563b6e7d5c0f6f,
	0x0160000000000000, 0x0165aafc4dc1daa3, 0x0170000000000000, 0x0175176066a52c52,
	0x0180000000000000, 0x018480890d04a1b9, 0x0190000000000000, 0x0190000000000000,
	0x0193e664227aad63, 0x01a0000000000000, 0x01a348df23106f96, 0x01b0000000000000,
	0x01b0000000000000, 0x01b2a7e723045b78, 0x01c0000000000000, 0x01c20368cc8464a1,
	0x01d0000000000000, 0x01d0000000000000, 0x01d15b505d5b6f26, 0x01e0000000000000,
	0x01e0000000000000, 0x01e0af89a491babf, 0x01f0000000000000, 0x01f0000000000000,
}

// roots are the floats nearest to 2^(j/32).
var roots = [perDoubling]float64{
	1, 1.0218971486541166, 1.0442737824274138, 1.0671404006768237,
	1.0905077326652577, 1.1143867425958924, 1.1387886347566916, 1.1637248587775775,
	1.189207115002721, 1.215247359980469, 1.241857812073484, 1.2690509571917332,
	1.2968395546510096, 1.3252366431597413, 1.3542555469368927, 1.383909881963832,
	1.4142135623730951, 1.4451808069770467, 1.4768261459394993, 1.5091644275934228,
	1.5422108254079407, 1.5759808451078865, 1.6104903319492543, 1.645755478153965,
	1.681792830507429, 1.718619298122478, 1.7562521603732995, 1.7947090750031072,
	1.8340080864093424, 1.8741676341103, 1.9152065613971474, 1.9571441241754002,
}

// lowerEdge returns the exclusive lower edge of bucket i at scale 5-shift.
// The bucket's upper edge is lowerEdge(i+1, shift); it is +Inf, for 2^1024, in
// the last bucket.
func lowerEdge(i int, shift uint) float64 {
	fine := i << shift
	return math.Ldexp(roots[fine&(perDoubling-1)], fine>>finestScale)
}

// relativeError returns α = (γ-1)/(γ+1) with γ = 2^(2^-scale), scale = 5-shift:
// how far representative can be from any value of its bucket, relative to
// that value.
func relativeError(shift uint) float64 {
	// tanh(x/2) = (e^x-1)/(e^x+1) has no overflow where γ has one.
	return math.Tanh(math.Ldexp(math.Ln2/2, int(shift)-finestScale))
}

// representative returns the value that stands for bucket i at scale 5-shift:
// lower edge times 1+α, the DDSketch estimate, equally far in relative terms
// from both edges.
func representative(i int, shift uint) float64 {
	alpha := finestError
	if shift != 0 {
		alpha = relativeError(shift)
	}
	return lowerEdge(i, shift) * (1 + alpha)
}
