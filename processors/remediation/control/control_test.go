package control

import (
	"strings"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
)

const now = flyball.Time(1_767_225_600e9)

func TestControlsThatNobodyCanObey(t *testing.T) {
	f := func(want string, change func(*flyball.Control)) {
		t.Helper()
		c := &flyball.Control{ID: "x-1", Kind: flyball.ControlMode, At: now, Who: "ann", Why: "load test", Until: now.Add(time.Hour), Mode: flyball.ModeApprove,
			Scope: flyball.Scope{Kind: flyball.ScopeService, Name: "checkout"}, Operation: "o", Target: "t", Guardrail: "g", Backlog: flyball.BacklogSkip}
		change(c)
		if got := Check(c); got == "" || !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	kind := func(k flyball.ControlKind, more func(*flyball.Control)) func(*flyball.Control) {
		return func(c *flyball.Control) {
			c.Kind = k
			more(c)
		}
	}
	f("who and why", func(c *flyball.Control) { c.Who = "" })
	f("who and why", func(c *flyball.Control) { c.Why = "" })
	f("no id or no time", func(c *flyball.Control) { c.ID = "" })
	f("kind is unknown", kind("explode", func(*flyball.Control) {}))
	f("its scope has no name", kind(flyball.ControlPause, func(c *flyball.Control) { c.Scope.Name = "" }))
	f("a global scope has no name", kind(flyball.ControlKill, func(c *flyball.Control) { c.Scope.Kind = flyball.ScopeGlobal }))
	f("its scope is not", kind(flyball.ControlKill, func(c *flyball.Control) { c.Scope.Kind = "planet" }))
	f("needs an end", kind(flyball.ControlMaintenance, func(c *flyball.Control) { c.Until = 0 }))
	f("its mode is unknown", func(c *flyball.Control) { c.Mode = "wild" })
	f("names no operation", kind(flyball.ControlApprove, func(c *flyball.Control) { c.Operation = "" }))
	f("names no guardrail", kind(flyball.ControlResetBreaker, func(c *flyball.Control) { c.Backlog = "some" }))
	f("names no target", kind(flyball.ControlRelease, func(c *flyball.Control) { c.Target = "" }))
}
