package memory

import (
	"cmp"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
)

// Change remembers the last change of a target that was not our own doing.
type Change struct {
	Target string       `json:"target"`
	At     flyball.Time `json:"at"`
	Who    string       `json:"who"`
}

// Key implements Row.
func (c Change) Key() Key { return Key{c.Target} }

// Recent remembers the last changes of an entity, the latest first.
type Recent struct {
	Entity  string    `json:"entity"`
	Changes []Changed `json:"changes"`
}

// Key implements Row.
func (r Recent) Key() Key { return Key{r.Entity} }

// Changed is a change, whoever made it.
type Changed struct {
	ID      string       `json:"id"`
	Target  string       `json:"target"`
	Kind    string       `json:"kind"`
	Version string       `json:"version,omitempty"`
	At      flyball.Time `json:"at"`
	Who     string       `json:"who"`
	// Operation is ours that was under way on the target.
	Operation string `json:"operation,omitempty"`
}

// maxRecent is how many changes of an entity are remembered.
const maxRecent = 10

// Change keeps a change that somebody tells. One of a target on which an operation of
// ours is under way is taken for what came of that: it holds nothing back. It returns
// that operation, "" when there is none.
func (m *Memory) Change(c *flyball.Control) (operation string) {
	what := flyball.Change{Entity: c.Target[strings.LastIndex(c.Target, "/")+1:], Kind: string(flyball.ControlChange)}
	if c.Change != nil {
		what.Entity, what.Kind, what.Version = cmp.Or(c.Change.Entity, what.Entity), cmp.Or(c.Change.Kind, what.Kind), c.Change.Version
	}
	if id, busy := m.Index.Busy[c.Target]; busy && c.Change != nil {
		if op, _ := m.Operations.Get(Key{id}); c.At >= op.SentAt {
			operation = id
		}
	}
	last, known := m.Changed.Get(Key{c.Target})
	if operation == "" && (!known || last.At <= c.At) && (known || !m.Changed.Full()) {
		m.Changed.Set(Change{Target: c.Target, At: c.At, Who: c.Who})
	}
	r, known := m.Recent.Get(Key{what.Entity})
	if !known && m.Recent.Full() {
		return operation
	}
	list := slices.DeleteFunc(slices.Clone(r.Changes), func(x Changed) bool { return x.ID == c.ID })
	list = append(list, Changed{ID: c.ID, Target: c.Target, Kind: what.Kind, Version: what.Version, At: c.At, Who: c.Who, Operation: operation})
	slices.SortStableFunc(list, func(a, b Changed) int { return cmp.Or(cmp.Compare(b.At, a.At), strings.Compare(a.ID, b.ID)) })
	m.Recent.Set(Recent{Entity: what.Entity, Changes: list[:min(len(list), maxRecent)]})
	return operation
}
