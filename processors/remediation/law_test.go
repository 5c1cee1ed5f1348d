package remediation

import (
	"fmt"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/remediation/gate"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// lawRules want the same actions on the same targets in several ways.
func lawRules() []flyball.Rule {
	return []flyball.Rule{
		rollback(),
		rollback(observe, func(r *flyball.Rule) { r.Name, r.Cooldown = "watch", 20*time.Minute }),
		rollback(func(r *flyball.Rule) { r.Name, r.When, r.Cooldown = "eager", `finding.revision >= 2`, 0 }),
		rollback(func(r *flyball.Rule) {
			r.Name, r.When, r.Action.Name = "undo", `finding.state == "resolved"`, "scale_down"
		}),
		rollback(func(r *flyball.Rule) { r.Name, r.When, r.Action.Name = "broken", `finding.evidence.score > 1`, "page" }),
	}
}

// drawLog draws findings of a few services, each opened, updated and resolved in
// order, with times that go forward on the whole and now and then jump.
func drawLog(t *rapid.T) Input {
	var in Input
	open := map[string]*flyball.Finding{}
	clock := time.Duration(0)
	for i := range rapid.IntRange(1, 60).Draw(t, "records") {
		clock += time.Duration(rapid.SampledFrom([]int{0, 1, 10, 60, 300, 600, 4000, 90_000, 1_000_000}).Draw(t, "step")) * time.Second
		when := max(0, clock-time.Duration(rapid.SampledFrom([]int{0, 0, 0, 30, 400, 3500, 7300}).Draw(t, "late"))*time.Second)
		service := rapid.SampledFrom([]string{"cart", "pay", ""}).Draw(t, "service")
		slot := service + rapid.SampledFrom([]string{"a", "b"}).Draw(t, "slot")
		f := open[slot]
		if f == nil {
			f = page(fmt.Sprintf("%s-%d", slot, i), service, when)
		} else {
			state := rapid.SampledFrom([]flyball.FindingState{flyball.FindingUpdated, flyball.FindingUpdated, flyball.FindingResolved}).Draw(t, "state")
			f = later(f, state, when)
		}
		f.Severity = rapid.SampledFrom([]string{"page", "page", "ticket"}).Draw(t, "severity")
		f.Incomplete = rapid.IntRange(0, 5).Draw(t, "incomplete") == 0
		open[slot] = f
		if f.State == flyball.FindingResolved {
			delete(open, slot)
		}
		in = append(in, Entry{Finding: f})
	}
	return in
}

// topic is the compacted state topic.
type topic map[string][]byte

func (s topic) apply(changes []processors.StateChange) {
	for _, c := range changes {
		if c.Value == nil {
			delete(s, c.Key)
		} else {
			s[c.Key] = c.Value
		}
	}
}

// run drives a machine over the log as the pipeline does: in transactions of any
// number of steps, some of which abort and come again in other pieces, with
// restarts between them.
func run(t *rapid.T, in Input) (processors.Ready, topic) {
	var all processors.Ready
	state := topic{}
	m := lawMachine(t)
	for len(in) > 0 {
		if rapid.IntRange(0, 4).Draw(t, "restart") == 0 {
			m = lawMachine(t)
			for k, v := range state {
				if err := m.Restore(k, v); err != nil {
					t.Fatal(err)
				}
			}
		}
		var txn []processors.Ready
		n := rapid.IntRange(1, len(in)).Draw(t, "transaction")
		for at := 0; at < n; {
			to := rapid.IntRange(at, n).Draw(t, "piece")
			txn = append(txn, m.Step(in[at:to]))
			at = to
			if to < n && rapid.IntRange(0, 3).Draw(t, "end early") == 0 {
				n = to
			}
		}
		if rapid.IntRange(0, 2).Draw(t, "abort") == 0 {
			m.Abort()
			continue
		}
		m.Commit()
		in = in[n:]
		for _, r := range txn {
			all.Decisions = append(all.Decisions, r.Decisions...)
			all.Commands = append(all.Commands, r.Commands...)
			state.apply(r.State)
		}
	}
	snapshot := topic{}
	snapshot.apply(m.Snapshot())
	if d := cmp.Diff(state, snapshot); d != "" {
		t.Fatalf("the state topic is not what the machine remembers (-topic +machine):\n%s", d)
	}
	return all, state
}

func lawMachine(t *rapid.T) *Machine {
	m, err := New(Config{Rules: lawRules(), Guardrails: []gate.Guardrail{everywhere()}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestLawSameDecisionsHoweverCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawLog(t)
		m := lawMachine(t)
		whole := m.Step(in)
		m.Commit()
		wantState := topic{}
		wantState.apply(whole.State)

		got, state := run(t, in)
		if d := cmp.Diff(whole.Decisions, got.Decisions, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("decisions (-in one step +in pieces):\n%s", d)
		}
		if d := cmp.Diff(whole.Commands, got.Commands, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("commands (-in one step +in pieces):\n%s", d)
		}
		if d := cmp.Diff(wantState, state); d != "" {
			t.Fatalf("state (-in one step +in pieces):\n%s", d)
		}
	})
}

func TestLawNeverTwice(t *testing.T) {
	cooldowns := map[string]time.Duration{}
	for _, r := range lawRules() {
		cooldowns[r.Name] = r.Cooldown
	}
	sent := 0
	rapid.Check(t, func(t *rapid.T) {
		ready := lawMachine(t).Step(drawLog(t))
		once, ids := map[string]bool{}, map[string]bool{}
		for i, c := range ready.Commands {
			sent++
			key := c.Reason.Rule + " for " + c.Reason.Finding
			if once[key] || ids[c.ID] {
				t.Fatalf("two commands of %s", key)
			}
			once[key], ids[c.ID] = true, true
			if c.Target == "" || c.Target == "deploy/" {
				t.Fatalf("a command without a target: %+v", c)
			}
			for _, other := range ready.Commands[:i] {
				wait := max(cooldowns[c.Reason.Rule], cooldowns[other.Reason.Rule])
				if c.Action.Name == other.Action.Name && c.Target == other.Target && c.At.Sub(other.At) < wait {
					t.Fatalf("%s at %s and at %s on %s, cooldown %s", c.Action.Name, other.At, c.At, c.Target, wait)
				}
			}
		}
		acted := 0
		for _, d := range ready.Decisions {
			if d.Verb == flyball.VerbAct {
				acted++
				if !ids[d.Command] {
					t.Fatalf("decision %s names a command that was not sent", d.ID)
				}
			} else if d.Command != "" {
				t.Fatalf("decision %s to %s names a command", d.ID, d.Verb)
			}
		}
		if acted != len(ready.Commands) {
			t.Fatalf("%d decisions to act, %d commands", acted, len(ready.Commands))
		}
	})
	if sent == 0 {
		t.Error("no command was sent: the law was not tested")
	}
}

func BenchmarkStep(b *testing.B) {
	rules := []flyball.Rule{rollback()}
	for i := range 9 {
		rules = append(rules, rollback(func(r *flyball.Rule) {
			r.Name = fmt.Sprint("rule", i)
			r.When = fmt.Sprintf(`finding.kind == "anomaly" && finding.evidence.score > %d && finding.labels.team == "t%d"`, i, i)
		}))
	}
	f := func(name string, severity string) {
		b.Run(name, func(b *testing.B) {
			m := machine(b, rules...)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				fd := page(fmt.Sprint("f", i), fmt.Sprint("s", i%1000), time.Duration(i)*time.Second, func(f *flyball.Finding) { f.Severity = severity })
				m.Step(Input{{Finding: fd}, {Finding: later(fd, flyball.FindingResolved, time.Duration(i)*time.Second)}})
				m.Commit()
			}
			b.ReportMetric(float64(b.N)*2/b.Elapsed().Seconds(), "findings/s")
		})
	}
	f("10 rules, none wants it", "ticket")
	f("10 rules, one decides", "page")
}
