// Package control says what a person may tell the decide machine.
package control

import "github.com/flyball-io/flyball"

// Check says what is wrong with a control, "" when it can be obeyed.
func Check(c *flyball.Control) string {
	switch {
	case c.ID == "" || c.At == flyball.NoTime:
		return "it has no id or no time"
	case c.Who == "" || c.Why == "":
		return "it does not say who and why"
	}
	switch c.Kind {
	case flyball.ControlKill, flyball.ControlPause, flyball.ControlResume, flyball.ControlMaintenance, flyball.ControlMode:
		return checkScope(c)
	case flyball.ControlApprove, flyball.ControlReject:
		if c.Operation == "" {
			return "it names no operation"
		}
	case flyball.ControlResetBreaker:
		if c.Guardrail == "" || c.Backlog != flyball.BacklogSkip && c.Backlog != flyball.BacklogReplay {
			return "it names no guardrail, or its backlog is not skip or replay"
		}
	case flyball.ControlRelease, flyball.ControlChange:
		if c.Target == "" {
			return "it names no target"
		}
	default:
		return "its kind is unknown"
	}
	return ""
}

func checkScope(c *flyball.Control) string {
	switch c.Scope.Kind {
	case flyball.ScopeGlobal:
		if c.Scope.Name != "" {
			return "a global scope has no name"
		}
	case flyball.ScopeService, flyball.ScopeCustomer, flyball.ScopeAction:
		if c.Scope.Name == "" {
			return "its scope has no name"
		}
	default:
		return "its scope is not global, service, customer or action"
	}
	if c.Kind == flyball.ControlMaintenance && c.Until <= c.At {
		return "a maintenance needs an end after its start"
	}
	if c.Kind == flyball.ControlMode && c.Mode.Rank() < 0 {
		return "its mode is unknown"
	}
	return ""
}
