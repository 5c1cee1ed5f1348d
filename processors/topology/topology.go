// Package topology learns who calls whom from windows of calls: those that client spans
// are counted in, by the label peer. Nothing need be wrong with the calls.
package topology

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

const (
	// Every is the event time after which a pair that still calls is told again. What is
	// told is the start of such a time, so that telling it twice changes nothing.
	Every = time.Hour
	// Max is how many pairs one partition of panes learns.
	Max = 10_000
	// MaxTold is how many are told at once; the rest follows.
	MaxTold = 500
	// peer is the label of what is called, service that of who calls, where that is not
	// the entity.
	peer, service = "peer", "service.name"
)

// Edge says that a service calls another.
type Edge struct {
	From string       `json:"from"`
	To   string       `json:"to"`
	At   flyball.Time `json:"at"`
}

type pair struct{ from, to string }

// Learner learns the pairs of one partition of panes. It needs no memory beyond the
// process: a new one tells again what it sees, which changes nothing.
type Learner struct {
	told    map[pair]flyball.Time
	pending map[pair]flyball.Time
	taken   []pair // told in this transaction
	named   map[string]string
	limited int
}

// NewLearner returns a learner that knows nothing.
func NewLearner() *Learner {
	return &Learner{told: map[pair]flyball.Time{}, pending: map[pair]flyball.Time{}, named: map[string]string{}}
}

// Learn looks at windows.
func (l *Learner) Learn(w *processors.Windows) {
	for i := range w.Len() {
		if w.Count[i] == 0 || !strings.Contains(w.Labels[i], `"peer":`) {
			continue
		}
		p := pair{l.caller(w.Entity[i], w.Labels[i]), l.label(w.Labels[i], peer)}
		if p.from == "" || p.to == "" || p.from == p.to {
			continue
		}
		at := flyball.Time(w.Start[i]).Floor(Every)
		if last, ok := l.told[p]; ok && last >= at {
			continue
		}
		if _, known := l.pending[p]; !known && len(l.told)+len(l.pending) >= Max {
			l.forget(at)
			if len(l.told)+len(l.pending) >= Max {
				l.limited++
				continue
			}
		}
		l.pending[p] = max(at, l.pending[p])
	}
}

func (l *Learner) caller(entity, labels string) string {
	return cmp.Or(l.label(labels, service), entity)
}

// label reads a label of canonical JSON, and remembers what it read.
func (l *Learner) label(labels, name string) string {
	key := name + labels
	if v, ok := l.named[key]; ok {
		return v
	}
	var all map[string]string
	_ = json.Unmarshal([]byte(labels), &all) // what is no JSON has no labels
	if len(l.named) >= 4*Max {
		clear(l.named)
	}
	l.named[key] = all[name]
	return all[name]
}

// forget makes room: what has not called for two times Every is told again if it comes
// back.
func (l *Learner) forget(now flyball.Time) {
	maps.DeleteFunc(l.told, func(_ pair, at flyball.Time) bool { return at.Add(2*Every) <= now })
}

// Tell returns pairs that were not told since they last called, in order, and how often
// there was no room for one. They are told when the transaction is committed.
func (l *Learner) Tell() (edges []Edge, limited int) {
	l.taken = slices.SortedFunc(maps.Keys(l.pending), func(a, b pair) int {
		return cmp.Or(strings.Compare(a.from, b.from), strings.Compare(a.to, b.to))
	})
	l.taken = l.taken[:min(len(l.taken), MaxTold)]
	for _, p := range l.taken {
		edges = append(edges, Edge{p.from, p.to, l.pending[p]})
	}
	limited, l.limited = l.limited, 0
	return edges, limited
}

// End says whether what Tell returned is durable.
func (l *Learner) End(committed bool) {
	for _, p := range l.taken {
		if committed {
			l.told[p] = l.pending[p]
			delete(l.pending, p)
		}
	}
	l.taken = nil
}
