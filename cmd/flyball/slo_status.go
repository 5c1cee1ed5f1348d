package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
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
	var live liveInput
	var at, output string
	c := &cobra.Command{
		Use:   "status {--config DIR | --clickhouse DSN} [SLO] | status --slo FILE --slices CSV",
		Short: "Say where SLOs stand",
		Long: `Say where SLOs stand: SLI, error budget, burn rates, what is excluded, and when the
budget will be gone.

With --config or --clickhouse it is what Flyball measures: the latest status of every
budget that was recorded (view v_slo_status), or of those of one SLO.

With --slo and --slices the SLOs of a file are run over slices of total and bad samples,
up to their end.`,
		Example: `  flyball slo status --config ./config
  flyball slo status --clickhouse http://127.0.0.1:8123/flyball checkout -o json
  flyball slo status --slo slos/ --slices checkout.csv --at 2026-01-31T00:00:00Z`,
		Args: atMostArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if output != "text" && output != "json" {
				return usageError(fmt.Errorf("unknown output %q: want text or json", output))
			}
			all, err := standings(c, &in, &live, args, at)
			if err != nil {
				return err
			}
			return printStatus(c.OutOrStdout(), output, all)
		},
	}
	in.flags(c)
	live.flags(c)
	c.Flags().StringVar(&at, "at", "", "RFC 3339 time at which they stood so; default now, or the end of the slices")
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json (one object per line)")
	return c
}

// standings returns where SLOs stand: as recorded, or by slices.
func standings(c *cobra.Command, in *sloInput, live *liveInput, args []string, at string) ([]sloreplay.Summary, error) {
	if live.wanted() {
		when, err := clockAt(at)
		if err != nil {
			return nil, err
		}
		return live.read(c.Context(), strings.Join(args, ""), when)
	}
	slos, list, err := in.read(c)
	if err != nil {
		return nil, err
	}
	if len(args) > 0 {
		slos = slices.DeleteFunc(slos, func(s flyball.SLO) bool { return s.Name != args[0] })
	}
	if list, err = until(list, at); err != nil {
		return nil, usageError(err)
	}
	var all []sloreplay.Summary
	for _, spec := range slos {
		s, err := sloreplay.Run(spec, list, in.options, func(sloreplay.Transition) error { return nil })
		if err != nil {
			return nil, usageError(fmt.Errorf("cannot replay SLO %q: %w", spec.Name, err))
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return nil, usageError(fmt.Errorf("there is no SLO named %q in %q", args[0], in.slo))
	}
	return all, nil
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
	entity := func(s *sloreplay.Summary) string { return "" }
	if slices.ContainsFunc(all, func(s sloreplay.Summary) bool { return s.Entity != "" }) {
		fmt.Fprint(table, "BUDGET OF\t")
		entity = func(s *sloreplay.Summary) string { return subject(s) + "\t" }
	}
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
		fmt.Fprint(table, entity(&s))
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d/%d\t%s\t%s\t%s / %s / %s / %s\n", s.SLO, s.State, percent(s.SLI), percent(s.Target),
			percent(s.BudgetRemaining), s.Bad, s.Allowed, strings.Join(firing, ","), percent(s.ExcludedShare),
			ahead(f.Hour), ahead(f.SixHours), ahead(f.ThreeDays), ahead(f.Trend))
	}
	return table.Flush()
}

// subject is the entity of a budget, and the labels of its group.
func subject(s *sloreplay.Summary) string {
	labels := map[string]string{}
	if err := json.Unmarshal([]byte(s.Labels), &labels); err != nil || len(labels) < 2 {
		return s.Entity
	}
	var rest []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if labels[name] != s.Entity {
			rest = append(rest, fmt.Sprintf("%s=%q", name, labels[name]))
		}
	}
	return s.Entity + "{" + strings.Join(rest, ",") + "}"
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
