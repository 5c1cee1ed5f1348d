package gate

import "fmt"

// maintenance holds commands while people work, and while changes are frozen.
type maintenance struct{}

func (maintenance) Name() string { return "maintenance" }

func (maintenance) Judge(c *Case) (bool, string) {
	if len(c.Maintenances) > 0 {
		return false, words(c.Maintenances)
	}
	for _, g := range c.Guardrails {
		for _, f := range g.Freezes {
			if c.At >= f.From && c.At < f.To {
				return false, fmt.Sprintf("freeze %s of guardrail %s until %s", f.Name, g.Name, f.To)
			}
		}
	}
	return true, "no maintenance and no freeze"
}
