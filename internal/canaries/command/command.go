// Package command is the subcommand canary of the command line.
package command

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/canaries/client"
	"github.com/flyball-io/flyball/internal/canaries/report"
)

// Exit codes, as those of the whole command line.
const (
	exitUsage   = 2
	exitFail    = 5
	exitOpen    = 6   // marginal or inconclusive
	exitTimeout = 124 // waiting took too long
)

// ExitError is an error that says with which code to exit.
type ExitError struct {
	Code int
	Err  error
}

// Error returns the text of the error.
func (e *ExitError) Error() string { return e.Err.Error() }

// Unwrap returns the error.
func (e *ExitError) Unwrap() error { return e.Err }

func usageError(err error) error { return &ExitError{exitUsage, err} }

// exactArgs makes a wrong number of arguments a usage error.
func exactArgs(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := cobra.ExactArgs(n)(c, args); err != nil {
			return usageError(fmt.Errorf("%w; see %s --help", err, c.CommandPath()))
		}
		return nil
	}
}

// New returns the subcommand.
func New() *cobra.Command {
	api := &client.Client{Every: 2 * time.Second}
	c := &cobra.Command{
		Use:   "canary",
		Short: "Start analyses of canaries and wait for their verdicts",
		Long: `Start analyses of canaries in a running Flyball, and wait for their verdicts.

status, wait and report take the id of an analysis, or the name of a canary for its
latest one.

Exit code 0: pass. 5: fail. 6: marginal or inconclusive. 124: timed out.`,
		Example: `  flyball canary start release checkout --version 2.1.0
  flyball canary wait release --timeout 30m`,
	}
	c.PersistentFlags().StringVar(&api.URL, "url", cmp.Or(os.Getenv("FLYBALL_URL"), "http://127.0.0.1:8686"), "the API of Flyball; FLYBALL_URL is the default")
	c.PersistentFlags().StringVar(&api.Token, "token", os.Getenv("FLYBALL_TOKEN"), "bearer token; FLYBALL_TOKEN is the default")
	c.PersistentFlags().Lookup("token").DefValue = ""
	c.AddCommand(newStart(api), newStatus(api), newWait(api), newReport(api), newCancel(api), newAnalyse())
	return c
}

func newStart(api *client.Client) *cobra.Command {
	var r flyball.CanaryRequest
	var length time.Duration
	c := &cobra.Command{
		Use:     "start CANARY ENTITY",
		Short:   "Start an analysis and print its id",
		Example: `  id=$(flyball canary start release checkout --version 2.1.0) && flyball canary wait "$id"`,
		Args:    exactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			r.Canary, r.Entity, r.Seconds = args[0], args[1], int64(length.Seconds())
			id, err := api.Start(c.Context(), r)
			if err != nil {
				return clientError(err)
			}
			fmt.Fprintln(c.OutOrStdout(), id)
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&r.ID, "id", "", "id of the analysis; the same id is started once. Without it there is a new one")
	f.StringVar(&r.Version, "version", "", "version to judge; without it the newest with traffic")
	f.StringVar(&r.Baseline, "baseline", "", "version to compare with; without it the one with the most traffic")
	f.DurationVar(&length, "for", 0, "length of the analysis; without it the configured one")
	f.StringVar(&r.By, "by", "cli", "who asks, for people")
	return c
}

func newStatus(api *client.Client) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use: "status ID|CANARY", Short: "Print what is known of an analysis", Args: exactArgs(1),
		Example: `  flyball canary status release
  flyball canary status release -o json | jq -r .verdict`,
		RunE: func(c *cobra.Command, args []string) error {
			a, err := api.Get(c.Context(), args[0], false)
			if err != nil {
				return clientError(err)
			}
			return tellVerdict(c, format, a, "keep")
		},
	}
	c.Flags().StringVarP(&format, "output", "o", "text", "text or json")
	return c
}

func newWait(api *client.Client) *cobra.Command {
	var format, open string
	var timeout time.Duration
	c := &cobra.Command{
		Use: "wait ID|CANARY", Short: "Wait until an analysis is over", Args: exactArgs(1),
		Example: `  flyball canary wait "$id" --timeout 30m --inconclusive fail`,
		RunE: func(c *cobra.Command, args []string) error {
			if open != "keep" && open != "pass" && open != "fail" {
				return usageError(fmt.Errorf("unknown --inconclusive %q; want keep, pass or fail", open))
			}
			ctx, cancel := context.WithTimeout(c.Context(), timeout)
			defer cancel()
			a, err := api.Wait(ctx, args[0], func(a client.Analysis) {
				fmt.Fprintf(c.ErrOrStderr(), "%s: %s\n", a.Status, a.Message)
			})
			if errors.Is(err, context.DeadlineExceeded) && c.Context().Err() == nil {
				return &ExitError{exitTimeout, fmt.Errorf("no verdict on %q within %v: %w", args[0], timeout, err)}
			}
			if err != nil {
				return clientError(err)
			}
			return tellVerdict(c, format, a, open)
		},
	}
	c.Flags().StringVarP(&format, "output", "o", "text", "text or json")
	c.Flags().DurationVar(&timeout, "timeout", 2*time.Hour, "how long to wait")
	c.Flags().StringVar(&open, "inconclusive", "keep", "what marginal and inconclusive count for: keep (exit code 6), pass or fail")
	return c
}

func newReport(api *client.Client) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use: "report ID|CANARY", Short: "Write a report of an analysis", Args: exactArgs(1),
		Example: `  flyball canary report "$id" >> "$GITHUB_STEP_SUMMARY"
  flyball canary report "$id" -o html > canary.html`,
		RunE: func(c *cobra.Command, args []string) error {
			a, err := api.Get(c.Context(), args[0], true)
			if err != nil {
				return clientError(err)
			}
			r := &report.Report{Verdicts: a.History}
			if len(r.Verdicts) == 0 {
				r.Verdicts = []flyball.Verdict{a.Verdict}
			}
			return write(c, r, format)
		},
	}
	c.Flags().StringVarP(&format, "output", "o", "markdown", "markdown, json or html")
	return c
}

func write(c *cobra.Command, r *report.Report, format string) error {
	switch format {
	case "markdown":
		return r.Markdown(c.OutOrStdout())
	case "json":
		return r.JSON(c.OutOrStdout())
	case "html":
		return r.HTML(c.OutOrStdout())
	}
	return usageError(fmt.Errorf("unknown format %q; want markdown, json or html", format))
}

func newCancel(api *client.Client) *cobra.Command {
	return &cobra.Command{
		Use: "cancel ID", Short: "End an analysis without a verdict", Args: exactArgs(1),
		Example: `  flyball canary cancel "$id"`,
		RunE: func(c *cobra.Command, args []string) error {
			return clientError(api.Cancel(c.Context(), args[0], "cli"))
		},
	}
}

// clientError makes a usage error of what would be refused again.
func clientError(err error) error {
	var refused *client.RefusedError
	if errors.As(err, &refused) {
		return usageError(err)
	}
	return err
}

// tellVerdict prints a verdict and turns it into an exit code.
func tellVerdict(c *cobra.Command, format string, a client.Analysis, open string) error {
	switch format {
	case "text":
		fmt.Fprintf(c.OutOrStdout(), "%s %s %s %s score=%.4g %s\n", a.Verdict.Verdict, a.Phase, a.ID, a.Entity, a.Score, a.Message)
	case "json":
		if err := json.NewEncoder(c.OutOrStdout()).Encode(a); err != nil {
			return fmt.Errorf("cannot write the verdict: %w", err)
		}
	default:
		return usageError(fmt.Errorf("unknown format %q; want text or json", format))
	}
	v := a.Verdict.Verdict
	if v != flyball.VerdictPass && v != flyball.VerdictFail && open != "keep" {
		v = open
	}
	return exitOf(v, a.Verdict.Verdict, a.Message)
}

// exitOf turns what a verdict counts for into an exit code.
func exitOf(counts, verdict, message string) error {
	code := exitOpen
	switch counts {
	case flyball.VerdictPass:
		return nil
	case flyball.VerdictFail:
		code = exitFail
	}
	return &ExitError{code, fmt.Errorf("verdict %s: %s", verdict, message)}
}
