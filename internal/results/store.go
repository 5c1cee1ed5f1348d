package results

import (
	"slices"
	"sync"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/remediation/memory"
)

// How many of each the store holds at least, once there were so many, and a quarter more
// at most; the oldest go first.
const (
	maxFindings  = 10_000
	maxDecisions = 20_000
	maxCommands  = 10_000
	maxOutcomes  = 20_000
	maxBudgets   = 100_000
)

// Store holds what was followed. It is safe for concurrent use.
type Store struct {
	mu        sync.RWMutex
	findings  timeline[flyball.Finding]
	latest    map[string]Key // of findings, by id
	decisions timeline[flyball.Decision]
	commands  timeline[flyball.Command]
	outcomes  timeline[flyball.Outcome]
	reported  map[string][]flyball.Outcome // by command, the earliest first
	budgets   map[budget]processors.SLORow
	decide    *memory.Memory
}

type budget struct{ slo, entity, labels string }

// NewStore returns an empty store.
func NewStore() *Store {
	return &Store{findings: timeline[flyball.Finding]{most: maxFindings}, latest: map[string]Key{},
		decisions: timeline[flyball.Decision]{most: maxDecisions}, commands: timeline[flyball.Command]{most: maxCommands},
		outcomes: timeline[flyball.Outcome]{most: maxOutcomes}, reported: map[string][]flyball.Outcome{}, budgets: map[budget]processors.SLORow{}, decide: memory.New(nil)}
}

// AddFinding takes a state of a finding, unless a later one is known.
func (s *Store) AddFinding(f flyball.Finding) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, known := s.latest[f.ID]
	if !known {
		k = Key{memory.OpenedAt(&f), f.ID}
	}
	if old := s.findings.get(k); old != nil && old.Revision >= f.Revision {
		return
	}
	s.findings.set(k, &f)
	s.latest[f.ID] = k
	if len(s.latest) > 2*maxFindings { // some are of findings that have gone
		clear(s.latest)
		for _, r := range s.findings.rows {
			s.latest[r.ID] = r.Key
		}
	}
}

func (t *timeline[T]) get(k Key) *T {
	at, found := slices.BinarySearchFunc(t.rows, k, func(r keyed[T], k Key) int { return r.compare(k) })
	if !found {
		return nil
	}
	return t.rows[at].value
}

// AddDecision takes a decision.
func (s *Store) AddDecision(d flyball.Decision) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.decisions.set(Key{d.At, d.ID}, &d)
}

// AddCommand takes a command.
func (s *Store) AddCommand(c flyball.Command) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands.set(Key{c.At, c.ID}, &c)
}

// AddOutcome takes an outcome.
func (s *Store) AddOutcome(o flyball.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	added, trimmed := s.outcomes.set(Key{o.At, o.ID}, &o)
	if trimmed {
		clear(s.reported)
		for _, r := range s.outcomes.rows {
			s.reported[r.value.Command] = append(s.reported[r.value.Command], *r.value)
		}
	} else if added {
		// A new list: pages that were given hold the one before.
		list := append(slices.Clone(s.reported[o.Command]), o)
		slices.SortFunc(list, func(a, b flyball.Outcome) int { return Key{a.At, a.ID}.compare(Key{b.At, b.ID}) })
		s.reported[o.Command] = list
	}
}

// AddStatus takes a status of an SLO, unless a later one is known, or more budgets than
// there may be.
func (s *Store) AddStatus(r processors.SLORow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := budget{r.SLO, r.Entity, r.Labels}
	if old, known := s.budgets[b]; known && old.At > r.At || !known && len(s.budgets) >= maxBudgets {
		return
	}
	s.budgets[b] = r
}

// Remember takes what the decide role remembers under a key of the state topic; nil is
// that it has forgotten it.
func (s *Store) Remember(key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.decide.Restore(key, value)
}
