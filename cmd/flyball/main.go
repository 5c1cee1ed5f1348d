// Command flyball is the governor for production systems: one binary for every
// role and every tool.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball/internal/automation"
	"github.com/flyball-io/flyball/internal/canaries/command"
	"github.com/flyball-io/flyball/internal/deadletters"
	debugging "github.com/flyball-io/flyball/internal/debug"
	executor "github.com/flyball-io/flyball/internal/executor/command"
	"github.com/flyball-io/flyball/internal/feedback"
	"github.com/flyball-io/flyball/internal/manual"
	"github.com/flyball-io/flyball/internal/migrate"
	"github.com/flyball-io/flyball/internal/process"
	backtest "github.com/flyball-io/flyball/internal/replay/command"
	"github.com/flyball-io/flyball/internal/starter"
	"github.com/flyball-io/flyball/internal/status"
	"github.com/flyball-io/flyball/internal/tail"
)

// version is set when the binary is built.
var version = "dev"

// Exit codes. Others script against them: they do not change.
const (
	exitOK    = 0
	exitError = 1 // something failed while running
	exitUsage = 2 // wrong arguments or configuration
	exitLint  = 3 // lint has findings
)

// codedError carries an exit code with an error; a nil error prints nothing.
type codedError struct {
	code int
	err  error
}

// Error returns the error's text.
func (e *codedError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

// Unwrap returns the error.
func (e *codedError) Unwrap() error { return e.err }

func usageError(err error) error { return &codedError{exitUsage, err} }

func exitWith(code int) error { return &codedError{code: code} }

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal drains; a second one ends the process at once.
	context.AfterFunc(ctx, stop)
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var coded *codedError
	code := exitError
	var exit *command.ExitError
	var usage *automation.UsageError
	switch {
	case errors.As(err, &usage):
		code = exitUsage
	case errors.As(err, &coded):
		code = coded.code
		err = coded.err
	case errors.As(err, &exit):
		code = exit.Code
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "flyball:", err)
	}
	return code
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "flyball",
		Short: "The governor for production systems",
		Long: `Flyball reads telemetry from Kafka, computes SLIs, error budgets and burn rates,
finds what is wrong, and sends remediation commands, exactly once.

Try it:  flyball dev`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError(manual.Hint(c, err))
	})
	root.AddCommand(newDev(), starter.Command(usageError), process.Command(version, usageError), newLint(), newTest(), backtest.New(usageError, exitWith), newLoadgen(), newDetect(), feedback.Command(usageError), newSLO(), newJudge(), command.New(), newConvert(), newTopics(), executor.New(usageError), deadletters.Command(usageError), status.Command(usageError, exitWith), tail.Command(usageError), debugging.Command(version, usageError), migrate.Command(usageError, exitWith), newSchema(), manual.Command(usageError), newVersion())
	root.AddCommand(automation.Commands()...)
	manual.Strict(root, usageError)
	return root
}

// exactArgs makes wrong numbers of arguments a usage error.
func exactArgs(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := cobra.ExactArgs(n)(c, args); err != nil {
			return usageError(fmt.Errorf("%w; see %s --help", err, c.CommandPath()))
		}
		return nil
	}
}

// atMostArgs is cobra's check with our hint.
func atMostArgs(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := cobra.MaximumNArgs(n)(c, args); err != nil {
			return usageError(fmt.Errorf("%w; see %s --help", err, c.CommandPath()))
		}
		return nil
	}
}
