package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball/detectors/canary"
	"github.com/flyball-io/flyball/detectors/canary/kayenta"
	"github.com/flyball-io/flyball/detectors/canary/remote"
)

// Exit codes of a verdict.
const (
	exitFail = 5 // the canary fails
	exitOpen = 6 // marginal or inconclusive
)

func newJudge() *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:   "judge [FILE|-]",
		Short: "Judge a canary from a file",
		Long: `Judge a canary. The input is the body of Kayenta's remote-judge call,
{canaryConfig, scoreThresholds, metricSetPairList}; the output is Kayenta's judge
result, to which the sequential judge adds "flyball": effects, intervals,
evidence, and what it takes to decide. NaN may be the string "NaN".

Judges:
  sequential  valid at every look; says when it cannot tell yet
  kayenta     NetflixACAJudge-v1.0, as Kayenta would answer

Exit code 0: pass. 5: fail. 6: marginal or inconclusive. 2: unreadable input.`,
		Example: `  flyball judge request.json
  curl -s https://example.com/request.json | flyball judge --judge kayenta - | jq .score`,
		Args: func(c *cobra.Command, args []string) error {
			if err := cobra.MaximumNArgs(1)(c, args); err != nil {
				return usageError(fmt.Errorf("%w; see %s --help", err, c.CommandPath()))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			path := "-"
			if len(args) == 1 {
				path = args[0]
			}
			text, err := readInput(c.InOrStdin(), path)
			if err != nil {
				return err
			}
			return judgeText(c, name, path, text)
		},
	}
	c.Flags().StringVar(&name, "judge", "sequential", "the judge: sequential or kayenta")
	return c
}

// readInput reads a file, or standard input for "-".
func readInput(stdin io.Reader, path string) ([]byte, error) {
	if path == "-" {
		text, err := io.ReadAll(stdin)
		if err != nil {
			return nil, fmt.Errorf("cannot read standard input: %w", err)
		}
		return text, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, usageError(fmt.Errorf("cannot read request %q: %w", path, err))
	}
	return text, nil
}

func judgeText(c *cobra.Command, name, path string, text []byte) error {
	request, err := canary.DecodeRequest(text)
	if err != nil {
		return usageError(fmt.Errorf("%s: %w", path, err))
	}
	var result any
	var verdict canary.Verdict
	var reason string
	switch name {
	case "kayenta":
		r := kayenta.Judge(request)
		result, verdict, reason = r, kayenta.Verdict(r), r.Score.ClassificationReason
	case "sequential":
		r, err := remote.Judge(request)
		if err != nil {
			return usageError(fmt.Errorf("%s: %w", path, err))
		}
		result, verdict, reason = r, r.Flyball.Verdict.Verdict, r.Flyball.Reason
	default:
		return usageError(fmt.Errorf("unknown judge %q; want sequential or kayenta", name))
	}
	out := json.NewEncoder(c.OutOrStdout())
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	if err := out.Encode(result); err != nil {
		return fmt.Errorf("cannot write the result: %w", err)
	}
	return verdictError(verdict, reason)
}

// verdictError turns a verdict into an exit code and, unless it is pass, a line
// for people.
func verdictError(v canary.Verdict, reason string) error {
	text := "verdict " + string(v)
	if reason != "" {
		text += ": " + reason
	}
	switch v {
	case canary.VerdictPass:
		return nil
	case canary.VerdictFail:
		return &codedError{exitFail, errors.New(text)}
	}
	return &codedError{exitOpen, errors.New(text)}
}
