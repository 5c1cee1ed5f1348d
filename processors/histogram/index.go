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
// It is 32 times the exponent plus the number of edges below the mantissa. The only
// edges that are floats are the powers of two; taking 1 from the bits first
// puts those into the bucket below, and for all other edges it is made up for in
// the table.
func index(bits uint64) int {
	b := bits - 1
	m := b & mantissaMask
	return int(b>>mantissaBits)<<finestScale - exponentBias<<finestScale + int((edges[m>>sliceShift]+m)>>mantissaBits)
}

// edges counts the bucket edges below a mantissa, given that mantissa minus
// one, m. The narrowest bucket (0.0219) is wider than a slice of the mantissa
// (1/64), so a slice holds one edge at most. The entry of a slice is (edges at
// or below its start)<<52 plus what has to be added to the first m above its edge to
// reach 1<<52: adding m carries into the count exactly when m is above the edge.
// The first m above edge j is floor((2^(j/32)-1)·2^52); the tests check them
// against big-float roots.
var edges = [64]uint64{
	0x0000000000000000, 0x000fa64f2cea7a8c, 0x001f4aa7930676f1, 0x0020000000000000,
	0x002eecfe2feda4b0, 0x003e8d47c382ae86, 0x0040000000000000, 0x004e2b78ce974656,
	0x005dc785918a9dc8, 0x0060000000000000, 0x006d61620ae0211f, 0x0070000000000000,
	0x007cf901f5ce48eb, 0x008c8e58c8c55636, 0x0090000000000000, 0x009c2159b3edcbde,
	0x00a0000000000000, 0x00abb1f79f9e76d3, 0x00bb40252ac9d5d9, 0x00c0000000000000,
	0x00cacbd4a962b07f, 0x00d0000000000000, 0x00da54f822b7abd7, 0x00e0000000000000,
	0x00e9db814fc5aa7c, 0x00f0000000000000, 0x00f95f619980c434, 0x0100000000000000,
	0x0108e08a1713a08d, 0x0110000000000000, 0x01185eeb8c14fe7a, 0x0120000000000000,
	0x0127da7666b331ee, 0x0130000000000000, 0x0137531abdd55f25, 0x0140000000000000,
	0x0146c8c84f323a1c, 0x0150000000000000, 0x0150000000000000, 0x01563b6e7d5c0f70,
	0x0160000000000000, 0x0165aafc4dc1daa4, 0x0170000000000000, 0x0175176066a52c53,
	0x0180000000000000, 0x018480890d04a1ba, 0x0190000000000000, 0x0190000000000000,
	0x0193e664227aad64, 0x01a0000000000000, 0x01a348df23106f97, 0x01b0000000000000,
	0x01b0000000000000, 0x01b2a7e723045b79, 0x01c0000000000000, 0x01c20368cc8464a2,
	0x01d0000000000000, 0x01d0000000000000, 0x01d15b505d5b6f27, 0x01e0000000000000,
	0x01e0000000000000, 0x01e0af89a491bac0, 0x01f0000000000000, 0x01f0000000000000,
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
