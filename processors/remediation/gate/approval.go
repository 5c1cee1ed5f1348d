package gate

import "github.com/flyball-io/flyball"

// approval waits for a person where the mode says so.
type approval struct{}

func (approval) Name() string { return NameApproval }

func (approval) Judge(c *Case) (bool, string) {
	switch {
	case c.Approval != nil:
		return true, "approved by " + c.Approval.Who + " at " + c.Approval.At.String() + ": " + c.Approval.Why
	case c.Mode == flyball.ModeSuggest:
		return false, "a person has to start it (mode suggest)"
	case c.Mode == flyball.ModeApprove:
		return false, "a person has to approve it (mode approve)"
	}
	return true, "no approval is needed"
}
