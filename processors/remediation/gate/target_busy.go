package gate

// targetBusy lets one operation at a time act on a target.
type targetBusy struct{}

func (targetBusy) Name() string { return "target_busy" }

func (targetBusy) Judge(c *Case) (bool, string) {
	switch {
	case c.Target == "":
		return false, "the target is not known"
	case c.Memory.Busy != "":
		return false, c.Memory.Busy
	}
	return true, "nothing is under way on " + c.Target
}
