package remediation

import (
	"github.com/flyball-io/flyball"
)

// gate is one reason not to send a command. It reads what is remembered and
// changes nothing.
type gate interface {
	// name is kept with the decision; users know it.
	name() string
	// judge says whether the command may pass, and why or why not.
	judge(c candidate, m *memory) (pass bool, reason string)
}

// gates returns all gates in the order in which they are asked.
func gates() []gate {
	return []gate{
		modeGate{},
		dataCompleteGate{},
		duplicateGate{},
		cooldownGate{},
	}
}

// candidate is a command that a rule wants.
type candidate struct {
	rule    *rule
	finding *flyball.Finding
	// target is "" when it is not known, which no gate lets pass that needs it.
	target string
	action flyball.Action
}

// observes says whether the command would only be recorded.
func (c candidate) observes() bool { return c.rule.Mode == flyball.ModeObserve }
