// Package automation is how people see and steer what Flyball does by itself: the
// commands pause, resume, approve, reject, decisions, explain and incident.
package automation

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball"
)

// UsageError is a wrong argument or configuration.
type UsageError struct{ Err error }

// Error returns the error's text.
func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the error.
func (e *UsageError) Unwrap() error { return e.Err }

func usage(err error) error { return &UsageError{err} }

// Commands returns the commands.
func Commands() []*cobra.Command {
	return []*cobra.Command{newPause(), newResume(),
		newAnswer(flyball.ControlApprove, "Start an operation that waits for you"),
		newAnswer(flyball.ControlReject, "End an operation that waits for you"),
		newDecisions(), newExplain(), newIncident()}
}

func exactly(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := cobra.ExactArgs(n)(c, args); err != nil {
			return usage(fmt.Errorf("%w; see %s --help", err, c.CommandPath()))
		}
		return nil
	}
}

func outputFlag(c *cobra.Command, format *string) {
	c.Flags().StringVarP(format, "output", "o", "text", "output format: text or json")
	c.PreRunE = func(*cobra.Command, []string) error {
		if *format != "text" && *format != "json" {
			return usage(fmt.Errorf("unknown output format %q; want text or json", *format))
		}
		return nil
	}
}
