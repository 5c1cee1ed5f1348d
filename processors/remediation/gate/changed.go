package gate

import "github.com/flyball-io/flyball"

// changed holds commands that rest on what was seen before a person changed the
// target.
type changed struct{}

func (changed) Name() string { return "changed" }

func (changed) Judge(c *Case) (bool, string) {
	m := c.Memory
	if m.Changed != flyball.NoTime && m.Changed >= c.Finding.OpenedAt && c.Compensates == "" {
		return false, m.ChangedBy + " changed " + c.Target + " at " + m.Changed.String() + ", after the finding opened"
	}
	return true, "nobody has changed the target since the finding opened"
}
