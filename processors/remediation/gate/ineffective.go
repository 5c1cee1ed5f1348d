package gate

import "fmt"

// ineffective ends chains of an action that helps for a while and is wanted again:
// 3 times in 4 h, or done 5 times in 24 h whatever came of it.
type ineffective struct{}

func (ineffective) Name() string { return NameIneffective }

func (ineffective) Judge(c *Case) (bool, string) {
	m := c.Memory
	switch {
	case c.Compensates != "":
		return true, "it undoes operation " + c.Compensates
	case m.Effective >= maxEffective:
		return false, fmt.Sprintf("%s helped %s %d times in the last 4h, and it came back: something else must be done", c.Action.Name, c.Target, m.Effective)
	case m.Done >= maxDone:
		return false, fmt.Sprintf("%s was done on %s %d times in the last 24h: something else must be done", c.Action.Name, c.Target, m.Done)
	}
	return true, fmt.Sprintf("helped %d times in the last 4h, done %d times in the last 24h", m.Effective, m.Done)
}

const (
	maxEffective = 3
	maxDone      = 5
)
