// Package gate holds the gates: each is one reason not to send a command, a small
// pure type in a file of its own. All are asked and recorded, also after one has
// refused, and what is not known refuses.
package gate

import "github.com/flyball-io/flyball"

// Gate is one reason not to send a command. It reads a case and changes nothing.
type Gate interface {
	// Name is kept with the decision; users know it.
	Name() string
	// Judge says whether the command may pass, and why or why not.
	Judge(c *Case) (pass bool, reason string)
}

// All returns every gate, in the order in which they are asked: the cheapest and
// safest first.
func All() []Gate {
	return []Gate{
		killSwitch{},
		scope{},
		mode{},
		maintenance{},
		condition{},
		dataComplete{},
		duplicate{},
		targetBusy{},
		changed{},
		cooldown{},
		backoff{},
		ineffective{},
		loop{},
		rateLimit{},
		concurrency{},
		blastRadius{},
		widespread{},
		dependency{},
		budgetGuard{},
		approval{},
	}
}

// Names of gates that the machine has to tell apart.
const (
	// NameMode alone does not suppress: the decision is to observe.
	NameMode = "mode"
	// NameApproval alone does not suppress: the operation waits.
	NameApproval = "approval"
	// NameBlastRadius opens a breaker; these page.
	NameBlastRadius = "blast_radius"
	NameWidespread  = "widespread"
	NameBudgetGuard = "budget_guard"
	NameIneffective = "ineffective"
	// NameDependency may redirect.
	NameDependency = "dependency"
)

// Ask puts a case to every gate, those after a refusal too.
func Ask(c *Case) []flyball.GateResult {
	all := All()
	out := make([]flyball.GateResult, len(all))
	for i, g := range all {
		pass, reason := g.Judge(c)
		out[i] = flyball.GateResult{Gate: g.Name(), Pass: pass, Reason: reason}
	}
	return out
}
