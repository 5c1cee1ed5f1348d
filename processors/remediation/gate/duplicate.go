package gate

import (
	"fmt"

	"github.com/flyball-io/flyball"
)

// duplicate lets a rule begin one operation for a finding, whatever the finding does
// afterwards.
type duplicate struct{}

func (duplicate) Name() string { return "duplicate" }

func (duplicate) Judge(c *Case) (bool, string) {
	switch m := c.Memory; {
	case c.Compensates != "":
		return true, "it undoes operation " + c.Compensates
	case c.Approval != nil:
		return true, "it is the operation that waited"
	case c.Attempt > 1:
		return true, fmt.Sprintf("it is attempt %d of the operation", c.Attempt)
	case m.Sent != flyball.NoTime:
		return false, "the rule has sent its command for this finding, at " + m.Sent.String()
	case m.Waiting:
		return false, "an operation of the rule for this finding waits for a person"
	case m.Observed != flyball.NoTime && c.Observes():
		return false, "the rule has observed this finding, at " + m.Observed.String()
	case m.Observed != flyball.NoTime:
		return true, "the rule has only observed this finding so far"
	case m.Forgotten != "":
		return false, m.Forgotten
	}
	return true, "the rule has sent nothing for this finding"
}
