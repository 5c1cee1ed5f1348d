package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/sloreplay"
)

func newSLOForecast() *cobra.Command {
	var in sloInput
	var within time.Duration
	c := &cobra.Command{
		Use:   "forecast --slo FILE --slices CSV",
		Short: "Say when error budgets will be gone",
		Long: `Run the SLOs of a file over slices of total and bad samples, and say when their
budgets are or will be gone.

The output is one JSON object per line: one for every time at which a budget was gone,
or was to be within the time that --within or the SLO's annotation
flyball.dev/exhausts-within names, and one for every time at which that ceased; and
at the end one {"forecast": …} for every SLO: in how many seconds the budget is gone
at the burn rate of the last hour, 6 hours and 3 days, and as their trend has it.`,
		Example: `  flyball slo forecast --slo checkout.yaml --slices checkout.csv --within 6h`,
		Args:    exactArgs(0),
		RunE: func(c *cobra.Command, _ []string) error {
			slos, list, err := in.read(c)
			if err != nil {
				return err
			}
			out := json.NewEncoder(c.OutOrStdout())
			var last []forecastLine
			for _, spec := range slos {
				s, err := sloreplay.Foresee(spec, list, in.options, within, func(e sloreplay.Exhaustion) error { return out.Encode(e) })
				if err != nil {
					return usageError(fmt.Errorf("cannot replay SLO %q: %w", spec.Name, err))
				}
				last = append(last, forecastLine{s.SLO, s.At, s.Forecast})
			}
			for _, line := range last {
				if err := out.Encode(map[string]forecastLine{"forecast": line}); err != nil {
					return err
				}
			}
			return nil
		},
	}
	in.flags(c)
	c.Flags().DurationVar(&within, "within", 0, "report when the budget is to be gone within this time; default what the SLO says")
	return c
}

// forecastLine is the last word on an SLO.
type forecastLine struct {
	SLO string       `json:"slo"`
	At  flyball.Time `json:"at"`
	sloreplay.Forecast
}
