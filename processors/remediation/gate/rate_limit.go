package gate

import "fmt"

// rateLimit bounds the commands in any window of a guardrail.
type rateLimit struct{}

func (rateLimit) Name() string { return "rate_limit" }

func (rateLimit) Judge(c *Case) (bool, string) {
	for _, g := range c.Guardrails {
		if late := c.Memory.Cooldown.Late; late > 0 && len(g.Limits) > 0 && c.Compensates == "" {
			return false, fmt.Sprintf("the finding is %s late: what was sent then is forgotten", late)
		}
		for i, l := range g.Limits {
			if g.Sent[i] >= l.Max && c.Compensates == "" {
				return false, fmt.Sprintf("guardrail %s allows %d commands per %s in %s: %d were sent", g.Name, l.Max, l.Per, l.Window, g.Sent[i])
			}
		}
	}
	return true, "below every limit"
}
