//go:build race

package evaluate

// Under the race detector, which slows these laws tenfold and has nothing to find in
// code without goroutines, fewer random cases are drawn.
const randomCases = "20"

const underRace = true
