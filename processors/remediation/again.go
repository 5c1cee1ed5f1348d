package remediation

import (
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/remediation/condition"
	"github.com/flyball-io/flyball/processors/remediation/gate"
	"github.com/flyball-io/flyball/processors/remediation/memory"
)

// Why a rule is asked once more about a finding that has not changed.
const (
	triggerDependency = "dependency"
	triggerNeighbour  = "neighbour"
)

// deferred keeps what only waits for something further up, and forgets what does not
// wait any more.
func (m *Machine) deferred(c *gate.Case, d *flyball.Decision) {
	row := memory.Deferred{Rule: d.Rule, Finding: d.Finding, Service: c.Service}
	waits := false
	for _, g := range d.Gates {
		waits = waits || g.Gate == gate.NameDependency && !g.Pass
	}
	for _, g := range d.Gates { // a person may be asked besides
		waits = waits && (g.Pass || slices.Contains([]string{gate.NameDependency, gate.NameApproval, gate.NameMode}, g.Gate))
	}
	_, known := m.memory.Deferred.Get(row.Key())
	switch {
	case waits && !known && !m.memory.Deferred.Full():
		m.memory.Deferred.Set(row)
	case !waits && known:
		m.memory.Deferred.Del(row.Key())
	}
}

// neighbours asks again what a finding that opens or is resolved may change for others: what
// waits for it, and rules whose conditions look at their neighbours. They are asked when
// all findings up to then are known.
func (m *Machine) neighbours(f *flyball.Finding) {
	if f.State == flyball.FindingUpdated {
		return
	}
	service := memory.Service(f)
	below := m.around().Needed.Upstream(service)
	near := append([]string{service}, below...)
	if f.State == flyball.FindingResolved && len(m.memory.Deferred.Rows) > 0 {
		m.recheck(f.At, near)
	}
	if !slices.ContainsFunc(m.rules, func(r *rule) bool { return r.For == 0 && r.when.ReadsAround() }) {
		return
	}
	near = append(near, m.around().Needs.Upstream(service)...)
	asked := 0
	for _, name := range near {
		for _, id := range m.memory.Index.About(name) {
			if asked++; id == f.ID || asked > condition.MaxFindings {
				continue
			}
			for _, r := range m.rules {
				if r.For == 0 && r.when.ReadsAround() {
					m.askAgain(r.Name, id, f.At, triggerNeighbour)
				}
			}
		}
	}
}

// recheck asks again about what was held because of something that has no open findings
// any more. Without services it looks at all that was.
func (m *Machine) recheck(at flyball.Time, services []string) {
	for _, k := range memory.KeysOf(m.memory.Deferred, func(d memory.Deferred) bool {
		return services == nil || slices.Contains(services, d.Service)
	}) {
		o, open := m.memory.Open.Get(memory.Key{k[1]})
		if !open {
			continue
		}
		if above, _ := m.around().Above(&o.Finding); len(above) == 0 {
			m.askAgain(k[0], k[1], at, triggerDependency)
		}
	}
}

// askAgain lets a rule be asked about a finding at a time.
func (m *Machine) askAgain(rule, finding string, at flyball.Time, why string) {
	k := memory.Key{rule, finding}
	h, known := m.memory.Holds.Get(k)
	_, sent := m.memory.Commanded.Get(k)
	if sent || known && !h.Fired || !known && m.memory.Holds.Full() {
		return // it has acted, or is asked anyway
	}
	m.memory.Holds.Set(memory.Hold{Rule: rule, Finding: finding, Due: at, Again: why})
}
