package gate

import "fmt"

// blastRadius bounds the share of a fleet that is acted on in a sliding window. Once
// it has refused, its breaker is open until a person closes it.
type blastRadius struct{}

func (blastRadius) Name() string { return NameBlastRadius }

func (blastRadius) Judge(c *Case) (bool, string) {
	for _, g := range c.Guardrails {
		switch b := g.Blast; {
		case g.Tripped != "":
			return false, "the breaker of guardrail " + g.Name + " is open: " + g.Tripped
		case b == nil:
		case b.Fleet == 0:
			return false, "guardrail " + g.Name + " does not know how large the fleet is"
		case c.Memory.Cooldown.Late > 0 && c.Compensates == "":
			return false, fmt.Sprintf("the finding is %s late: what was acted on then is forgotten", c.Memory.Cooldown.Late)
		case g.Exceeded():
			return false, fmt.Sprintf("guardrail %s allows %d of %d targets (%g %%) in %s: %d were acted on", g.Name, b.Most(), b.Fleet, b.Percent, b.Window, g.Targets)
		}
	}
	return true, "within every blast radius"
}

// Exceeded says whether one more target would be too many.
func (g *Guarded) Exceeded() bool {
	return g.Blast != nil && g.Blast.Fleet > 0 && !g.Known && g.Targets >= g.Blast.Most()
}
