package chaos

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/flyball-io/flyball/internal/loadgen"
	"github.com/flyball-io/flyball/internal/loadgen/shop"
)

// Report is what came of a run.
type Report struct {
	Seed    uint64       `json:"seed"`
	Faults  int          `json:"faults"` // that happened
	Planned int          `json:"faults_planned"`
	ByKind  map[Kind]int `json:"faults_by_kind"`
	// Samples are spans in.
	Samples int64 `json:"samples"`
	Windows int   `json:"windows"`
	// WindowsWrong are missing, not as they should be, there twice, or not to be
	// there at all.
	WindowsWrong int `json:"windows_wrong"`
	// SamplesMiscounted is the sum, over all windows of event time, of how far the
	// samples counted are from those that the shop made.
	SamplesMiscounted int64 `json:"samples_miscounted"`
	StatusWrong       int   `json:"slo_status_wrong"`
	Findings          int   `json:"findings"`
	FindingsWrong     int   `json:"findings_wrong"`
	Decisions         int   `json:"decisions"`
	DecisionsWrong    int   `json:"decisions_wrong"`
	Commands          int   `json:"commands"`
	CommandsLost      int   `json:"commands_lost"`
	// CommandsDoubled were sent twice, or should not have been sent.
	CommandsDoubled int `json:"commands_doubled"`
	DeadLetters     int `json:"dead_letters"`
	// Unsettled faults kept windows from closing for more than two minutes.
	Unsettled int `json:"unsettled"`
	// Takeover is the time from the death of a process to the first window that
	// its successor closed.
	Takeover Times `json:"takeover_seconds"`
	// Stop is the time that processes took to leave when asked to.
	Stop Times `json:"stop_seconds"`
	// Session is the session timeout that the takeover includes.
	Session float64 `json:"session_timeout_seconds"`
	Seconds float64 `json:"seconds"`
	// Examples of what is wrong.
	Examples []string `json:"examples,omitempty"`
}

// Times are durations in seconds.
type Times struct {
	Number int     `json:"n"`
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

func timesOf(list []time.Duration) Times {
	if len(list) == 0 {
		return Times{}
	}
	slices.Sort(list)
	return Times{len(list), list[0].Seconds(), list[len(list)/2].Seconds(), list[len(list)-1].Seconds()}
}

// report compares the results.
func (d *driver) report(load loadgen.Result, want, got results) Report {
	r := Report{
		Seed: d.cfg.Seed, Planned: d.cfg.Faults, ByKind: d.happened, Samples: load.Spans,
		Windows: len(want.windows), Findings: len(want.findings), Decisions: len(want.decisions), Commands: len(want.commands),
		DeadLetters: got.deadLetters, Unsettled: d.unsettled, Takeover: timesOf(d.takeovers), Stop: timesOf(d.stops), Session: d.cfg.Session.Seconds(),
	}
	for _, n := range d.happened {
		r.Faults += n
	}
	diff := func(what string, want, got rows) difference {
		return compare(what, want, got, func(s string) { r.Examples = append(r.Examples, s) })
	}
	wrong := func(x difference) int { return max(x.lost, x.unexpected) + x.doubled }
	r.WindowsWrong = wrong(diff("windows", want.windows, got.windows))
	r.StatusWrong = wrong(diff("SLO status", want.slo, got.slo))
	r.FindingsWrong = wrong(diff("findings", want.findings, got.findings))
	r.DecisionsWrong = wrong(diff("decisions", want.decisions, got.decisions))
	commands := diff("commands", want.commands, got.commands)
	r.CommandsLost, r.CommandsDoubled = commands.lost, commands.doubled+commands.unexpected
	r.SamplesMiscounted = miscounted(load.Truth, got)
	return r
}

// miscounted compares the samples of each window of event time with the truth.
func miscounted(truth *loadgen.Truth, got results) int64 {
	diff := map[int64]int64{}
	for k, cell := range truth.Sum(nil) {
		if k.Kind == shop.KindServer.String() {
			diff[k.Window] += int64(cell.Count)
		}
	}
	for k, n := range got.samples {
		diff[k.start] -= n
	}
	sum := int64(0)
	for _, n := range diff {
		sum += max(n, -n)
	}
	return sum
}

// Wrong is the sum of all that must be zero.
func (r Report) Wrong() int {
	return r.WindowsWrong + int(r.SamplesMiscounted) + r.StatusWrong + r.FindingsWrong + r.DecisionsWrong +
		r.CommandsLost + r.CommandsDoubled + r.DeadLetters + r.Unsettled
}

// Print writes the table for people.
func (r Report) Print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight|tabwriter.Debug)
	row := func(what string, n any) { fmt.Fprintf(t, "%s\t%v\t\n", what, n) }
	fmt.Fprintf(t, "seed %d, %.0f s\t\t\n", r.Seed, r.Seconds)
	for _, k := range Kinds() {
		row(string(k), r.ByKind[k])
	}
	row("faults", fmt.Sprintf("%d of %d", r.Faults, r.Planned))
	row("samples in", r.Samples)
	row("windows", r.Windows)
	row("findings", r.Findings)
	row("decisions", r.Decisions)
	row("commands", r.Commands)
	row("samples miscounted", r.SamplesMiscounted)
	row("windows wrong", r.WindowsWrong)
	row("SLO status wrong", r.StatusWrong)
	row("findings wrong", r.FindingsWrong)
	row("decisions wrong", r.DecisionsWrong)
	row("commands lost", r.CommandsLost)
	row("commands doubled", r.CommandsDoubled)
	row("dead letters", r.DeadLetters)
	row("no window closed for 2 min", r.Unsettled)
	times := func(what string, x Times) {
		row(what, fmt.Sprintf("%.1f / %.1f / %.1f s (%d)", x.Min, x.Median, x.Max, x.Number))
	}
	times(fmt.Sprintf("takeover, session %.0f s: min / median / max", r.Session), r.Takeover)
	times("stop: min / median / max", r.Stop)
	t.Flush()
	for _, e := range r.Examples {
		fmt.Fprintln(w, e)
	}
}
