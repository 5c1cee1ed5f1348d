package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/sloreplay"
)

func newSLOStatus() *cobra.Command {
	var in sloInput
	var at, output string
	c := &cobra.Command{
		Use:   "status --slo FILE --slices CSV",
		Short: "Say where SLOs stand",
		Long: `Run the SLOs of a file over slices of total and bad samples, and say where they
stand at the end, or at a time before it: SLI, error budget, burn rates, what is
excluded, and when the budget will be gone.

How SLOs stand that Flyball measures by itself is in the topic flyball.slo, and in the
view v_slo_status of ClickHouse.`,
		Example: `  flyball slo status --slo slos/ --slices checkout.csv
  flyball slo status --slo slos/ --slices checkout.csv --at 2026-01-31T00:00:00Z -o json`,
		Args: exactArgs(0),
		RunE: func(c *cobra.Command, _ []string) error {
			if output != "text" && output != "json" {
				return usageError(fmt.Errorf("unknown output %q: want text or json", output))
			}
			slos, list, err := in.read(c)
			if err != nil {
				return err
			}
			if list, err = until(list, at); err != nil {
				return usageError(err)
			}
			var all []sloreplay.Summary
			for _, spec := range slos {
				s, err := sloreplay.Run(spec, list, in.options, func(sloreplay.Transition) error { return nil })
				if err != nil {
					return usageError(fmt.Errorf("cannot replay SLO %q: %w", spec.Name, err))
				}
				all = append(all, s)
			}
			return printStatus(c.OutOrStdout(), output, all)
		},
	}
	in.flags(c)
	c.Flags().StringVar(&at, "at", "", "RFC 3339 time; slices that start at it or later are left out")
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json (one object per line)")
	return c
}

// until cuts slices off at a time.
func until(list []sloreplay.Slice, at string) ([]sloreplay.Slice, error) {
	if at == "" {
		return list, nil
	}
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return nil, fmt.Errorf("cannot read --at %q: want RFC 3339, such as 2026-01-01T00:00:00Z", at)
	}
	end := flyball.TimeOf(t)
	list = slices.DeleteFunc(list, func(s sloreplay.Slice) bool { return s.Start >= end })
	if len(list) == 0 {
		return nil, fmt.Errorf("there is no slice before %s", at)
	}
	return list, nil
}

func printStatus(w io.Writer, output string, all []sloreplay.Summary) error {
	if output == "json" {
		out := json.NewEncoder(w)
		for _, s := range all {
			if err := out.Encode(s); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SLO\tSTATE\tSLI\tTARGET\tBUDGET LEFT\tBAD/ALLOWED\tFIRING\tEXCLUDED\tGONE IN (1h / 6h / 3d / trend)")
	for _, s := range all {
		var firing []string
		for name, b := range s.Burn {
			if b.Firing {
				firing = append(firing, name)
			}
		}
		slices.Sort(firing)
		if len(firing) == 0 {
			firing = []string{"-"}
		}
		f := s.Forecast
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d/%d\t%s\t%s\t%s / %s / %s / %s\n", s.SLO, s.State, percent(s.SLI), percent(s.Target),
			percent(s.BudgetRemaining), s.Bad, s.Allowed, strings.Join(firing, ","), percent(s.ExcludedShare),
			ahead(f.Hour), ahead(f.SixHours), ahead(f.ThreeDays), ahead(f.Trend))
	}
	return table.Flush()
}

func percent(n sloreplay.Number) string {
	if math.IsNaN(float64(n)) {
		return "-"
	}
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.4f", float64(n)*100), "0"), ".") + "%"
}

func ahead(n sloreplay.Number) string {
	if math.IsNaN(float64(n)) {
		return "-"
	}
	return time.Duration(float64(n) * 1e9).Round(time.Minute).String()
}
