package model

import (
	"fmt"
	"strings"
	"time"
)

// Ladder returns the plans of loads from one that a laptop bears to ten million samples
// per second.
func Ladder() []Plan {
	var out []Plan
	for _, l := range []struct {
		samples float64
		series  int
		keyed   bool
	}{{10_000, 1_000, false}, {100_000, 5_000, false}, {1e6, 20_000, false}, {3e6, 50_000, false}, {10e6, 100_000, false}, {10e6, 100_000, true}, {10e6, 1_000_000, true}} {
		load := Default(l.samples, l.series)
		load.Keyed = l.keyed
		out = append(out, Work(load, Measured()))
	}
	return out
}

// Tables writes plans as the tables of docs/scaling.md.
func Tables(plans []Plan) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("| samples/s | series | topic keyed | source partitions | aggregate members | panes partitions | evaluate members | evaluate memory | ClickHouse, %d days × %d |", plans[0].Load.Days, plans[0].Load.Replicas)
	line("|---|---|---|---|---|---|---|---|---|")
	for i := range plans {
		p := &plans[i]
		line("| %s | %s | %s | %d | %d | %d | %d | %s | %s |", count(p.Load.Samples), count(float64(p.Load.Series)), yes(p.Load.Keyed),
			p.Sources, p.Aggregate, p.Panes, p.Evaluate, size(p.EvaluateGB), size(p.ClickHouseGB))
	}
	line("")
	line("| samples/s | series | topic keyed | input | partial panes/s | parts of a pane | panes | marks/s | batches/s | windows/s | breaks first, at |")
	line("|---|---|---|---|---|---|---|---|---|---|---|")
	for i := range plans {
		p := &plans[i]
		first := p.First()
		line("| %s | %s | %s | %.1f MB/s | %s | %.1f | %.2f MB/s | %s | %s | %s | %s, %.0f %% |", count(p.Load.Samples), count(float64(p.Load.Series)), yes(p.Load.Keyed),
			p.InputMB, count(p.Rows), p.Amplified, p.PanesMB, count(p.Marks), count(p.Batches), count(p.Windows), first.Name, 100*first.Used)
	}
	line("")
	line("| samples/s | aggregate members | one dies: windows behind, all read again after | a third die | evaluate successor reads back for |")
	line("|---|---|---|---|---|")
	for i := range plans {
		p := &plans[i]
		cell := func(dead int) string {
			if dead < 1 || dead >= p.Aggregate {
				return "–"
			}
			f := p.Kill(dead, Measured(), DefaultGroup())
			if f.Recovered == 0 {
				return "never"
			}
			return fmt.Sprintf("%s, %s", span(f.Behind), span(f.Recovered))
		}
		line("| %s | %d | %s | %s | %s |", count(p.Load.Samples), p.Aggregate, cell(1), cell(p.Aggregate/3), span(p.Restore))
	}
	return b.String()
}

func yes(b bool) string {
	if b {
		return "by service"
	}
	return "no"
}

func span(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

func size(gb float64) string {
	switch {
	case gb < 1:
		return fmt.Sprintf("%.0f MB", gb*1000)
	case gb < 1000:
		return fmt.Sprintf("%.1f GB", gb)
	}
	return fmt.Sprintf("%.1f TB", gb/1000)
}

func count(n float64) string {
	switch {
	case n >= 999_500:
		return fmt.Sprintf("%.3g M", n/1e6)
	case n >= 9_995:
		return fmt.Sprintf("%.3g k", n/1e3)
	}
	return fmt.Sprintf("%.0f", n)
}
