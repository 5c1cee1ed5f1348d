package remediation

import "fmt"

// duplicateGate lets a rule send one command for a finding, whatever the finding
// does afterwards.
type duplicateGate struct{}

func (duplicateGate) name() string { return "duplicate" }

func (duplicateGate) judge(c candidate, m *memory) (bool, string) {
	known, found := m.commanded.get(findingKey{c.rule.Name, c.finding.ID})
	switch {
	case found && !known.Observed:
		return false, "the rule has sent its command for this finding, at " + known.At.String()
	case found && c.observes():
		return false, "the rule has observed this finding, at " + known.At.String()
	case found:
		return true, "the rule has only observed this finding so far"
	}
	if opened := openedAt(c.finding); m.clock > opened.Add(OpenFor) {
		return false, fmt.Sprintf("the finding opened at %s: what was sent longer than %s ago is forgotten", opened, OpenFor)
	}
	if m.commanded.len() >= MaxRemembered {
		return false, fmt.Sprintf("%d findings with commands are remembered, the most there may be", MaxRemembered)
	}
	return true, "the rule has sent nothing for this finding"
}
