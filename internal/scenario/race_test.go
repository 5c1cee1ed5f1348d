//go:build race

package scenario

// Under the race detector scenarios run once: the engine has no goroutines, and make
// test runs them in all ways without it.
const once = true
