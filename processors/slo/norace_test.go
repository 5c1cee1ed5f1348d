//go:build !race

package slo

// randomCases is how many cases a law draws.
const randomCases = "100"
