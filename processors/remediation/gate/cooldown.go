package gate

import (
	"fmt"

	"github.com/flyball-io/flyball"
)

// cooldown keeps two commands of one action on one target apart, whichever rules
// send them: by the longer of the two rules' cooldowns.
type cooldown struct{}

func (cooldown) Name() string { return "cooldown" }

func (cooldown) Judge(c *Case) (bool, string) {
	k := c.Memory.Cooldown
	switch {
	case c.Target == "":
		return false, "the target is not known"
	case c.Compensates != "" || c.Attempt > 1:
		return true, "the wait between attempts is that of backoff and escalation"
	case k.At != flyball.NoTime && c.At < k.Until:
		return false, fmt.Sprintf("%s was sent to %s at %s by rule %s: wait until %s", c.Action.Name, c.Target, k.At, k.Rule, k.Until)
	case !k.Cools:
		return true, "no rule has a cooldown for " + c.Action.Name
	case k.Late > 0:
		return false, fmt.Sprintf("the finding is %s late: older cooldowns are forgotten", k.Late)
	case k.At != flyball.NoTime:
		return true, fmt.Sprintf("%s was last sent to %s at %s", c.Action.Name, c.Target, k.At)
	case c.Memory.CooldownFull:
		return false, "as many cooldowns are remembered as there may be"
	}
	return true, fmt.Sprintf("%s was not sent to %s lately", c.Action.Name, c.Target)
}
