package gate

import "fmt"

// backoff waits longer after every failure of an action on a target.
type backoff struct{}

func (backoff) Name() string { return "backoff" }

func (backoff) Judge(c *Case) (bool, string) {
	m := c.Memory
	switch {
	case c.Compensates != "":
		return true, "it undoes operation " + c.Compensates
	case m.Failures > 0 && c.At < m.FailedUntil:
		return false, fmt.Sprintf("%s failed on %s %d times in a row: wait until %s", c.Action.Name, c.Target, m.Failures, m.FailedUntil)
	}
	return true, fmt.Sprintf("%d failures in a row", m.Failures)
}
