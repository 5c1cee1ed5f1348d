package starter

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// tell shows people what would be measured.
func tell(w io.Writer, out *Written) error {
	for _, t := range out.Topics {
		fmt.Fprintf(w, "topic %s: %s, %d of %d records (%d KiB)\n", t.Topic, describe(t.Format, t.Encoding), t.Recognised, t.Records, t.Bytes/1024)
		for _, name := range slices.Sorted(maps.Keys(t.Others)) {
			kind := name
			if kind == "" {
				kind = "in no known format"
			}
			fmt.Fprintf(w, "  %d records are %s\n", t.Others[name], kind)
		}
		if !t.Times.Last.IsZero() {
			fmt.Fprintf(w, "  events from %s to %s; on the topic %v later, %v at most\n", t.Times.First.Format(time.RFC3339), t.Times.Last.Format(time.RFC3339),
				t.Times.DelayMedian.Round(time.Millisecond), t.Times.DelayMost.Round(time.Millisecond))
		}
		for _, reason := range slices.Sorted(maps.Keys(t.Rejected)) {
			fmt.Fprintf(w, "  rejected, %s: %d; %s\n", reason, t.Rejected[reason], t.Rejection)
		}
		table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "\n  INDICATOR\tSERIES\tSAMPLES\tBAD\tMEDIAN\tP99\tEXAMPLE")
		for _, m := range t.Indicators {
			example := "-"
			if len(m.Examples) > 0 {
				example = m.Examples[0]
			}
			samples := fmt.Sprint(m.Samples)
			if m.Totals > 0 {
				samples = fmt.Sprintf("%d, %d totals", m.Samples, m.Totals)
			}
			fmt.Fprintf(table, "  %s\t%d\t%s\t%d\t%s\t%s\t%s\n", m.Indicator, m.Series, samples, m.Bad, quantity(m.Median, m.Unit), quantity(m.P99, m.Unit), example)
		}
		if err := table.Flush(); err != nil {
			return err
		}
		var notes []string
		for _, m := range t.Indicators {
			for _, warning := range m.Warnings {
				notes = append(notes, m.Indicator+": "+warning)
			}
		}
		for _, n := range append(notes, t.Notes...) {
			fmt.Fprintf(w, "  note: %s\n", n)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "wrote %s\n\nnext:\n  flyball lint %s\n  flyball run --config %s\n", strings.Join(out.Files, ", "), out.Dir, out.Dir)
	return nil
}

// quantity writes a value with its unit.
func quantity(v *float64, unit string) string {
	switch {
	case v == nil:
		return "-"
	case unit == "ns":
		return show(*v)
	}
	return number(*v) + " " + unit
}
