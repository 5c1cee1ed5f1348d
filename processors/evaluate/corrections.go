package evaluate

import (
	"maps"
	"slices"

	"github.com/flyball-io/flyball/processors/window"
)

// corrections are the closed windows that the panes of one record changed.
type corrections map[window.Key]*store

// correct reports each window once per record, with the next revision.
func (m *Machine) correct(c corrections) {
	for _, k := range slices.SortedFunc(maps.Keys(c), window.CompareKeys) {
		c[k].Correct(k.Labels, k.Start, m.revisions.Next(k), &m.windows)
	}
}
