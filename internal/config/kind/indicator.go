package kind

import "github.com/flyball-io/flyball"

// Indicator is a compiled indicator, and which parts of it may be trusted for
// checks of what builds on it.
type Indicator struct {
	flyball.Indicator
	// GroupsOK, BadOK and PaneOK are set when its groups, conditions and widths have
	// no error.
	GroupsOK, BadOK, PaneOK bool
}
