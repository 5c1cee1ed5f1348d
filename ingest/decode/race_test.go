//go:build race

package decode

// mangledBytes bounds the bytes that checkMangled and checkTruncated come to, in all
// records of a test; the race detector makes each ten times as dear.
const mangledBytes = 150
