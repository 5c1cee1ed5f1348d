package chaos

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball/internal/loadgen"
)

func TestCompareFindsEveryDifference(t *testing.T) {
	f := func(want, got rows, lost, doubled, unexpected int) {
		t.Helper()
		var notes []string
		d := compare("windows", want, got, func(s string) { notes = append(notes, s) })
		if d != (difference{lost, doubled, unexpected}) {
			t.Errorf("want %v, got %v: %+v", want, got, d)
		}
		if (len(notes) > 0) != (lost+doubled+unexpected > 0) {
			t.Errorf("want %v, got %v: notes %q", want, got, notes)
		}
	}
	f(rows{"a": 1, "b": 1}, rows{"a": 1, "b": 1}, 0, 0, 0)
	f(rows{"a": 1, "b": 1}, rows{"a": 1}, 1, 0, 0)
	f(rows{"a": 1}, rows{"a": 2}, 0, 1, 0)
	f(rows{"a": 1}, rows{"a": 1, "b": 1}, 0, 0, 1)
	f(rows{"a count=1": 1}, rows{"a count=2": 1}, 1, 0, 1)
	f(rows{}, rows{"b": 2}, 0, 1, 1)
}

// Whatever is wrong, the report as a whole is.
func TestReportSaysWhatIsWrong(t *testing.T) {
	truth, err := loadgen.NewTruth(windowWidth, loadgen.ByEnd)
	if err != nil {
		t.Fatal(err)
	}
	d := &driver{cluster: &cluster{}, happened: map[Kind]int{Kill: 2, Cut: 1}, takeovers: []time.Duration{9 * time.Second, 7 * time.Second, 8 * time.Second}}
	clean := func() results {
		return results{
			windows: rows{"w": 1}, slo: rows{"s": 1}, findings: rows{"f": 1}, decisions: rows{"d": 1}, commands: rows{"c": 1},
			samples: map[windowID]int64{},
		}
	}
	f := func(change func(*results), wrong int) Report {
		t.Helper()
		got := clean()
		change(&got)
		r := d.report(loadgen.Result{Truth: truth}, clean(), got)
		if r.Wrong() != wrong {
			t.Errorf("%d wrong, want %d: %+v", r.Wrong(), wrong, r)
		}
		return r
	}
	f(func(r *results) { r.windows["w"] = 2 }, 1)
	f(func(r *results) { r.windows = rows{"other": 1} }, 1)
	f(func(r *results) { r.slo = rows{} }, 1)
	f(func(r *results) { r.findings["g"] = 1 }, 1)
	f(func(r *results) { r.decisions = rows{} }, 1)
	f(func(r *results) { r.deadLetters = 3 }, 3)
	f(func(r *results) { r.samples[windowID{"x", 0}] = 5 }, 5)
	if r := f(func(r *results) { r.commands = rows{} }, 1); r.CommandsLost != 1 {
		t.Errorf("%+v", r)
	}
	if r := f(func(r *results) { r.commands["c"] = 2 }, 1); r.CommandsDoubled != 1 {
		t.Errorf("%+v", r)
	}
	r := f(func(*results) {}, 0)
	if diff := cmp.Diff(Times{3, 7, 8, 9}, r.Takeover); diff != "" || r.Faults != 3 {
		t.Errorf("%d faults, takeover %s", r.Faults, diff)
	}
	var b strings.Builder
	r.Print(&b)
	if !strings.Contains(b.String(), "7.0 / 8.0 / 9.0 s (3)") {
		t.Errorf("the table is\n%s", &b)
	}
}
