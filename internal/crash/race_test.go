//go:build synctests && race

package crash

// underRace makes runs fewer: the race detector makes them slow.
const underRace = true
