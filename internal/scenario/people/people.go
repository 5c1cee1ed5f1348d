// Package people reads what executors and people say in a scenario.
package people

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/scenario/input"
	"github.com/flyball-io/flyball/processors/remediation/control"
)

// Outcome reads what an executor reports, and on which target:
//
//	outcome CLASS TARGET [attempt=N] [reason=REASON] ["detail"]
//
// A class in quotes may be one that Flyball does not know.
func Outcome(args []string) (target string, o flyball.Outcome, err error) {
	const form = `want outcome, a class and a target, such as outcome succeeded deploy/cart`
	if len(args) < 2 {
		return "", o, fmt.Errorf("%s", form)
	}
	o = flyball.Outcome{Class: flyball.OutcomeClass(unquoted(args[0]))}
	if !strings.HasPrefix(args[0], `"`) && !slices.Contains(flyball.OutcomeClasses(), o.Class) {
		return "", o, fmt.Errorf("unknown class %q: want one of %v", args[0], flyball.OutcomeClasses())
	}
	target = unquoted(args[1])
	for _, w := range args[2:] {
		name, value, _ := strings.Cut(w, "=")
		switch {
		case strings.HasPrefix(w, `"`):
			o.Detail = unquoted(w)
		case name == "reason":
			o.Reason = unquoted(value)
		case name == "attempt":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 {
				return "", o, fmt.Errorf("want attempt= and a number from 1 on, got %q", w)
			}
			o.Attempt = n
		default:
			return "", o, fmt.Errorf("nothing is known of %q: %s", w, form)
		}
	}
	return target, o, nil
}

// Control reads what a person says, and for how long it holds (below 0: for ever):
//
//	control kill|pause|resume SCOPE [for DURATION] [by WHO] [because "WHY"]
//	control maintenance SCOPE for DURATION …
//	control mode SCOPE MODE …
//	control approve|reject|release|change TARGET …
//	control reset_breaker GUARDRAIL skip|replay …
//
// where SCOPE is global, service/NAME, customer/NAME or action/NAME.
func Control(args []string) (c flyball.Control, lasts time.Duration, err error) {
	if len(args) < 2 {
		return c, lasts, fmt.Errorf(`want control, a kind and what it is about, such as control pause service/cart by ann because "load test"`)
	}
	c = flyball.Control{Kind: flyball.ControlKind(args[0]), Who: "ann", Why: "because"}
	if !slices.Contains(flyball.ControlKinds(), c.Kind) {
		return c, lasts, fmt.Errorf("unknown kind %q: want one of %v", args[0], flyball.ControlKinds())
	}
	about, rest := unquoted(args[1]), args[2:]
	switch c.Kind {
	case flyball.ControlApprove, flyball.ControlReject, flyball.ControlRelease, flyball.ControlChange:
		c.Target = about
	case flyball.ControlResetBreaker:
		if len(rest) == 0 {
			return c, lasts, fmt.Errorf("want control reset_breaker, a guardrail, and skip or replay")
		}
		c.Guardrail, c.Backlog, rest = about, rest[0], rest[1:]
	default:
		c.Scope.Kind, c.Scope.Name, _ = strings.Cut(about, "/")
	}
	if c.Kind == flyball.ControlMode && len(rest) > 0 {
		c.Mode, rest = flyball.Mode(rest[0]), rest[1:]
	}
	lasts = time.Duration(-1)
	for ; len(rest) >= 2; rest = rest[2:] {
		value, err := unquoted(rest[1]), error(nil)
		switch rest[0] {
		case "by":
			c.Who = value
		case "because":
			c.Why = value
		case "lifts":
			c.Lifts = value
		case "for":
			lasts, err = input.Duration(value)
		default:
			err = fmt.Errorf("nothing is known of %q: want for, by, because or lifts", rest[0])
		}
		if err != nil {
			return c, lasts, err
		}
	}
	checked := c
	checked.ID, checked.Operation = "x", "x"
	if lasts >= 0 {
		checked.Until = 1
	}
	if problem := control.Check(&checked); problem != "" {
		return c, lasts, fmt.Errorf("nobody can obey this: %s", problem)
	}
	if len(rest) > 0 {
		return c, lasts, fmt.Errorf("nothing more is known here: %q", strings.Join(rest, " "))
	}
	return c, lasts, nil
}

// unquoted returns a word without its quotes.
func unquoted(w string) string {
	if s, err := strconv.Unquote(w); err == nil {
		return s
	}
	return w
}
