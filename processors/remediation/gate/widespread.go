package gate

import "fmt"

// widespread stops when so much is wrong at once that no single remedy can be the
// answer.
type widespread struct{}

func (widespread) Name() string { return NameWidespread }

func (widespread) Judge(c *Case) (bool, string) {
	if c.World.Unknown != "" {
		return false, c.World.Unknown
	}
	for _, g := range c.Guardrails {
		if g.Widespread > 0 && c.World.Troubled > g.Widespread {
			return false, fmt.Sprintf("%d entities have open findings, guardrail %s allows %d: a person is needed", c.World.Troubled, g.Name, g.Widespread)
		}
	}
	return true, "not too many entities have open findings" // how many may depend on which partition was faster
}
