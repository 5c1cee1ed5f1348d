package memory

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
)

// Phase is where an operation is in its life.
type Phase string

// The phases of an operation.
const (
	// Waiting for a person to approve or start it.
	Waiting Phase = "waiting"
	// Sent and not heard of.
	Sent Phase = "sent"
	// Accepted by the executor.
	Accepted Phase = "accepted"
	// Verifying whether the indicator recovers.
	Verifying Phase = "verifying"
	// Stabilising: whether it stays so.
	Stabilising Phase = "stabilising"
	// Unknown is what became of it: nothing was heard by the deadline.
	Unknown Phase = "unknown"
	// Pausing before the next attempt or action.
	Pausing Phase = "pausing"
	// Closed is over.
	Closed Phase = "closed"
)

// Operation is what a rule does about a finding: one or more attempts, the last of
// which may have stronger actions than the first.
type Operation struct {
	ID           string         `json:"id"`
	Rule         string         `json:"rule"`
	RuleRevision string         `json:"rule_revision"`
	Finding      string         `json:"finding"`
	Entity       string         `json:"entity"`
	Service      string         `json:"service,omitempty"`
	Detector     string         `json:"detector,omitempty"`
	Severity     string         `json:"severity,omitempty"`
	Target       string         `json:"target"`
	Action       flyball.Action `json:"action"`
	Mode         flyball.Mode   `json:"mode"`
	Phase        Phase          `json:"phase"`
	// Attempt counts the commands from 1, Step is the place of the action in the
	// list of stronger ones (0 is the first), Tries counts failures of this step, and
	// Held how often gates held the next attempt.
	Attempt int `json:"attempt"`
	Step    int `json:"step,omitempty"`
	Tries   int `json:"tries,omitempty"`
	Held    int `json:"held,omitempty"`
	// SentAt and Deadline are those of the last command.
	SentAt   flyball.Time `json:"sent_at"`
	Deadline flyball.Time `json:"deadline"`
	// Due is when something happens by itself; NoTime is never.
	Due flyball.Time `json:"due"`
	// RecoveredAt is since when the indicator is recovered; NoTime while it is not.
	RecoveredAt flyball.Time `json:"recovered_at"`
	// EndedAt is when it was closed, Result the verb of that.
	EndedAt flyball.Time `json:"ended_at"`
	Result  flyball.Verb `json:"result,omitempty"`
	// Compensates is the operation that it undoes.
	Compensates string `json:"compensates,omitempty"`
	// Origin is the finding that the rule was judged on, when that was not Finding but
	// something that depends on it.
	Origin string `json:"origin,omitempty"`
	// Causes are the operations that may have caused the finding.
	Causes []string `json:"causes,omitempty"`
	// Depth is how long the chain of operations is that ends in it, each begun for
	// what opened during the one before.
	Depth int `json:"depth,omitempty"`
	// Guardrails that it counts for.
	Guardrails []string `json:"guardrails,omitempty"`
	// Command is the id of the last command.
	Command string `json:"command,omitempty"`
}

// Key implements Row.
func (o Operation) Key() Key { return Key{o.ID} }

// Live says whether a command of it may be acting on the target.
func (o Operation) Live() bool {
	switch o.Phase {
	case Sent, Accepted, Verifying, Stabilising, Unknown:
		return true
	}
	return false
}

// Helped says whether it may have done something that is still so.
func (o Operation) Helped() bool { return o.Live() || o.Result == flyball.VerbEffective }

// Index finds operations and findings by what they are about. It follows from the
// tables, and is not state.
type Index struct {
	Busy     map[string]string              // target → live operation
	ByEntity map[string]map[string]struct{} // entity → operations that are not closed
	Active   map[string]struct{}            // operations that are not closed
	Troubled map[string]map[string]struct{} // entity → open findings
	Services map[string]map[string]struct{} // service → open findings
	Needs    map[string]map[string]struct{} // service → what it was learned to call
	Needed   map[string]map[string]struct{} // the other way round
}

func newIndex() *Index {
	return &Index{Busy: map[string]string{}, ByEntity: map[string]map[string]struct{}{},
		Active: map[string]struct{}{}, Troubled: map[string]map[string]struct{}{}, Services: map[string]map[string]struct{}{},
		Needs: map[string]map[string]struct{}{}, Needed: map[string]map[string]struct{}{}}
}

func (x *Index) operation(was Operation, had bool, is Operation, has bool) {
	if had {
		if x.Busy[was.Target] == was.ID {
			delete(x.Busy, was.Target)
		}
		delete(x.Active, was.ID)
		drop(x.ByEntity, was.Entity, was.ID)
	}
	if !has || is.Phase == Closed {
		return
	}
	if is.Live() {
		x.Busy[is.Target] = is.ID
	}
	x.Active[is.ID] = struct{}{}
	add(x.ByEntity, is.Entity, is.ID)
}

func (x *Index) finding(was OpenFinding, had bool, is OpenFinding, has bool) {
	if had {
		drop(x.Troubled, was.Finding.Entity, was.Finding.ID)
		drop(x.Services, Service(&was.Finding), was.Finding.ID)
	}
	if has {
		add(x.Troubled, is.Finding.Entity, is.Finding.ID)
		add(x.Services, Service(&is.Finding), is.Finding.ID)
	}
}

func (x *Index) edge(was Edge, had bool, is Edge, has bool) {
	switch {
	case has && !had:
		add(x.Needs, is.From, is.To)
		add(x.Needed, is.To, is.From)
	case had && !has:
		drop(x.Needs, was.From, was.To)
		drop(x.Needed, was.To, was.From)
	}
}

// About returns the open findings about an entity or a service of that name, in
// order.
func (x *Index) About(name string) []string {
	out := Sorted(x.Services[name])
	for _, id := range Sorted(x.Troubled[name]) {
		if _, both := x.Services[name][id]; !both {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// Service returns the service that a finding is about.
func Service(f *flyball.Finding) string { return cmp.Or(f.Labels.Get("service.name"), f.Entity) }

func add(sets map[string]map[string]struct{}, name, id string) {
	if sets[name] == nil {
		sets[name] = map[string]struct{}{}
	}
	sets[name][id] = struct{}{}
}

func drop(sets map[string]map[string]struct{}, name, id string) {
	delete(sets[name], id)
	if len(sets[name]) == 0 {
		delete(sets, name)
	}
}

// Sorted returns the members of a set in order.
func Sorted(set map[string]struct{}) []string { return slices.Sorted(maps.Keys(set)) }

// Since returns the times after at − window; lists have the newest last.
func Since(list []flyball.Time, at flyball.Time, window time.Duration) []flyball.Time {
	i := 0
	for i < len(list) && list[i] <= at.Add(-window) {
		i++
	}
	return list[i:]
}

// With returns the list and one more time, in order, without those that are over
// for whatever is not later than LateBy. It never writes to the list.
func With(list []flyball.Time, at flyball.Time, window time.Duration) []flyball.Time {
	i, _ := slices.BinarySearch(list, at)
	out := slices.Insert(slices.Clone(list), i, at)
	return Since(out, out[len(out)-1], window+LateBy)
}
