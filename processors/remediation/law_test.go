package remediation

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/remediation/gate"
	"github.com/flyball-io/flyball/processors/remediation/memory"
	"github.com/flyball-io/flyball/processors/topology"
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
		rollback(func(r *flyball.Rule) {
			r.Name, r.Mode, r.Action.Name, r.For, r.Approval = "ask", flyball.ModeApprove, "replace", 2*time.Minute, 20*time.Minute
		}),
		rollback(func(r *flyball.Rule) {
			r.Name, r.Action.Name, r.Cooldown, r.Priority, r.Redirect = "steps", "restart", 0, 1, true
			r.Verify = flyball.Verify{Within: 5 * time.Minute, Stabilisation: time.Minute, Worse: `finding.revision >= 2`}
			r.Escalate = []flyball.Action{{Name: "scale"}, {Name: "replace"}}
			r.Compensation = flyball.Action{Name: "unrestart"}
		}),
		rollback(func(r *flyball.Rule) {
			r.Name, r.Action.Name, r.Cooldown, r.For = "around", "drain", 0, time.Minute
			r.When = `entity.findings.exists(f, f.severity == "page") || upstream.findings.size() + downstream.findings.size() > 0 ||
				history.change("deploy/" + finding.labels.service).known || history.outcomes("rollback", "deploy/cart").done > 1`
		}),
		rollback(func(r *flyball.Rule) {
			r.Name, r.Action.Name, r.Cooldown = "alone", "isolate", 0
			r.When = `upstream.findings.size() == 0 && changes.all(c, c.kind != "deployed" || c.age > duration("5m"))`
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
	var seen []*flyball.Finding
	shadow := lawMachine(t) // to know which commands an executor may have
	var commands []flyball.Command
	add := func(e Entry) {
		in = append(in, e)
		commands = append(commands, shadow.Step(Input{e}).Commands...)
		shadow.Commit()
	}
	for i := range rapid.IntRange(1, lawRecords).Draw(t, "records") {
		if len(seen) > 0 && rapid.IntRange(0, 2).Draw(t, "said") == 0 {
			add(drawSaying(t, seen, commands, clock, i))
			continue
		}
		clock += time.Duration(rapid.SampledFrom([]int{0, 1, 10, 60, 300, 600, 4000, 90_000, 1_000_000}).Draw(t, "step")) * time.Second
		when := max(0, clock-time.Duration(rapid.SampledFrom([]int{0, 0, 0, 30, 400, 3500, 7300}).Draw(t, "late"))*time.Second)
		service := rapid.SampledFrom([]string{"cart", "pay", "", "cart", "pay", "", "cart", "db"}).Draw(t, "service")
		slot := service + rapid.SampledFrom([]string{"a", "b"}).Draw(t, "slot")
		f := open[slot]
		if f == nil {
			f = page(fmt.Sprintf("%s-%d", slot, i), service, when)
			if rapid.IntRange(0, 15).Draw(t, "calls") == 15 {
				f.Labels = flyball.LabelsOf("service", service, memory.PeerLabel, "db")
			}
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
		add(Entry{Finding: f})
		seen = append(seen, f)
	}
	return in
}

// drawSaying draws what an executor or a person says, or a watermark.
func drawSaying(t *rapid.T, seen []*flyball.Finding, commands []flyball.Command, clock time.Duration, i int) Entry {
	f := rapid.SampledFrom(seen).Draw(t, "about")
	id := operationID(rapid.SampledFrom(lawRules()).Draw(t, "rule").Name, f.ID)
	target := "deploy/" + f.Entity
	control := func(c flyball.Control) Entry {
		c.ID, c.At, c.Who, c.Why = fmt.Sprint("c", i), at(clock), "ann", rapid.SampledFrom([]string{"a", "b"}).Draw(t, "why")
		return Entry{Control: &c}
	}
	scope := flyball.Scope{Kind: flyball.ScopeGlobal}
	if rapid.Bool().Draw(t, "scoped") {
		scope = flyball.Scope{Kind: flyball.ScopeService, Name: "cart"}
	}
	switch rapid.IntRange(0, 15).Draw(t, "what") {
	case 0:
		return control(flyball.Control{Kind: flyball.ControlApprove, Operation: id})
	case 1:
		return control(flyball.Control{Kind: flyball.ControlReject, Operation: id})
	case 2:
		return control(flyball.Control{Kind: rapid.SampledFrom([]flyball.ControlKind{flyball.ControlPause, flyball.ControlKill}).Draw(t, "hold"), Scope: scope})
	case 3:
		return control(flyball.Control{Kind: flyball.ControlResume, Scope: scope})
	case 4:
		return control(flyball.Control{Kind: flyball.ControlRelease, Target: target})
	case 5:
		return control(flyball.Control{Kind: flyball.ControlResetBreaker, Guardrail: "all", Backlog: rapid.SampledFrom([]string{flyball.BacklogSkip, flyball.BacklogReplay}).Draw(t, "backlog")})
	case 8:
		c := flyball.Control{Kind: flyball.ControlChange, Target: target}
		if rapid.Bool().Draw(t, "deployed") {
			c.Change = &flyball.Change{Entity: f.Entity, Kind: "deployed", Version: "42"}
		}
		return control(c)
	case 6, 7:
		w := &Watermark{Partition: int32(rapid.IntRange(0, 1).Draw(t, "partition")), Of: 2, At: at(clock)}
		if rapid.IntRange(0, 3).Draw(t, "called") == 0 {
			w.Edges = []topology.Edge{{From: rapid.SampledFrom([]string{"cart", "pay"}).Draw(t, "caller"), To: "db", At: at(clock).Floor(time.Hour)}}
		}
		return Entry{Watermark: w}
	}
	class := rapid.SampledFrom(append(flyball.OutcomeClasses(), flyball.OutcomeSucceeded, flyball.OutcomeSucceeded)).Draw(t, "class")
	o := &flyball.Outcome{ID: fmt.Sprint("o", i), Class: class, At: at(clock), OperationID: id, Attempt: 1}
	if len(commands) > 0 {
		c := commands[len(commands)-1-rapid.IntRange(0, min(2, len(commands)-1)).Draw(t, "command")]
		o.OperationID, o.Attempt = c.OperationID, c.Attempt
	}
	return Entry{Outcome: o}
}

// lawGuardrail has caps that are easy to reach.
func lawGuardrail() gate.Guardrail {
	return everywhere(func(g *gate.Guardrail) {
		g.Limits = []gate.RateLimit{{Per: gate.PerAction, Max: 2, Window: 10 * time.Minute}, {Per: gate.PerGuardrail, Max: 4, Window: time.Hour}}
		g.Concurrent = gate.Concurrency{Total: 2}
		g.Blast = &gate.BlastRadius{Fleet: 4, Percent: 50, Window: 30 * time.Minute}
	})
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
			all.Findings = append(all.Findings, r.Findings...)
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

// lawPrototype is compiled once: rules do not change, and compiling takes longer than
// all else.
var lawPrototype = sync.OnceValues(func() (*Machine, error) {
	return New(Config{Rules: lawRules(), Guardrails: []gate.Guardrail{lawGuardrail()}, Topology: gate.Topology{Needs: map[string][]string{"cart": {"db"}}}})
})

func lawMachine(t *rapid.T) *Machine {
	proto, err := lawPrototype()
	if err != nil {
		t.Fatal(err)
	}
	m := *proto
	m.memory = memory.New(longestCooldowns(lawRules()))
	return &m
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
		if d := cmp.Diff(whole.Findings, got.Findings, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("findings (-in one step +in pieces):\n%s", d)
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
			key := fmt.Sprint(c.OperationID, c.Attempt)
			if once[key] || ids[c.ID] {
				t.Fatalf("two commands of %s", key)
			}
			once[key], ids[c.ID] = true, true
			if c.Target == "" || c.Target == "deploy/" {
				t.Fatalf("a command without a target: %+v", c)
			}
			for _, other := range ready.Commands[:i] {
				wait := max(cooldowns[c.Reason.Rule], cooldowns[other.Reason.Rule])
				if wait > 0 && c.Attempt == 1 && c.Compensates == "" && other.Compensates == "" && c.Action.Name == other.Action.Name && c.Target == other.Target && c.At.Sub(other.At) < wait {
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

// TestLawCaps: no interleaving of findings, outcomes and controls gives two live
// commands for one target, or one beyond a cap, however the log is cut. What is live
// is told by the decisions alone.
func TestLawCaps(t *testing.T) {
	sent, closed, undone := 0, 0, 0
	verbs := map[flyball.Verb]int{}
	rapid.Check(t, func(t *rapid.T) {
		ready, _ := run(t, drawLog(t))
		live := map[string]string{} // target → operation
		commands := map[string]flyball.Command{}
		for _, c := range ready.Commands {
			commands[c.ID] = c
		}
		var all []flyball.Command // in the order in which they were sent
		for _, d := range ready.Decisions {
			verbs[d.Verb]++
			switch d.Verb {
			case flyball.VerbAct:
				c := commands[d.Command]
				if other, busy := live[c.Target]; busy && other != c.OperationID {
					t.Fatalf("%s gets a command of operation %s while %s is live", c.Target, c.OperationID, other)
				}
				live[c.Target] = c.OperationID
				if len(live) > 2 {
					t.Fatalf("%d operations are live, the cap is 2", len(live))
				}
				sent++
				if c.Compensates != "" {
					undone++
				}
				all = append(all, c)
			case flyball.VerbFail, flyball.VerbClose, flyball.VerbEffective, flyball.VerbIneffective, flyball.VerbWorse,
				flyball.VerbRelease, flyball.VerbPage:
				if live[d.Target] == d.Operation {
					delete(live, d.Target)
					closed++
				}
			}
		}
		caps(t, all)
	})
	if sent == 0 || closed == 0 || undone == 0 && lawRecords > 20 { // short logs seldom get that far
		t.Errorf("%d commands, %d operations over, %d undone, %v: the law was not tested", sent, closed, undone, verbs)
	}
}

// caps checks the limits of lawGuardrail. What undoes is counted and never held.
func caps(t *rapid.T, all []flyball.Command) {
	for i, c := range all {
		if c.Compensates != "" {
			continue
		}
		action, total, targets := 0, 0, map[string]bool{}
		for _, other := range all[:i+1] {
			since := c.At.Sub(other.At)
			if since >= 0 && since < 10*time.Minute && other.Action.Name == c.Action.Name {
				action++
			}
			if since >= 0 && since < time.Hour {
				total++
			}
			if since >= 0 && since < 30*time.Minute {
				targets[other.Target] = true
			}
		}
		if action > 2 || total > 4 || len(targets) > 2 {
			t.Fatalf("command %d at %s: %d of %s in 10m, %d in 1h, %d targets in 30m", i, c.At, action, c.Action.Name, total, len(targets))
		}
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
