package gate

// condition holds what is not true any more, or cannot be told.
type condition struct{}

func (condition) Name() string { return "condition" }

func (condition) Judge(c *Case) (bool, string) {
	if c.Doubt != "" {
		return false, c.Doubt
	}
	return true, "the condition holds"
}
