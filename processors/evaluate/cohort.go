package evaluate

import (
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// cohorts returns the stores in which an indicator is counted by the cohorts of
// canaries.
func (m *Machine) cohorts(spec flyball.Indicator) []derived {
	var out []derived
	for _, f := range m.canaries.Feeds(spec.Name) {
		st := &store{Store: f.Store}
		st.silence()
		st.budgets = newBudgets(spec, m.cfg, f.Store.Overflow(), func(*flyball.SLO) bool { return false })
		out = append(out, derived{store: st, row: f.Row, labels: func(r processors.PaneRow) string {
			if r, ok := f.Row(r); ok {
				return r.Labels
			}
			return ""
		}})
	}
	return out
}

// takeCanaries reports what came of the analyses of canaries.
func (m *Machine) takeCanaries() {
	out := m.canaries.Take()
	m.cohortsLost += out.CohortsLost
	m.replicasLost += out.ReplicasLost
	m.historiesLost += out.HistoriesLost
	m.ready.Verdicts = append(m.ready.Verdicts, out.Verdicts...)
	m.ready.Findings = append(m.ready.Findings, out.Findings...)
	for _, d := range out.DeadLetters {
		d.Value = slices.Clone(d.Value)
		m.ready.DeadLetters = append(m.ready.DeadLetters, d)
	}
}
