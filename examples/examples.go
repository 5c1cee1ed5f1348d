// Package examples holds whole configurations for incidents that everybody has: each
// folder is one, with a page, a configuration and scenarios that test it.
package examples

import (
	"embed"
	"io/fs"
	"path"
	"slices"
)

// Files holds the folders: NAME/config/*.yaml, NAME/*.txtar, and in NAME/telemetry
// what `flyball dev --example NAME` plays.
//
//go:embed */config/*.yaml */*.txtar */telemetry
var Files embed.FS

// Names returns the names of the examples, sorted.
func Names() []string {
	list, err := fs.Glob(Files, "*/scenario.txtar")
	if err != nil {
		panic("BUG: " + err.Error()) // the pattern is well formed
	}
	for i := range list {
		list[i] = path.Dir(list[i])
	}
	slices.Sort(list)
	return list
}
