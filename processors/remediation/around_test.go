package remediation

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/remediation/gate"
	"github.com/flyball-io/flyball/processors/remediation/memory"
)

// TestConditionsAround: conditions see what the log has told before, and are asked again
// when a hold is over.
func TestConditionsAround(t *testing.T) {
	f := func(name, when string, hold time.Duration, log Input, want string) {
		t.Helper()
		mend := rollback(func(r *flyball.Rule) { r.Name, r.When, r.For, r.Action.Name = "mend", when, hold, "mend" })
		m, err := New(Config{Rules: []flyball.Rule{mend}, Guardrails: []gate.Guardrail{everywhere()},
			Topology: gate.Topology{Needs: map[string][]string{"cart": {"stock"}, "stock": {"db"}}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := story(m.Step(log)); got != strings.TrimLeft(want, "\n") {
			t.Errorf("%s: got\n%swant\n%s", name, got, want)
		}
	}
	info := func(f *flyball.Finding) { f.Severity = "info" }
	db, cart := page("f1", "db", 0, info), page("f2", "cart", time.Minute)
	mark := Entry{Watermark: &Watermark{Partition: 0, Of: 1, At: at(10 * time.Minute)}}
	change := func(when time.Duration) Entry {
		return Entry{Control: &flyball.Control{ID: "c", Kind: flyball.ControlChange, At: at(when), Who: "bob", Why: "deploy", Target: "deploy/cart"}}
	}
	f("upstream", `upstream.findings.exists(f, f.entity == "db") && finding.entity == "cart"`, 0, entries(db, cart), "suppress mend f2.1 deploy/cart -dependency\n")
	f("upstream is well again", `upstream.findings.size() > 0`, 0, entries(db, later(db, flyball.FindingResolved, 30*time.Second), cart), "")
	f("downstream", `downstream.findings.size() == 1 && finding.severity == "info"`, 0, entries(cart, db), "act mend f1.1 deploy/db\n")
	f("not of others", `entity.findings.size() > 0`, 0, entries(db, cart), "")
	f("of the entity", `entity.findings.exists(f, f.id == "f1")`, 0, entries(page("f1", "cart", 0), cart), "act mend f2.1 deploy/cart\n")
	f("a change", `history.change("deploy/cart").age < duration("1m")`, 0, entries(change(30*time.Second), cart), `
control  .0 deploy/cart
act mend f2.1 deploy/cart
`)
	f("a change long ago", `history.change("deploy/cart").age < duration("20s")`, 0, entries(change(30*time.Second), cart), "control  .0 deploy/cart\n")
	f("a hold whose condition is over", `entity.findings.size() > 0`, 5*time.Minute,
		entries(page("f1", "cart", 0), cart, later(page("f1", "cart", 0), flyball.FindingResolved, 2*time.Minute), mark), "suppress mend f2.1 deploy/cart -condition\n")
	f("outcomes", `history.outcomes("mend", "deploy/cart").failed == 0`, 0, entries(cart, told("mend", "f2", 1, flyball.OutcomePermanent, 2*time.Minute),
		later(cart, flyball.FindingResolved, 3*time.Minute), page("f3", "cart", 10*time.Minute)), `
act mend f2.1 deploy/cart
failed mend f2.1 deploy/cart
page mend f2.1 deploy/cart
`)
}

// TestRedirect: what depends on something that is in trouble itself is aimed at that,
// once, however many depend on it, with the gates asked about that.
func TestRedirect(t *testing.T) {
	mend := rollback(func(r *flyball.Rule) {
		r.When, r.Redirect, r.Escalate = `finding.entity != "db"`, true, []flyball.Action{{Name: "replace"}}
	})
	needs := gate.Topology{Needs: map[string][]string{"cart": {"stock"}, "shop": {"stock"}, "stock": {"db"}}}
	f := func(name string, rule flyball.Rule, guardrail gate.Guardrail, log Input, want string) {
		t.Helper()
		m, err := New(Config{Rules: []flyball.Rule{rule}, Guardrails: []gate.Guardrail{guardrail}, Topology: needs})
		if err != nil {
			t.Fatal(err)
		}
		if got := story(m.Step(log)); got != strings.TrimLeft(want, "\n") {
			t.Errorf("%s: got\n%swant\n%s", name, got, want)
		}
	}
	db, stock := page("f1", "db", 0), page("f2", "stock", time.Minute)
	cart, shop := page("f3", "cart", 2*time.Minute), page("f4", "shop", 10*time.Minute)
	f("to the root", mend, everywhere(), entries(db, stock, cart), `
suppress rollback f2.1 deploy/stock -dependency
act rollback f1.1 deploy/db
grouped rollback f3.1 deploy/db
suppress rollback f3.1 deploy/cart -loop -dependency
`)
	f("on and on", mend, everywhere(), entries(db, cart, told("rollback", "f1", 1, flyball.OutcomePermanent, 3*time.Minute),
		told("rollback", "f1", 2, flyball.OutcomeSucceeded, 4*time.Minute), later(db, flyball.FindingResolved, 5*time.Minute)), `
suppress rollback f3.1 deploy/cart -dependency
act rollback f1.1 deploy/db
failed rollback f1.1 deploy/db
act rollback f1.1 deploy/db
verifying rollback f1.1 deploy/db
effective rollback f1.0 deploy/db
`)
	f("not when what it was for is over", mend, everywhere(), entries(db, cart, later(cart, flyball.FindingResolved, 2*time.Minute),
		told("rollback", "f1", 1, flyball.OutcomePermanent, 3*time.Minute)), `
suppress rollback f3.1 deploy/cart -dependency
act rollback f1.1 deploy/db
failed rollback f1.1 deploy/db
suppress rollback f1.1 deploy/db -condition
`)
	only := everywhere(func(g *gate.Guardrail) {
		g.Select = []flyball.Matcher{{Name: "entity", Op: flyball.MatchEqual, Value: "cart"}}
	})
	f("not out of scope", mend, only, entries(db, cart), `
suppress rollback f3.1 deploy/cart -dependency
suppress rollback f1.1 deploy/db -scope
`)
	late := mend
	late.Mode = flyball.ModeObserve
	f("observed", late, everywhere(), entries(db, shop), `
suppress rollback f4.1 deploy/shop -mode -dependency
observe rollback f1.1 deploy/db -mode
`)
	f("not when something else is against it", mend, everywhere(), entries(db, page("f5", "shop", time.Minute, incomplete)), "suppress rollback f5.1 deploy/shop -data_complete -dependency\n")
}

// TestLearnsCalls: a finding about calls tells who calls whom, for a day after it.
func TestLearnsCalls(t *testing.T) {
	mend := rollback(func(r *flyball.Rule) {
		r.When, r.Cooldown = `finding.severity == "page" && finding.labels.peer == ""`, 0
	})
	calls := func(id, peer string, when time.Duration) *flyball.Finding {
		return page(id, "cart", when, func(f *flyball.Finding) {
			f.Labels = flyball.LabelsOf("service", "cart", memory.PeerLabel, peer)
			f.Evidence = []flyball.Evidence{{Name: "bad", Value: 3}, {Name: "total", Value: 10}}
		})
	}
	m := machine(t, mend)
	f := func(reason string, findings ...*flyball.Finding) {
		t.Helper()
		ready := m.Step(input(findings...))
		m.Commit()
		d := ready.Decisions[len(ready.Decisions)-1]
		for _, g := range d.Gates {
			if g.Gate == gate.NameDependency && (g.Pass != strings.HasPrefix(g.Reason, "nothing") || g.Reason != reason) {
				t.Errorf("dependency says %t: %s, want %s", g.Pass, g.Reason, reason)
			}
		}
	}
	edge := calls("e1", "db", 0)
	f("cart needs db, calls to which have the open finding e1 of availability (3 of 10 failed)", edge, page("f1", "cart", time.Minute))
	db := page("f2", "db", 3*time.Hour)
	f("cart needs db, which has the open finding f2 of availability", later(edge, flyball.FindingResolved, time.Hour), db, page("f3", "cart", 4*time.Hour))
	f("nothing that cart needs has open findings", page("f4", "cart", 26*time.Hour)) // who calls whom is forgotten
	for i := range memory.MaxEdges + 1 {
		ready := m.Step(input(calls("e2", fmt.Sprint("peer", i), 27*time.Hour)))
		if limited := len(ready.Limited) > 0; limited != (i == memory.MaxEdges) {
			t.Fatalf("edge %d: %v", i, ready.Limited)
		}
	}
}
