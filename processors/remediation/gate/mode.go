package gate

// mode holds what the mode does not let out, and what a person has paused. A mode
// of observe alone does not suppress: the decision is to observe.
type mode struct{}

func (mode) Name() string { return NameMode }

func (mode) Judge(c *Case) (bool, string) {
	switch {
	case len(c.Pauses) > 0:
		return false, words(c.Pauses)
	case c.Observes():
		return false, "it only observes (mode observe of " + c.ModeOf + ")"
	case c.Mode.Rank() < 0:
		return false, "the mode " + string(c.Mode) + " is not known"
	}
	return true, "mode " + string(c.Mode) + " of " + c.ModeOf
}
