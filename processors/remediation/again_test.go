package remediation

import (
	"strings"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/remediation/gate"
	"github.com/flyball-io/flyball/processors/topology"
)

// TestAskedAgain: a rule is asked once more about a finding that has not changed, when what
// is around it has, and all that happened until then is known.
func TestAskedAgain(t *testing.T) {
	mark := func(when time.Duration, edges ...topology.Edge) Entry {
		return Entry{Watermark: &Watermark{Partition: 0, Of: 1, At: at(when), Edges: edges}}
	}
	f := func(name, when string, log Input, want string) {
		t.Helper()
		mend := rollback(func(r *flyball.Rule) { r.Name, r.When, r.Action.Name, r.Deadline = "mend", when, "mend", 48*time.Hour })
		m, err := New(Config{Rules: []flyball.Rule{mend}, Guardrails: []gate.Guardrail{everywhere()},
			Topology: gate.Topology{Needs: map[string][]string{"cart": {"db"}}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := story(m.Step(log)); got != strings.TrimLeft(want, "\n") {
			t.Errorf("%s: got\n%swant\n%s", name, got, want)
		}
	}
	db, cart := page("f1", "db", 0), page("f2", "cart", time.Minute)
	well := later(db, flyball.FindingResolved, 2*time.Minute)
	const held = "suppress mend f2.1 deploy/cart -dependency\n"
	f("what was held acts", `finding.entity == "cart"`, entries(db, cart, well, mark(3*time.Minute)), held+"act mend f2.1 deploy/cart\n")
	f("not before all is known", `finding.entity == "cart"`, entries(db, cart, well, mark(90*time.Second)), held)
	f("not when it has recovered too", `finding.entity == "cart"`,
		entries(db, cart, well, later(cart, flyball.FindingResolved, 2*time.Minute), mark(3*time.Minute)), held)
	f("not while something else is wrong there", `finding.entity == "cart"`,
		entries(db, page("f3", "db", time.Minute), cart, well, mark(3*time.Minute)), held)
	f("not what other gates held", `finding.entity == "cart"`,
		entries(page("f1", "pay", 0), page("f2", "cart", time.Minute, func(f *flyball.Finding) { f.Incomplete = true }),
			later(page("f1", "pay", 0), flyball.FindingResolved, 2*time.Minute), mark(3*time.Minute)), "suppress mend f2.1 deploy/cart -data_complete\n")
	f("a neighbour opens", `finding.entity == "db" && downstream.findings.size() > 0`, entries(db, cart, mark(3*time.Minute)), "act mend f1.1 deploy/db\n")
	f("a neighbour is well, without a trace until then", `finding.entity == "cart" && upstream.findings.size() == 0`,
		entries(db, cart, well, mark(3*time.Minute)), "act mend f2.1 deploy/cart\n")
	f("once", `finding.entity == "cart" && entity.findings.size() < 5`,
		entries(cart, page("f4", "db", 2*time.Minute), later(page("f4", "db", 2*time.Minute), flyball.FindingResolved, 3*time.Minute), mark(5*time.Minute)), "act mend f2.1 deploy/cart\n")
}

// TestLearnedFromCalls: pairs that watermarks carry are what the gate dependency goes by,
// until they are forgotten; what a service is declared to need counts for more.
func TestLearnedFromCalls(t *testing.T) {
	mend := rollback(func(r *flyball.Rule) {
		r.Name, r.When, r.Action.Name, r.Cooldown, r.Deadline = "mend", `finding.entity != "db"`, "mend", 0, 48*time.Hour
	})
	m, err := New(Config{Rules: []flyball.Rule{mend}, Guardrails: []gate.Guardrail{everywhere()}, Topology: gate.Topology{Needs: map[string][]string{"pay": nil}}})
	if err != nil {
		t.Fatal(err)
	}
	mark := func(when time.Duration, edges ...topology.Edge) Entry {
		return Entry{Watermark: &Watermark{Partition: 0, Of: 1, At: at(when), Edges: edges}}
	}
	calls := []topology.Edge{{From: "cart", To: "db", At: at(0)}, {From: "pay", To: "db", At: at(0)}}
	got := story(m.Step(entries(mark(time.Minute, calls...), page("f1", "db", time.Minute), page("f2", "cart", 2*time.Minute), page("f3", "pay", 2*time.Minute))))
	if want := "suppress mend f2.1 deploy/cart -dependency\nact mend f3.1 deploy/pay\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	// A day after they last called nothing is known of it, and what was held is asked again.
	got = story(m.Step(entries(mark(24*time.Hour+11*time.Minute), mark(24*time.Hour+30*time.Minute))))
	if want := "act mend f2.1 deploy/cart\n"; !strings.HasSuffix(got, want) {
		t.Errorf("got\n%swant it to end in\n%s", got, want)
	}
}
