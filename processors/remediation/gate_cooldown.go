package remediation

import "fmt"

// cooldownGate keeps two commands of one action on one target apart, whichever
// rules send them: by the longer of the two rules' cooldowns.
type cooldownGate struct{}

func (cooldownGate) name() string { return "cooldown" }

func (cooldownGate) judge(c candidate, m *memory) (bool, string) {
	if c.target == "" {
		return false, "the target is not known"
	}
	key := targetKey{c.action.Name, c.target, false}
	pass, reason := cooledDown(c, m, key)
	if pass && c.observes() {
		key.observed = true
		pass, reason = cooledDown(c, m, key)
	}
	return pass, reason
}

// cooledDown measures c against the last command (or observation) of its action
// on its target.
func cooledDown(c candidate, m *memory, key targetKey) (bool, string) {
	at := c.finding.At
	last, found := m.cooldowns.get(key)
	wait := max(c.rule.Cooldown, last.Cooldown)
	switch {
	case found && at < last.At.Add(wait):
		return false, fmt.Sprintf("%s was sent to %s at %s by rule %s: wait until %s",
			key.action, key.target, last.At, last.Rule, last.At.Add(wait))
	case !m.cools(key.action):
		return true, "no rule has a cooldown for " + key.action
	case at < m.clock.Add(-LateBy):
		return false, fmt.Sprintf("the finding is %s late: cooldowns more than %s ago are forgotten", m.clock.Sub(at), LateBy)
	case found:
		return true, fmt.Sprintf("%s was last sent to %s at %s", key.action, key.target, last.At)
	case m.cooldowns.len() >= MaxRemembered:
		return false, fmt.Sprintf("%d cooldowns are remembered, the most there may be", MaxRemembered)
	}
	return true, fmt.Sprintf("%s was not sent to %s lately", key.action, key.target)
}
