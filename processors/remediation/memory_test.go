package remediation

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/remediation/memory"
	"github.com/google/go-cmp/cmp"
)

// keys returns the keys of what the machine remembers of commands and cooldowns.
func keys(m *Machine) []string {
	var out []string
	for _, s := range m.Snapshot() {
		if strings.HasPrefix(s.Key, "decide/clock") || strings.HasPrefix(s.Key, "decide/commanded/") || strings.HasPrefix(s.Key, "decide/cooldown/") {
			out = append(out, s.Key)
		}
	}
	return out
}

// tick moves the clock by a finding that no rule wants.
func tick(when time.Duration) *flyball.Finding {
	return page("tick", "tick", when, func(f *flyball.Finding) { f.Severity = "info" })
}

func TestForgets(t *testing.T) {
	m := machine(t, rollback())
	one := page("f1", "cart", 0)
	stay := page("f2", "pay", 0)
	f := func(findings []*flyball.Finding, want ...string) {
		t.Helper()
		m.Step(input(findings...))
		m.Commit()
		if d := cmp.Diff(want, keys(m)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
	const clock, one1, stay1 = "decide/clock", `decide/commanded/["rollback","f1"]`, `decide/commanded/["rollback","f2"]`
	cart, pay := `decide/cooldown/["rollback","deploy/cart"]`, `decide/cooldown/["rollback","deploy/pay"]`

	f([]*flyball.Finding{one, stay}, clock, one1, stay1, cart, pay)
	f([]*flyball.Finding{later(one, flyball.FindingResolved, 30*time.Minute)}, clock, one1, stay1, cart, pay)
	f([]*flyball.Finding{tick(memory.LateBy)}, clock, one1, stay1, cart, pay)                              // cooldown and lateness are not over
	f([]*flyball.Finding{tick(memory.LateBy + memory.SweepEvery)}, clock, one1, stay1)                     // they are
	f([]*flyball.Finding{tick(30*time.Minute + memory.ResolvedFor - 1)}, clock, one1, stay1)               // not yet an hour
	f([]*flyball.Finding{tick(30*time.Minute + memory.ResolvedFor)}, clock, stay1)                         // resolved for an hour
	f([]*flyball.Finding{tick(memory.OpenFor)}, clock, stay1)                                              // never resolved
	f([]*flyball.Finding{tick(memory.OpenFor + memory.SweepEvery)}, clock)                                 // forgotten
	f([]*flyball.Finding{later(stay, flyball.FindingUpdated, memory.OpenFor+2*memory.SweepEvery)}, clock)  // but not commanded again
	f([]*flyball.Finding{later(one, flyball.FindingUpdated, memory.OpenFor+2*memory.SweepEvery+1)}, clock) //
}

func TestRefusesWhatItMayHaveForgotten(t *testing.T) {
	f := func(want string, findings ...*flyball.Finding) {
		t.Helper()
		ready := machine(t, rollback()).Step(input(findings...))
		last := ready.Decisions[len(ready.Decisions)-1]
		var reasons []string
		for _, g := range last.Gates {
			if !g.Pass {
				reasons = append(reasons, g.Gate+": "+g.Reason)
			}
		}
		if got := strings.Join(reasons, "; "); last.Verb != flyball.VerbSuppress || got != want {
			t.Errorf("got %s %q, want %q", last.Verb, got, want)
		}
	}
	f("cooldown: the finding is 1h0m1s late: older cooldowns are forgotten",
		tick(2*time.Hour), page("f1", "cart", 59*time.Minute+59*time.Second))
	f("duplicate: the finding opened at 2026-01-01T00:00:00Z: what was sent longer than 720h0m0s ago is forgotten",
		later(page("f1", "cart", 0), flyball.FindingUpdated, memory.OpenFor+1))
}

func TestFullMemoryRefuses(t *testing.T) {
	m := machine(t, rollback())
	for i := range memory.Max {
		id := fmt.Sprint(i)
		m.memory.Commanded.Rows[memory.Key{"rollback", id}] = memory.Commanded{Rule: "rollback", Finding: id, At: start, OpenedAt: start, ResolvedAt: flyball.NoTime}
		m.memory.Cooldowns.Rows[memory.Key{"rollback", id}] = memory.Cooling{Action: "rollback", Target: id, At: start}
	}
	if got, want := story(m.Step(input(page("f1", "cart", 0)))), "suppress rollback f1.1 deploy/cart -duplicate -cooldown\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestMissedFindingsRefuse: a finding that there was no room for is still open when
// there is room again, so that what rests on knowing all of them goes on refusing until
// it is heard of again.
func TestMissedFindingsRefuse(t *testing.T) {
	m := machine(t, rollback())
	for i := range memory.Max - 1 {
		f := *tick(0)
		f.ID, f.Entity = fmt.Sprint(i), "other"
		m.memory.Open.Rows[memory.Key{f.ID}] = memory.OpenFinding{Finding: f}
	}
	f := func(want string, log ...*flyball.Finding) {
		t.Helper()
		if got := story(m.Step(input(log...))); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		m.Commit()
	}
	first, missed := page("f1", "cart", 0), page("f2", "pay", time.Minute)
	const held = " -widespread -dependency -budget_guard\n"
	f("suppress rollback f1.1 deploy/cart"+held, first)                                  // the last that there is room for
	f("suppress rollback f2.1 deploy/pay"+held, missed)                                  // one too many
	f("", later(first, flyball.FindingResolved, 2*time.Minute))                          // there is room again
	f("suppress rollback f3.1 deploy/a"+held, page("f3", "a", 3*time.Minute))            // f2 is not known
	f("", later(page("f3", "a", 3*time.Minute), flyball.FindingResolved, 4*time.Minute)) // room again
	f("", later(missed, flyball.FindingResolved, 5*time.Minute))
	m.memory.Open.Del(memory.Key{"0"})
	f("act rollback f4.1 deploy/b\n", page("f4", "b", 6*time.Minute))
}

// TestBurnsThatCannotBeRead: a service whose budget burns nobody knows how fast is not
// acted on by what is not essential, also when the burn is that of another entity of it.
func TestBurnsThatCannotBeRead(t *testing.T) {
	mend := rollback(func(r *flyball.Rule) { r.When = `finding.kind == "anomaly"` })
	anomaly := func(f *flyball.Finding) {
		f.Kind, f.Entity, f.Labels = "anomaly", "cart-7", flyball.LabelsOf("service", "cart", "service.name", "cart")
	}
	f := func(want string, evidence ...flyball.Evidence) {
		t.Helper()
		burn := page("f1", "cart", 0, func(f *flyball.Finding) { f.Evidence = evidence })
		if got := story(machine(t, mend).Step(input(burn, page("f2", "cart", time.Minute, anomaly)))); got != want {
			t.Errorf("%v: got %q, want %q", evidence, got, want)
		}
	}
	held := "suppress rollback f2.1 deploy/cart -budget_guard\n"
	f(held)
	f(held, flyball.Evidence{Name: "burn_long", Value: 1, Unit: "x", Window: "soon"})
	f(held, flyball.Evidence{Name: "burn_long", Value: 3, Unit: "x", Window: "1h"})
	f("act rollback f2.1 deploy/cart\n", flyball.Evidence{Name: "burn_long", Value: 3, Unit: "x", Window: "3d"})
	f("act rollback f2.1 deploy/cart\n", flyball.Evidence{Name: "burn_long", Value: 1, Unit: "x", Window: "1h"})
}

func TestAbortTakesBack(t *testing.T) {
	m := machine(t, rollback())
	m.Step(input(page("f1", "cart", 0)))
	m.Commit()
	before := m.Snapshot()
	next := input(page("f2", "pay", 3*time.Hour), later(page("f1", "cart", 0), flyball.FindingResolved, 3*time.Hour), tick(5*time.Hour))
	first := m.Step(next)
	if cmp.Equal(before, m.Snapshot()) {
		t.Fatal("the step changes nothing, the test says nothing")
	}
	m.Abort()
	if d := cmp.Diff(before, m.Snapshot()); d != "" {
		t.Errorf("after the abort (-want +got):\n%s", d)
	}
	if d := cmp.Diff(first, m.Step(next)); d != "" {
		t.Errorf("the same step again (-first +again):\n%s", d)
	}
}

func TestRestoreRefuses(t *testing.T) {
	f := func(key, value, want string) {
		t.Helper()
		err := machine(t, rollback()).Restore(key, []byte(value))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", key, err, want)
		}
	}
	f("evaluate/x", `{}`, `cannot restore state "evaluate/x": the key is unknown`)
	f("decide/other", `{}`, "the key is unknown")
	f("decide/clock", `{`, "unexpected end of JSON")
	f("decide/clock", `{"at":"soon"}`, "want RFC 3339")
	f("decide/commanded/x", `{}`, "the key has not the parts that it must have")
	f(`decide/commanded/["a"]`, `{}`, "the key has not the parts that it must have")
	f(`decide/commanded/["a","b"]`, `{"rule":"a","finding":"c"}`, `the value is that of key ["a" "c" ""]`)
	f(`decide/cooldown/["a","b","c"]`, `{}`, "the value is that of key")
	f(`decide/cooldown/["a","b"]`, `{"action":"a","target":"b","observed":true}`, "the value is that of key")
}
