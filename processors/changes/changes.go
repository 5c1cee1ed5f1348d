// Package changes finds the changes of what runs in the samples of a source: deploys,
// rollbacks, scalings. The decide machine is told them as controls of the kind change, in
// the transaction in which the samples are folded.
package changes

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
)

// Max is how many changes a transaction tells. Changes are rare: more are samples that
// are none.
const Max = 1000

// Dictionary has the values of the labels of a set, in the order of their columns.
type Dictionary interface {
	Values(set uint32, dst []string) []string
}

// Reader finds the changes in the samples of a source. The nil Reader finds none.
type Reader struct {
	source  flyball.Source
	labels  []string
	dict    Dictionary
	values  []string
	found   []flyball.Control
	seen    map[string]bool
	dropped int
}

// New returns a reader of the samples of a source whose labels are columns of a
// dictionary in this order; nil when it has no changes.
func New(source flyball.Source, labels []string, dict Dictionary) *Reader {
	if len(source.Changes) == 0 {
		return nil
	}
	return &Reader{source: source, labels: labels, dict: dict, seen: map[string]bool{}}
}

// Take looks at samples: their times, and their label sets.
func (r *Reader) Take(times []int64, sets []uint32) {
	if r == nil {
		return
	}
	for i, set := range sets {
		r.values = r.dict.Values(set, r.values[:0])
		for j := range r.source.Changes {
			r.change(&r.source.Changes[j], flyball.Time(times[i]))
		}
	}
}

// change adds the change that the values of a sample are, if they are one.
func (r *Reader) change(c *flyball.Changes, at flyball.Time) {
	for i := range c.Filter {
		if !c.Filter[i].MatchString(r.label(c.Filter[i].Name)) {
			return
		}
	}
	what := flyball.Change{Entity: r.label(c.Entity), Kind: r.label(c.Kind), Version: r.label(c.Version)}
	if what.Entity == "" {
		return // nobody can tell of what
	}
	id := identity(r.source.Name, what.Entity, what.Kind, what.Version, c.Target, at.String())
	switch {
	case r.seen[id]:
		return
	case len(r.found) >= Max:
		r.dropped++
		return
	}
	r.seen[id] = true
	why := strings.TrimSpace(what.Kind + " " + what.Version)
	if why == "" {
		why = "changed"
	}
	r.found = append(r.found, flyball.Control{
		ID: id, Kind: flyball.ControlChange, At: at, Who: "source " + r.source.Name, Why: why,
		Target: strings.ReplaceAll(c.Target, "{{entity}}", what.Entity), Change: &what,
	})
}

func (r *Reader) label(name string) string {
	if i, ok := slices.BinarySearch(r.labels, name); ok {
		return r.values[i]
	}
	return ""
}

// Found returns the changes since the last Reset, in the order in which they were read,
// and how many more there were.
func (r *Reader) Found() ([]flyball.Control, int) {
	if r == nil {
		return nil, 0
	}
	return r.found, r.dropped
}

// Reset forgets what was found: it is told, or will be read again.
func (r *Reader) Reset() {
	if r != nil {
		r.found, r.dropped = nil, 0
		clear(r.seen)
	}
}

// identity is the same for the same change, however often it is read.
func identity(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
