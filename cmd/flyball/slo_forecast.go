package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/sloreplay"
)

func newSLOForecast() *cobra.Command {
	var in sloInput
	var live liveInput
	var within time.Duration
	c := &cobra.Command{
		Use:   "forecast {--config DIR | --clickhouse DSN} [SLO] | forecast --slo FILE --slices CSV",
		Short: "Say when error budgets will be gone",
		Long: `Say when the error budgets that Flyball measures will be gone (--config or
--clickhouse), or run the SLOs of a file over slices of total and bad samples, and say when their
budgets are or will be gone.

The output is one JSON object per line: one for every time at which a budget was gone,
or was to be within the time that --within or the SLO's annotation
flyball.dev/exhausts-within names, and one for every time at which that ceased; and
at the end one {"forecast": …} for every SLO: in how many seconds the budget is gone
at the burn rate of the last hour, 6 hours and 3 days, and as their trend has it.`,
		Example: `  flyball slo forecast --config ./config checkout
  flyball slo forecast --slo checkout.yaml --slices checkout.csv --within 6h`,
		Args: atMostArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			out := json.NewEncoder(c.OutOrStdout())
			if live.wanted() {
				return forecastLive(c, out, &live, args)
			}
			slos, list, err := in.read(c)
			if err != nil {
				return err
			}
			if len(args) > 0 {
				slos = slices.DeleteFunc(slos, func(s flyball.SLO) bool { return s.Name != args[0] })
			}
			var last []forecastLine
			for _, spec := range slos {
				s, err := sloreplay.Foresee(spec, list, in.options, within, func(e sloreplay.Exhaustion) error { return out.Encode(e) })
				if err != nil {
					return usageError(fmt.Errorf("cannot replay SLO %q: %w", spec.Name, err))
				}
				last = append(last, forecastLine{SLO: s.SLO, At: s.At, Forecast: s.Forecast})
			}
			return printForecasts(out, last)
		},
	}
	in.flags(c)
	live.flags(c)
	c.Flags().DurationVar(&within, "within", 0, "report when the budget is to be gone within this time; default what the SLO says")
	return c
}

// forecastLine is the last word on a budget.
type forecastLine struct {
	SLO    string       `json:"slo"`
	Entity string       `json:"entity,omitempty"`
	Labels string       `json:"labels,omitempty"`
	At     flyball.Time `json:"at"`
	sloreplay.Forecast
}

func printForecasts(out *json.Encoder, lines []forecastLine) error {
	for _, line := range lines {
		if err := out.Encode(map[string]forecastLine{"forecast": line}); err != nil {
			return err
		}
	}
	return nil
}

func forecastLive(c *cobra.Command, out *json.Encoder, live *liveInput, args []string) error {
	all, err := live.read(c.Context(), strings.Join(args, ""), time.Now())
	if err != nil {
		return err
	}
	var lines []forecastLine
	for _, s := range all {
		lines = append(lines, forecastLine{s.SLO, s.Entity, s.Labels, s.At, s.Forecast})
	}
	return printForecasts(out, lines)
}
