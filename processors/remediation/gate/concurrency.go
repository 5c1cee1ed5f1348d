package gate

import "fmt"

// concurrency bounds the operations that are under way at once.
type concurrency struct{}

func (concurrency) Name() string { return "concurrency" }

func (concurrency) Judge(c *Case) (bool, string) {
	for _, g := range c.Guardrails {
		for _, l := range []struct {
			per       string
			have, may int
		}{{"action", g.Action, g.Concurrent.Action}, {"service", g.Service, g.Concurrent.Service}, {"guardrail", g.Total, g.Concurrent.Total}} {
			if l.may > 0 && l.have >= l.may {
				return false, fmt.Sprintf("guardrail %s allows %d operations per %s at once: %d are under way", g.Name, l.may, l.per, l.have)
			}
		}
	}
	return true, "below every cap"
}
