package ui

import (
	"context"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/ui/query"
)

// Hold is a kill, pause, maintenance or mode that holds automation.
type Hold struct{ query.Control }

// Scope names what is held.
func (h Hold) Scope() string {
	if h.ScopeName == "" {
		return "everything"
	}
	return h.ScopeKind + " " + h.ScopeName
}

// holdsOf follows controls in their order, as decide does: the same scope and reason is the
// same hold, a mode takes the place of another, and what is over holds no more.
func holdsOf(said []query.Control, now time.Time) []Hold {
	var holds []Hold
	for _, c := range said {
		same := func(h Hold) bool { return h.ScopeKind == c.ScopeKind && h.ScopeName == c.ScopeName }
		switch flyball.ControlKind(c.Kind) {
		case flyball.ControlResume:
			holds = slices.DeleteFunc(holds, func(h Hold) bool { return same(h) && (c.Lifts == "" || c.Lifts == h.Why) })
			continue
		case flyball.ControlMode:
			holds = slices.DeleteFunc(holds, func(h Hold) bool { return same(h) && h.Kind == c.Kind })
			if flyball.Mode(c.Mode) == flyball.ModeAuto {
				continue
			}
		default:
			holds = slices.DeleteFunc(holds, func(h Hold) bool { return same(h) && h.Kind == c.Kind && h.Why == c.Why })
		}
		holds = append(holds, Hold{c})
	}
	return slices.DeleteFunc(holds, func(h Hold) bool { return h.Until != nil && !h.Until.After(now) })
}

// alerts fills in what every page shows: kill switches that are on, and what waits.
func (s *Server) alerts(ctx context.Context, v *view) error {
	said, err := s.data.Holding(ctx)
	if err != nil {
		return err
	}
	for _, h := range holdsOf(said, v.Now) {
		if flyball.ControlKind(h.Kind) == flyball.ControlKill {
			v.Kills = append(v.Kills, h)
		}
	}
	waiting, err := s.data.Waiting(ctx)
	v.Waiting = len(waiting)
	return err
}
