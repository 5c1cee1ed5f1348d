package gate

import "strings"

// scope lets automation act only where a guardrail says so.
type scope struct{}

func (scope) Name() string { return "scope" }

func (scope) Judge(c *Case) (bool, string) {
	if len(c.Guardrails) == 0 {
		return false, "no guardrail selects " + c.Finding.Entity + ": automation is opted in by kind Guardrail"
	}
	names := make([]string, len(c.Guardrails))
	for i, g := range c.Guardrails {
		names[i] = g.Name
	}
	return true, "selected by " + strings.Join(names, ", ")
}
