//go:build race

package e2e

// underRace is set when the race detector is on; the binary is then built with it
// too.
const underRace = true
