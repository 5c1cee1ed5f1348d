//go:build !race

package evaluate

// randomCases is how many cases a law draws.
const randomCases = "100"

const underRace = false
