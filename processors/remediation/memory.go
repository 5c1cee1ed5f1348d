package remediation

import (
	"time"

	"github.com/flyball-io/flyball"
)

// memory is all that the machine remembers of the past. What it holds is bounded
// (see the package's comment) and all of it travels through the state topic.
type memory struct {
	// clock is the latest event time seen; flyball.NoTime before the first.
	clock flyball.Time
	// clockBefore is the clock at the last commit, clockSaved the one last
	// handed out as state.
	clockBefore, clockSaved flyball.Time
	// commanded holds the findings for which a rule has sent or observed.
	commanded *table[findingKey, commanded]
	// cooldowns holds the last command of an action on a target.
	cooldowns *table[targetKey, cooling]
	// longest is the longest cooldown of any rule, per action.
	longest map[string]time.Duration
}

// findingKey is a rule and a finding.
type findingKey struct{ rule, finding string }

// commanded remembers that a rule has sent a command for a finding.
type commanded struct {
	Rule    string `json:"rule"`
	Finding string `json:"finding"`
	// Revision of the finding that the command was sent on.
	Revision int `json:"revision"`
	// Observed is set when the command was only recorded.
	Observed bool `json:"observed,omitempty"`
	// At is the event time of the command, OpenedAt that of the finding.
	At       flyball.Time `json:"at"`
	OpenedAt flyball.Time `json:"opened_at"`
	// ResolvedAt is when the finding was resolved; NoTime while it is open.
	ResolvedAt flyball.Time `json:"resolved_at"`
}

// targetKey is an action on a target. Observed ones are kept apart, so that a
// rule that only observes never holds a command.
type targetKey struct {
	action, target string
	observed       bool
}

// cooling remembers the last command of an action on a target.
type cooling struct {
	Action   string       `json:"action"`
	Target   string       `json:"target"`
	Observed bool         `json:"observed,omitempty"`
	At       flyball.Time `json:"at"`
	// Cooldown is that of the rule that sent it, in nanoseconds.
	Cooldown time.Duration `json:"cooldown"`
	Rule     string        `json:"rule"`
}

func newMemory(longest map[string]time.Duration) *memory {
	return &memory{
		clock: flyball.NoTime, clockBefore: flyball.NoTime, clockSaved: flyball.NoTime,
		commanded: newTable[findingKey, commanded](),
		cooldowns: newTable[targetKey, cooling](),
		longest:   longest,
	}
}

// cools says whether any rule has a cooldown for the action.
func (m *memory) cools(action string) bool { return m.longest[action] > 0 }

// advance moves the clock to at, if that is later, and forgets what is over. It
// looks only when the clock enters a new slice of sweepEvery, so that what is
// remembered depends on the log alone and not on how it was cut into steps.
func (m *memory) advance(at flyball.Time) {
	if at <= m.clock {
		return
	}
	sweep := m.clock != flyball.NoTime && at.Floor(sweepEvery) > m.clock.Floor(sweepEvery)
	m.clock = at
	if !sweep {
		return
	}
	for k, c := range m.commanded.live {
		resolved := c.ResolvedAt != flyball.NoTime && at >= c.ResolvedAt.Add(ResolvedFor)
		if resolved || at > c.OpenedAt.Add(OpenFor) {
			m.commanded.del(k)
		}
	}
	for k, c := range m.cooldowns.live {
		if at >= c.At.Add(max(c.Cooldown, m.longest[c.Action])).Add(LateBy) {
			m.cooldowns.del(k)
		}
	}
}

// remember keeps that c was sent, or observed.
func (m *memory) remember(c candidate) {
	f := c.finding
	m.commanded.set(findingKey{c.rule.Name, f.ID}, commanded{
		Rule: c.rule.Name, Finding: f.ID, Revision: f.Revision, Observed: c.observes(),
		At: f.At, OpenedAt: openedAt(f), ResolvedAt: flyball.NoTime,
	})
	if m.cools(c.action.Name) {
		m.cooldowns.set(targetKey{c.action.Name, c.target, c.observes()}, cooling{
			Action: c.action.Name, Target: c.target, Observed: c.observes(),
			At: f.At, Cooldown: c.rule.Cooldown, Rule: c.rule.Name,
		})
	}
}

// resolve keeps that a finding is over, so that it can be forgotten in time.
func (m *memory) resolve(rule string, f *flyball.Finding) {
	key := findingKey{rule, f.ID}
	if c, ok := m.commanded.get(key); ok && c.ResolvedAt == flyball.NoTime {
		c.ResolvedAt = f.At
		m.commanded.set(key, c)
	}
}

// judged says whether the rule has sent or observed on this state of the
// finding or a later one: then this one is a repetition, of which nothing new
// can be said.
func (m *memory) judged(rule string, f *flyball.Finding) bool {
	c, ok := m.commanded.get(findingKey{rule, f.ID})
	return ok && f.Revision <= c.Revision
}

func (m *memory) commit() {
	m.clockBefore = m.clock
	m.commanded.commit()
	m.cooldowns.commit()
}

func (m *memory) abort() {
	m.clock, m.clockSaved = m.clockBefore, m.clockBefore
	m.commanded.abort()
	m.cooldowns.abort()
}

// openedAt is when the finding opened.
func openedAt(f *flyball.Finding) flyball.Time {
	if f.State == flyball.FindingOpened {
		return f.At
	}
	return f.OpenedAt
}
