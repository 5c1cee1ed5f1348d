package replay

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
)

// decided reads decisions written as "seconds verb action target".
func decided(t *testing.T, text string) (out []flyball.Decision) {
	t.Helper()
	for _, l := range strings.Fields(text) {
		parts := strings.Split(l, ":")
		var at int64
		if _, err := fmt.Sscan(parts[0], &at); err != nil {
			t.Fatal(err)
		}
		d := flyball.Decision{At: flyball.Time(at * 1e9), Verb: flyball.Verb(parts[1]), Action: flyball.Action{Name: parts[2]}, Target: parts[3]}
		if d.Verb == flyball.VerbAct {
			d.Command = l
		}
		out = append(out, d)
	}
	return out
}

func TestCompare(t *testing.T) {
	f := func(old, next, only, sentence string) {
		t.Helper()
		d := Compare(decided(t, old), decided(t, next), 10*time.Second)
		var got []string
		for _, o := range d.Only {
			got = append(got, fmt.Sprintf("%s:%d:%s", o.Side, o.Decision.At/1e9, o.Decision.Target))
		}
		if s := strings.Join(got, " "); s != only {
			t.Errorf("%q and %q: only %q, want %q", old, next, s, only)
		}
		if s := strings.TrimPrefix(d.Sentence(7*24*time.Hour), "the new configuration would have "); s != sentence {
			t.Errorf("%q and %q: %s", old, next, s)
		}
	}
	f("", "", "", "decided the same in 7d: 0 decisions, 0 commands")
	f("1:act:rollback:a", "1:act:rollback:a", "", "decided the same in 7d: 1 decisions, 1 command")
	f("1:act:rollback:a", "11:act:rollback:a", "", "decided the same in 7d: 1 decisions, 1 command")
	f("1:act:rollback:a", "12:act:rollback:a", "old:1:a new:12:a", "sent as many commands (1) in 7d, and decided differently 2 times")
	f("1:act:rollback:a", "", "old:1:a", "sent 1 fewer rollback (0 instead of 1) in 7d")
	f("1:act:rollback:a 2:act:rollback:a", "3:act:rollback:a", "old:2:a", "sent 1 fewer rollback (1 instead of 2) in 7d")
	f("1:act:rollback:a 50:act:scale:b", "1:act:rollback:a 20:act:rollback:a 40:act:rollback:c 60:act:rollback:a",
		"new:20:a new:40:c old:50:b new:60:a", "sent 3 more rollbacks (4 instead of 1) and 1 fewer scale (0 instead of 1) in 7d")
	f("1:act:rollback:a", "1:suppress:rollback:a", "old:1:a new:1:a", "sent 1 fewer rollback (0 instead of 1) in 7d")
	f("1:suppress:rollback:a", "", "old:1:a", "sent as many commands (0) in 7d, and decided differently 1 time")
}

func TestRoughly(t *testing.T) {
	f := func(d time.Duration, want string) {
		t.Helper()
		if got := roughly(d); got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
	f(0, "0s")
	f(7*24*time.Hour, "7d")
	f(7*24*time.Hour+61*time.Second, "7d")
	f(26*time.Hour+5*time.Minute, "1d 2h")
	f(90*time.Minute, "1h 30m")
	f(89*time.Second, "1m")
}

// A threshold that is raised beyond the incident takes the command away.
func TestRaisedThreshold(t *testing.T) {
	dir := record(t, shopLoad())
	old, next := load(t), load(t, "15x2m/15s", "45x2m/15s")
	before, after := fromFiles(t, during(old), dir), fromFiles(t, during(next), dir)
	d := Compare(before.decisions, after.decisions, Tolerance(old, next))
	if !d.Differ() || len(after.decisions) > 0 || len(d.Only) != len(before.decisions) {
		t.Errorf("%q instead of %q", verbs(after.decisions), verbs(before.decisions))
	}
	if diff := cmp.Diff([]ActionCount{{"rollback", 1, 0}}, d.Actions); diff != "" {
		t.Error(diff)
	}
	// A text that says the same in other words decides the same.
	same := load(t, "name: shop", "name: store", `finding.severity == "page"`, `"page" == finding.severity`)
	d = Compare(before.decisions, fromFiles(t, during(same), dir).decisions, Tolerance(old, same))
	if d.Differ() {
		t.Errorf("%+v", d)
	}
}
