//go:build synctests && !race

package crash

const underRace = false
