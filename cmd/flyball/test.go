package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball/internal/scenario"
)

const exitTests = 4 // scenarios failed

// testOptions are the flags of `flyball test`.
type testOptions struct {
	scenario.Options
	run     string
	junit   string
	format  string
	verbose bool
}

func newTest() *cobra.Command {
	var o testOptions
	c := &cobra.Command{
		Use:   "test PATH…",
		Short: "Run scenario files",
		Long: `Run scenarios: a configuration, the samples that arrive, and what must come of
them. PATH is a .txtar file, or a directory, of which all scenarios below are run.

Every scenario is also run with other partition counts, other flush intervals, and
members that crash, abort and are rebalanced at every transaction; all must come
to the same.

Exit code 0: all passed. 4: some failed. 2: a scenario cannot be read.`,
		Example: `  flyball test ./scenarios
  flyball test --run 'late|idle' -v ./...
  flyball test --update new.txtar
  flyball test --junit report.xml -o json ./scenarios`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError(fmt.Errorf("name a scenario file or a directory, such as ./...; see %s --help", c.CommandPath()))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return runTests(c, args, o) },
	}
	outputFlag(c, &o.format)
	f := c.Flags()
	f.StringVar(&o.run, "run", "", "only scenarios whose path matches this regular expression")
	f.BoolVar(&o.Update, "update", false, "replace the outputs in the files that differ; look at the change before you commit it")
	f.BoolVar(&o.Once, "once", false, "run each scenario once, without the runs that must come to the same")
	f.StringVar(&o.junit, "junit", "", "write a report in JUnit's XML to this file")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "print every command and what came out")
	return c
}

// runTests reads all scenarios before it runs the first.
func runTests(c *cobra.Command, args []string, o testOptions) error {
	list, err := loadScenarios(args, o.run)
	if err != nil {
		return usageError(err)
	}
	if o.verbose {
		o.Talk = c.ErrOrStderr()
	}
	var reports []scenario.Report
	failed := 0
	for _, s := range list {
		rep, err := s.Run(o.Options)
		if err != nil {
			line := 1
			var at *scenario.Error
			if errors.As(err, &at) {
				line = at.Line
			}
			rep.Failures = append(rep.Failures, scenario.Failure{Line: line, Text: err.Error()})
		}
		if len(rep.Failures) > 0 {
			failed++
		}
		reports = append(reports, rep)
		if err := printReport(c.OutOrStdout(), rep, o.format); err != nil {
			return err
		}
	}
	if o.junit != "" {
		if err := writeJUnit(o.junit, reports); err != nil {
			return err
		}
	}
	if o.format == "text" {
		fmt.Fprintf(c.ErrOrStderr(), "%d passed, %d failed\n", len(reports)-failed, failed)
	}
	if failed > 0 {
		return &codedError{code: exitTests}
	}
	return nil
}

// loadScenarios reads the scenarios that are named and whose path matches.
func loadScenarios(patterns []string, run string) ([]*scenario.Scenario, error) {
	match, err := regexp.Compile(run)
	if err != nil {
		return nil, fmt.Errorf("cannot read --run: %w", err)
	}
	paths, err := scenario.Find(patterns)
	if err != nil {
		return nil, err
	}
	var list []*scenario.Scenario
	for _, path := range paths {
		if !match.MatchString(path) {
			continue
		}
		s, err := scenario.Load(path)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("none of %d scenarios matches --run %q", len(paths), run)
	}
	return list, nil
}

// testResult is a line of `flyball test -o json`.
type testResult struct {
	Path     string        `json:"path"`
	OK       bool          `json:"ok"`
	Updated  bool          `json:"updated,omitempty"`
	Seconds  float64       `json:"seconds"`
	Failures []testFailure `json:"failures,omitempty"`
}

type testFailure struct {
	Line int    `json:"line"`
	Text string `json:"text"`
}

func printReport(w io.Writer, rep scenario.Report, format string) error {
	if format == "json" {
		r := testResult{Path: rep.Path, OK: len(rep.Failures) == 0, Updated: rep.Updated, Seconds: rep.Took.Seconds()}
		for _, f := range rep.Failures {
			r.Failures = append(r.Failures, testFailure(f))
		}
		return json.NewEncoder(w).Encode(r)
	}
	word := "ok  "
	switch {
	case len(rep.Failures) > 0:
		word = "FAIL"
	case rep.Updated:
		word = "new "
	}
	if _, err := fmt.Fprintf(w, "%s %s (%s)\n", word, rep.Path, rep.Took.Round(time.Millisecond)); err != nil {
		return err
	}
	for _, f := range rep.Failures {
		if _, err := fmt.Fprintf(w, "  %s:%d: %s\n", rep.Path, f.Line, f.Text); err != nil {
			return err
		}
	}
	return nil
}

func writeJUnit(path string, reports []scenario.Report) error {
	if err := os.WriteFile(path, scenario.JUnit(reports), fs.FileMode(0o644)); err != nil {
		return fmt.Errorf("cannot write %q: %w", path, err)
	}
	return nil
}
