package gate

import (
	"maps"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
)

// Guardrail lets automation act on a part of the world, and says how much. A
// finding that no guardrail selects is never acted on.
type Guardrail struct {
	// Name identifies it.
	Name string
	// Select are matchers on the labels of findings (entity is the finding's
	// entity); all must fit.
	Select []flyball.Matcher
	// Mode is the most that rules may do here.
	Mode flyball.Mode
	// Freezes are stretches of time in which nothing is done.
	Freezes []Freeze
	// Limits are the most commands per window.
	Limits []RateLimit
	// Concurrent is the most commands at once, per action, per service and of the
	// guardrail in all; 0 is no limit.
	Concurrent Concurrency
	// Blast bounds how many targets of a fleet are acted on.
	Blast *BlastRadius
	// Widespread is how many entities with open findings are too many to act; 0 is
	// no limit.
	Widespread int
}

// Freeze is a stretch of event time, [From, To).
type Freeze struct {
	// Name is for people.
	Name     string
	From, To flyball.Time
}

// RateLimit allows Max commands in Window.
type RateLimit struct {
	// Per is action, service or guardrail: whose commands are counted together.
	Per string
	// Max commands in any stretch of Window.
	Max    int
	Window time.Duration
}

// Concurrency is how many commands may be under way at once.
type Concurrency struct {
	Action, Service, Total int
}

// BlastRadius bounds the share of a fleet that is acted on in a sliding window.
type BlastRadius struct {
	// Fleet is how many targets there are; 0 is not known, which blocks.
	Fleet int
	// Percent of them that may be acted on in Window; at least one may.
	Percent float64
	Window  time.Duration
}

// Most is how many different targets may be acted on in the window.
func (b BlastRadius) Most() int {
	if b.Fleet == 0 {
		return 0
	}
	return max(1, int(b.Percent*float64(b.Fleet)/100))
}

// Topology says which services need which.
type Topology struct {
	// Needs lists what a service calls, by the service.
	Needs map[string][]string
	// Learned is what was learned besides, kept by somebody else. What a service needs
	// is what Declared says of it, when that names it.
	Learned  map[string]map[string]struct{}
	Declared map[string][]string
	// Reversed is set when Needs and Learned say what is needed by whom.
	Reversed bool
}

// learned lists what was learned of a service, in order.
func (t Topology) learned(service string) []string {
	names := slices.Sorted(maps.Keys(t.Learned[service]))
	return slices.DeleteFunc(names, func(n string) bool {
		caller := service
		if t.Reversed {
			caller = n
		}
		_, declared := t.Declared[caller]
		return declared
	})
}

// Whose commands a rate limit counts together.
const (
	PerAction    = "action"
	PerService   = "service"
	PerGuardrail = "guardrail"
)

// Selects says whether a finding is within the guardrail. One without matchers
// selects nothing.
func (g *Guardrail) Selects(f *flyball.Finding) bool {
	for i := range g.Select {
		m := &g.Select[i]
		value := f.Labels.Get(m.Name)
		if m.Name == "entity" {
			value = f.Entity
		}
		if !m.MatchString(value) {
			return false
		}
	}
	return len(g.Select) > 0
}

// Upstream returns what a service needs, directly or not, the nearest first.
func (t Topology) Upstream(service string) []string {
	if len(t.Needs)+len(t.Learned) == 0 {
		return nil
	}
	var out []string
	seen := map[string]bool{service: true}
	for next := []string{service}; len(next) > 0; next = next[1:] {
		for _, n := range slices.Concat(t.Needs[next[0]], t.learned(next[0])) {
			if !seen[n] {
				seen[n] = true
				out, next = append(out, n), append(next, n)
			}
		}
	}
	return out
}

// Reverse returns the topology the other way round: what is needed by whom. What was
// learned is left out.
func (t Topology) Reverse() Topology {
	out := Topology{Needs: map[string][]string{}, Declared: t.Needs, Reversed: true}
	for _, s := range slices.Sorted(maps.Keys(t.Needs)) {
		for _, n := range t.Needs[s] {
			out.Needs[n] = append(out.Needs[n], s)
		}
	}
	return out
}
