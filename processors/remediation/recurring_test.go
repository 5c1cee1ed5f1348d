package remediation

import (
	"fmt"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/remediation/memory"
	"github.com/google/go-cmp/cmp"
)

// TestRecurring: what is needed more often than in the week before is a finding, once,
// which is resolved when it is not needed any more.
func TestRecurring(t *testing.T) {
	const day = 24 * time.Hour
	f := func(name string, times []time.Duration, want ...string) {
		t.Helper()
		m := machine(t, rollback(func(r *flyball.Rule) { r.Target, r.Cooldown, r.Notify = "pod/{{finding.id}}", 0, []string{"owners"} }))
		var got []string
		step := func(in Input) {
			for _, x := range m.Step(in).Findings {
				got = append(got, fmt.Sprintf("%s %s %s %s at=%s %v %v", x.State, x.Severity, x.Detector, x.Entity, x.At.Sub(start), x.Evidence[0].Value, x.Evidence[1].Value))
				if again := m.Step(input(&x)); len(again.Decisions)+len(again.Findings)+len(again.State) > 0 {
					t.Errorf("%s: decide answers its own finding: %+v", name, again)
				}
			}
			m.Commit()
		}
		step(input(tick(0))) // it has decided since then
		for i, when := range times {
			fd := page(fmt.Sprint("f", i), "cart", when)
			step(entries(fd, later(fd, flyball.FindingResolved, when+time.Minute)))
		}
		step(entries(Entry{Watermark: &Watermark{Partition: 0, Of: 1, At: at(12 * day)}}))
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	every := func(from, step time.Duration, n int) (out []time.Duration) {
		for i := range n {
			out = append(out, from+time.Duration(i)*step)
		}
		return out
	}
	f("three in a day after none in a week", every(8*day+time.Hour, time.Hour, 3), "opened ticket rollback cart at=195h0m0s 3 0", "resolved ticket rollback cart at=217h0m0s 2 1")
	f("two in a day", every(8*day, time.Hour, 2))
	f("as often as ever", every(0, 8*time.Hour, 30))
	f("once a day, then five times", append(every(0, day, 8), every(8*day, time.Hour, 5)...), "opened ticket rollback cart at=196h0m0s 5 7", "resolved ticket rollback cart at=218h0m0s 2 9")
	f("nobody knows what was before", every(day/2, time.Hour, 8))
	f("a short past says less", every(2*day, time.Hour, 3))
}

// TestRecurrenceCounts: what is counted is what is within a day and the week before,
// in whatever order it comes.
func TestRecurrenceCounts(t *testing.T) {
	var r memory.Recurrence
	for _, hours := range []int{0, 5, 5, 200, 30, 190, 177, 176, 400, 399} {
		r = r.With(at(time.Duration(hours) * time.Hour))
	}
	if len(r.Counts) > 8*24 {
		t.Errorf("%d hours are counted", len(r.Counts))
	}
	f := func(hours, day, before int) {
		t.Helper()
		if d, b := r.Recent(at(time.Duration(hours)*time.Hour + 59*time.Minute)); d != day || b != before {
			t.Errorf("at %dh: %d and %d, want %d and %d", hours, d, b, day, before)
		}
	}
	f(400, 2, 0)
	f(422, 2, 0)
	f(423, 1, 1)
	f(424, 0, 2)
	f(591, 0, 1)
	f(592, 0, 0)
}
