// Package surroundings tells conditions what the decide machine knows besides the
// finding that they are judged on: open findings nearby, changes, outcomes. All of it
// was read from the log before, and is bounded as the memory is.
package surroundings

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/remediation/condition"
	"github.com/flyball-io/flyball/processors/remediation/gate"
	"github.com/flyball-io/flyball/processors/remediation/memory"
)

// Surroundings implement [condition.Surroundings].
type Surroundings struct {
	// Memory is what is remembered.
	Memory *memory.Memory
	// Needs says what needs what, Needed what is needed by whom.
	Needs, Needed gate.Topology
}

// Of returns what is around according to a memory and a topology: what is needed by
// whom is that topology in reverse.
func Of(m *memory.Memory, needs, needed gate.Topology) Surroundings {
	needs.Learned, needed.Learned = m.Index.Needs, m.Index.Needed
	needs.Declared = needs.Needs
	return Surroundings{Memory: m, Needs: needs, Needed: needed}
}

var _ condition.Surroundings = Surroundings{}

// Open implements [condition.Surroundings].
func (s Surroundings) Open(f *flyball.Finding, side condition.Side) (services []string, findings []*flyball.Finding) {
	service := memory.Service(f)
	names := []string{service}
	switch side {
	case condition.SideUpstream:
		services = s.Needs.Upstream(service)
		names = services
	case condition.SideDownstream:
		services = s.Needed.Upstream(service)
		names = services
	case condition.SideEntity:
		if f.Entity != service {
			names = append(names, f.Entity)
		}
	}
	seen := map[string]bool{f.ID: true}
	for _, name := range names {
		for _, id := range s.Memory.Index.About(name) {
			if seen[id] {
				continue
			}
			seen[id] = true
			o, _ := s.Memory.Open.Get(memory.Key{id})
			if findings = append(findings, &o.Finding); len(findings) > condition.MaxFindings {
				return services, findings
			}
		}
	}
	return services, findings
}

// Above says what is wrong with what the service of a finding needs: open findings of
// those, and open findings about its own calls. Root is one of the furthest up, nil
// when each depends on another or none has findings of its own.
func (s Surroundings) Above(f *flyball.Finding) (reasons []string, root *flyball.Finding) {
	service := memory.Service(f)
	for _, name := range s.Needs.Upstream(service) {
		o := s.first(name, f)
		if o == nil {
			continue
		}
		reasons = append(reasons, fmt.Sprintf("%s, which has the open finding %s of %s", name, o.ID, o.Detector))
		above := func(n string) bool { return n != service && s.first(n, f) != nil }
		if root == nil && !slices.ContainsFunc(s.Needs.Upstream(name), above) {
			root = o
		}
	}
	if f.Labels.Get(memory.PeerLabel) != "" {
		return reasons, root // it is about calls itself
	}
	for _, id := range s.Memory.Index.About(service) {
		o, _ := s.Memory.Open.Get(memory.Key{id})
		if peer := o.Finding.Labels.Get(memory.PeerLabel); id != f.ID && peer != "" && peer != service {
			reasons = append(reasons, fmt.Sprintf("%s, calls to which have the open finding %s of %s%s", peer, id, o.Finding.Detector, share(&o.Finding)))
		}
	}
	return reasons, root
}

// first returns the first open finding about a service, other than f.
func (s Surroundings) first(service string, f *flyball.Finding) *flyball.Finding {
	for _, id := range s.Memory.Index.About(service) {
		if o, _ := s.Memory.Open.Get(memory.Key{id}); id != f.ID {
			return &o.Finding
		}
	}
	return nil
}

// share says how many of the calls that a finding is about failed, where it does.
func share(f *flyball.Finding) string {
	bad, is := f.EvidenceValue("bad")
	total, has := f.EvidenceValue("total")
	if !is || !has {
		return ""
	}
	return fmt.Sprintf(" (%g of %g failed)", bad, total)
}

// Changes implements [condition.Surroundings].
func (s Surroundings) Changes(target string, of *flyball.Finding) []condition.Change {
	if c, ok := s.Memory.Changed.Get(memory.Key{target}); target != "" && ok {
		return []condition.Change{{Target: target, At: c.At, Who: c.Who}}
	}
	if of == nil {
		return nil
	}
	names := []string{of.Entity}
	if service := memory.Service(of); service != of.Entity {
		names = append(names, service)
	}
	var out []condition.Change
	for _, name := range names {
		r, _ := s.Memory.Recent.Get(memory.Key{name})
		for _, c := range r.Changes {
			out = append(out, condition.Change{Entity: name, Target: c.Target, Kind: c.Kind, Version: c.Version, At: c.At, Who: c.Who, Ours: c.Operation != ""})
		}
	}
	slices.SortStableFunc(out, func(a, b condition.Change) int { return cmp.Compare(b.At, a.At) })
	return out
}

// Outcomes implements [condition.Surroundings].
func (s Surroundings) Outcomes(action, target string, at flyball.Time) condition.Outcomes {
	k := memory.Key{action, target}
	r, _ := s.Memory.Results.Get(k)
	fail, _ := s.Memory.Failures.Get(k)
	count := func(list []flyball.Time) int { return len(memory.Since(list, at, memory.DoneWindow)) }
	return condition.Outcomes{Done: count(r.Done), Succeeded: count(r.Succeeded), Failed: count(r.Failed),
		Effective: count(r.Effective), Ineffective: count(r.Ineffective), Failures: fail.Count}
}
