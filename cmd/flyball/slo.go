package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	_ "time/tzdata" // calendar periods of any time zone, whatever the machine has

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/sloreplay"
)

func newSLO() *cobra.Command {
	c := &cobra.Command{
		Use:   "slo",
		Short: "Say where SLOs stand, or run them over recorded slices",
		Example: `  flyball slo status --config ./config
  flyball slo replay --slo checkout.yaml --slices checkout.csv`,
		Args: exactArgs(0),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newSLOReplay(), newSLOStatus(), newSLOForecast())
	return c
}

// sloInput is what the commands on recorded slices read.
type sloInput struct {
	slo, slices string
	options     sloreplay.Options
}

func (in *sloInput) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&in.slo, "slo", "", "file or directory with the SLO, OpenSLO v1 (required)")
	f.StringVar(&in.slices, "slices", "", "CSV of timestamp,total,bad; - is standard input (required)")
	f.DurationVar(&in.options.Slice, "slice", 0, "width of a slice; default the widest that the timestamps allow")
	f.DurationVar(&in.options.Step, "step", 0, "time between evaluations; default the width of a slice")
}

// read reads the SLOs and the slices. Warnings go to talk.
func (in *sloInput) read(c *cobra.Command) ([]flyball.SLO, []sloreplay.Slice, error) {
	if in.slo == "" || in.slices == "" {
		return nil, nil, usageError(fmt.Errorf("--slo and --slices are required; see %s --help", c.CommandPath()))
	}
	o := config.Options{SLOsOnly: true, AllowUnresolved: true}
	cfg, err := o.Load(in.slo)
	if err != nil {
		return nil, nil, usageError(err)
	}
	for _, p := range o.Lint(in.slo) {
		fmt.Fprintln(c.ErrOrStderr(), p.String())
	}
	if len(cfg.SLOs) == 0 {
		return nil, nil, usageError(fmt.Errorf("there is no SLO in %q; want a document of apiVersion openslo/v1 and kind SLO", in.slo))
	}
	file, name := c.InOrStdin(), "stdin"
	if in.slices != "-" {
		f, err := os.Open(in.slices)
		if err != nil {
			return nil, nil, usageError(fmt.Errorf("cannot read slices: %w", err))
		}
		defer f.Close()
		file, name = f, in.slices
	}
	list, err := sloreplay.ReadSlices(name, file)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("there is no slice in %q", name)
	}
	if err != nil {
		return nil, nil, usageError(err)
	}
	return cfg.SLOs, list, nil
}

func newSLOReplay() *cobra.Command {
	var in sloInput
	c := &cobra.Command{
		Use:   "replay --slo FILE --slices CSV",
		Short: "Run an SLO over recorded slices",
		Long: `Run the SLOs of a file over slices of total and bad samples, with the code that
judges them in production, and print when each burn-rate tier fires and resolves.

Slices are CSV: timestamp,total,bad, where the timestamp is the start of the slice
in RFC 3339 or Unix seconds. A first line may name the columns. Gaps are stretches
without samples.

The output is one JSON object per line: one for every tier that begins or ceases to
fire, and at the end one {"summary": …} for every SLO.`,
		Example: `  flyball slo replay --slo checkout.yaml --slices checkout.csv
  flyball slo replay --slo checkout.yaml --slices - --step 1m < checkout.csv | jq .summary`,
		Args: exactArgs(0),
		RunE: func(c *cobra.Command, _ []string) error {
			slos, list, err := in.read(c)
			if err != nil {
				return err
			}
			return replaySLOs(c.OutOrStdout(), slos, list, in.options)
		},
	}
	in.flags(c)
	return c
}

func replaySLOs(w io.Writer, slos []flyball.SLO, list []sloreplay.Slice, o sloreplay.Options) error {
	out := json.NewEncoder(w)
	var summaries []sloreplay.Summary
	for _, spec := range slos {
		s, err := sloreplay.Run(spec, list, o, func(t sloreplay.Transition) error { return out.Encode(t) })
		if err != nil {
			return usageError(fmt.Errorf("cannot replay SLO %q: %w", spec.Name, err))
		}
		summaries = append(summaries, s)
	}
	for _, s := range summaries {
		if err := out.Encode(map[string]sloreplay.Summary{"summary": s}); err != nil {
			return err
		}
	}
	return nil
}
