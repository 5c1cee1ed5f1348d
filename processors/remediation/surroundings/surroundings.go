// Package surroundings tells conditions what the decide machine knows besides the
// finding that they are judged on: open findings nearby, changes, outcomes. All of it
// was read from the log before, and is bounded as the memory is.
package surroundings

import (
	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/remediation/condition"
	"github.com/flyball-io/flyball/processors/remediation/gate"
	"github.com/flyball-io/flyball/processors/remediation/memory"
)

// Surroundings implement [condition.Surroundings].
type Surroundings struct {
	// Memory is what is remembered.
	Memory *memory.Memory
	// Topology says what needs what.
	Topology gate.Topology
}

var _ condition.Surroundings = Surroundings{}

// Open implements [condition.Surroundings].
func (s Surroundings) Open(f *flyball.Finding, side condition.Side) (services []string, findings []*flyball.Finding) {
	service := memory.Service(f)
	names := []string{service}
	switch side {
	case condition.SideUpstream:
		services = s.Topology.Upstream(service)
		names = services
	case condition.SideDownstream:
		services = s.Topology.Downstream(service)
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

// Change implements [condition.Surroundings].
func (s Surroundings) Change(target string) (flyball.Time, string) {
	if c, ok := s.Memory.Changed.Get(memory.Key{target}); ok {
		return c.At, c.Who
	}
	return flyball.NoTime, ""
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
