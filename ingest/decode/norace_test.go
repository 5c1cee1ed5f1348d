//go:build !race

package decode

// mangledBytes bounds the bytes that checkMangled and checkTruncated come to, in all
// records of a test.
const mangledBytes = 2000
