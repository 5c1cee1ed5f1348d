//go:build race

package examples

// Under the race detector scenarios are read and not run: the engine has no goroutines,
// and make test runs them without it.
const race = true
