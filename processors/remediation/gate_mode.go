package remediation

import "github.com/flyball-io/flyball"

// modeGate holds what the mode of the rule does not let out. Alone it does not
// suppress: the decision is to observe.
type modeGate struct{}

func (modeGate) name() string { return "mode" }

func (modeGate) judge(c candidate, _ *memory) (bool, string) {
	if c.rule.Mode == flyball.ModeAuto {
		return true, "the rule acts by itself (mode auto)"
	}
	return false, "the rule only observes (mode " + string(c.rule.Mode) + ")"
}
