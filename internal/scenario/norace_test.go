//go:build !race

package scenario

// once leaves out the runs of scenarios in other ways.
const once = false
