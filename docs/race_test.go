//go:build race

package docs_test

// The race detector makes scenarios ten times as slow: each runs in one way only.
const once = true
