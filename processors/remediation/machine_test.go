package remediation

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/remediation/gate"
	"github.com/google/go-cmp/cmp"
)

// start is when the tests begin: 2026-01-01T00:00:00Z, on an edge of sweepEvery.
const start = flyball.Time(1_767_225_600e9)

func at(d time.Duration) flyball.Time { return start.Add(d) }

// rollback is a rule that acts on every page.
func rollback(change ...func(*flyball.Rule)) flyball.Rule {
	r := flyball.Rule{
		Name: "rollback", When: `finding.severity == "page"`,
		Target: "deploy/{{finding.labels.service}}",
		Action: flyball.Action{Name: "rollback", Params: map[string]string{"reason": "{{finding.detector}}"}},
		Mode:   flyball.ModeAuto, Cooldown: 5 * time.Minute, Deadline: 2 * time.Minute,
	}
	for _, c := range change {
		c(&r)
	}
	return r
}

// page is the opening of a finding that rollback acts on.
func page(id, service string, when time.Duration, change ...func(*flyball.Finding)) *flyball.Finding {
	f := &flyball.Finding{
		ID: id, Revision: 1, Kind: "burn_rate", State: flyball.FindingOpened, Severity: "page",
		Entity: service, Labels: flyball.LabelsOf("service", service), Detector: "availability",
		At: at(when), OpenedAt: at(when), Summary: "burns",
		Evidence: []flyball.Evidence{{Name: "burn_long", Value: 20}},
	}
	for _, c := range change {
		c(f)
	}
	return f
}

// later is a further state of f.
func later(f *flyball.Finding, state flyball.FindingState, when time.Duration) *flyball.Finding {
	next := *f
	next.State, next.At, next.Revision = state, at(when), f.Revision+1
	return &next
}

func observe(r *flyball.Rule)       { r.Mode = flyball.ModeObserve }
func incomplete(f *flyball.Finding) { f.Incomplete = true }

// everywhere is a guardrail that lets rules act on everything.
func everywhere(change ...func(*gate.Guardrail)) gate.Guardrail {
	all, err := flyball.ParseMatcher(`entity=~".*"`)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	g := gate.Guardrail{Name: "all", Select: []flyball.Matcher{all}, Mode: flyball.ModeAuto}
	for _, c := range change {
		c(&g)
	}
	return g
}

func machine(t testing.TB, rules ...flyball.Rule) *Machine {
	t.Helper()
	m, err := New(Config{Rules: rules, ConfigRevision: "c1", Guardrails: []gate.Guardrail{everywhere()}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func input(findings ...*flyball.Finding) Input {
	var in Input
	for _, f := range findings {
		in = append(in, Entry{Finding: f})
	}
	return in
}

// told is an outcome of an attempt at the operation of a rule about a finding.
func told(rule, finding string, attempt int, class flyball.OutcomeClass, when time.Duration) Entry {
	return Entry{Outcome: &flyball.Outcome{ID: "o", Class: class, At: at(when), OperationID: operationID(rule, finding), Attempt: attempt}}
}

// entries makes an input of findings and entries.
func entries(items ...any) Input {
	var in Input
	for _, i := range items {
		switch i := i.(type) {
		case *flyball.Finding:
			in = append(in, Entry{Finding: i})
		case Entry:
			in = append(in, i)
		default:
			panic(fmt.Sprintf("BUG: %T is no entry", i))
		}
	}
	return in
}

// story writes decisions as a line each: verb, rule, finding, target and the
// gates that refuse.
func story(r processors.Ready) string {
	var b strings.Builder
	for _, d := range r.Decisions {
		fmt.Fprintf(&b, "%s %s %s.%d %s", d.Verb, d.Rule, d.Finding, d.FindingRevision, d.Target)
		for _, g := range d.Gates {
			if !g.Pass {
				fmt.Fprintf(&b, " -%s", g.Gate)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestStories(t *testing.T) {
	f := func(name string, rules []flyball.Rule, log Input, want string) {
		t.Helper()
		got := story(machine(t, rules...).Step(log))
		if d := cmp.Diff(strings.TrimLeft(want, "\n"), got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	one, two := page("f1", "cart", 0), page("f2", "cart", time.Minute)
	gone := later(one, flyball.FindingResolved, 30*time.Second)
	succeeded := told("rollback", "f1", 1, flyball.OutcomeSucceeded, 40*time.Second)
	f("a rule acts once for a finding", []flyball.Rule{rollback()},
		entries(one, later(one, flyball.FindingUpdated, time.Hour)), `
act rollback f1.1 deploy/cart
unknown rollback f1.1 deploy/cart
suppress rollback f1.2 deploy/cart -duplicate -target_busy
`)
	f("a condition that is false leaves no trace", []flyball.Rule{rollback()},
		entries(page("f1", "cart", 0, func(f *flyball.Finding) { f.Severity = "ticket" })), "")
	f("another finding on the same target waits", []flyball.Rule{rollback()},
		entries(one, gone, succeeded, two, page("f3", "cart", 5*time.Minute-1), page("f4", "cart", 5*time.Minute), page("f5", "pay", 0)), `
act rollback f1.1 deploy/cart
verifying rollback f1.0 deploy/cart
effective rollback f1.0 deploy/cart
suppress rollback f2.1 deploy/cart -cooldown
suppress rollback f3.1 deploy/cart -cooldown
act rollback f4.1 deploy/cart
act rollback f5.1 deploy/pay
`)
	f("what was held goes when it may", []flyball.Rule{rollback()},
		entries(one, gone, succeeded, two, later(two, flyball.FindingUpdated, 6*time.Minute)), `
act rollback f1.1 deploy/cart
verifying rollback f1.0 deploy/cart
effective rollback f1.0 deploy/cart
suppress rollback f2.1 deploy/cart -cooldown
act rollback f2.2 deploy/cart
`)
	gap := page("f1", "cart", 0, incomplete)
	whole := later(gap, flyball.FindingUpdated, time.Minute)
	whole.Incomplete = false
	f("incomplete data holds, every gate is asked", []flyball.Rule{rollback(observe)},
		entries(gap, whole), `
suppress rollback f1.1 deploy/cart -mode -data_complete
observe rollback f1.2 deploy/cart -mode
`)
	f("a rule that observes does so once, and waits as if it had acted", []flyball.Rule{rollback(observe)},
		entries(one, later(one, flyball.FindingUpdated, time.Minute), two), `
observe rollback f1.1 deploy/cart -mode
suppress rollback f1.2 deploy/cart -mode -duplicate -cooldown
suppress rollback f2.1 deploy/cart -mode -cooldown
`)
	watch := rollback(observe, func(r *flyball.Rule) { r.Name = "watch" })
	f("a rule that observes holds no command, but is held by one", []flyball.Rule{watch, rollback()},
		entries(one, gone, succeeded, page("f2", "cart", 6*time.Minute), told("rollback", "f2", 1, flyball.OutcomeCancelled, 6*time.Minute), page("f3", "cart", 7*time.Minute)), `
observe watch f1.1 deploy/cart -mode
act rollback f1.1 deploy/cart
verifying rollback f1.0 deploy/cart
effective rollback f1.0 deploy/cart
observe watch f2.1 deploy/cart -mode
act rollback f2.1 deploy/cart
closed rollback f2.1 deploy/cart
suppress watch f3.1 deploy/cart -mode -cooldown
suppress rollback f3.1 deploy/cart -cooldown
`)
	f("a missing label is never an empty target", []flyball.Rule{rollback()},
		entries(page("f1", "", 0)), `
suppress rollback f1.1  -template -target_busy -cooldown -dependency
`)
	noParam := rollback(func(r *flyball.Rule) { r.Action.Params = map[string]string{"tier": "{{finding.tier}}"} })
	f("nor an empty parameter", []flyball.Rule{noParam}, entries(one), `
suppress rollback f1.1  -template -target_busy -cooldown
`)
	score := rollback(func(r *flyball.Rule) { r.When = `finding.evidence.score > 3` })
	f("what cannot be evaluated is refused", []flyball.Rule{score}, entries(one), `
suppress rollback f1.1 deploy/cart -condition
`)
	f("resolved findings are not judged", []flyball.Rule{rollback()},
		entries(later(one, flyball.FindingResolved, time.Minute)), "")
	undo := rollback(func(r *flyball.Rule) {
		r.Name, r.When, r.Action.Name = "undo", `finding.state == "resolved"`, "scale_down"
	})
	f("unless the condition asks for the state", []flyball.Rule{undo},
		entries(one, later(one, flyball.FindingResolved, time.Minute)), `
act undo f1.2 deploy/cart
`)
}

func TestCooldownsOfTwoRules(t *testing.T) {
	slow := rollback(func(r *flyball.Rule) {
		r.Name, r.When, r.Cooldown = "slow", `finding.id.startsWith("s")`, 10*time.Minute
	})
	fast := rollback(func(r *flyball.Rule) {
		r.Name, r.When, r.Cooldown = "fast", `finding.id.startsWith("f")`, time.Minute
	})
	got := story(machine(t, slow, fast).Step(entries(
		page("f1", "cart", 0), told("fast", "f1", 1, flyball.OutcomeCancelled, time.Minute),
		page("s1", "cart", 2*time.Minute), page("f2", "cart", 2*time.Minute), told("fast", "f2", 1, flyball.OutcomeCancelled, 3*time.Minute),
		page("s2", "cart", 12*time.Minute), told("slow", "s2", 1, flyball.OutcomeCancelled, 12*time.Minute),
		page("f3", "cart", 20*time.Minute), page("f4", "cart", 22*time.Minute),
	)))
	want := `act fast f1.1 deploy/cart
closed fast f1.1 deploy/cart
suppress slow s1.1 deploy/cart -cooldown
act fast f2.1 deploy/cart
closed fast f2.1 deploy/cart
act slow s2.1 deploy/cart
closed slow s2.1 deploy/cart
suppress fast f3.1 deploy/cart -cooldown
act fast f4.1 deploy/cart
`
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the longer of two cooldowns counts (-want +got):\n%s", d)
	}
}

func TestDecisionAndCommand(t *testing.T) {
	f := page("f1", "cart", 0)
	ready := machine(t, rollback()).Step(input(f))
	if len(ready.Decisions) != 1 || len(ready.Commands) != 1 {
		t.Fatalf("got %d decisions, %d commands", len(ready.Decisions), len(ready.Commands))
	}
	revision := RuleRevision(rollback())
	action := flyball.Action{Name: "rollback", Params: map[string]string{"reason": "availability"}}
	d, c := ready.Decisions[0], ready.Commands[0]
	wantDecision := flyball.Decision{
		ID: d.ID, At: start, Verb: flyball.VerbAct, Rule: "rollback", RuleRevision: revision, ConfigRevision: "c1",
		Finding: "f1", FindingRevision: 1, Entity: "cart", Target: "deploy/cart", Action: action, Mode: flyball.ModeAuto,
		Gates: []flyball.GateResult{
			{Gate: "kill_switch", Pass: true, Reason: "no kill switch is on"},
			{Gate: "scope", Pass: true, Reason: "selected by all"},
			{Gate: "mode", Pass: true, Reason: "mode auto of the rule"},
			{Gate: "maintenance", Pass: true, Reason: "no maintenance and no freeze"},
			{Gate: "condition", Pass: true, Reason: "the condition holds"},
			{Gate: "data_complete", Pass: true, Reason: "all sources had reported"},
			{Gate: "duplicate", Pass: true, Reason: "the rule has sent nothing for this finding"},
			{Gate: "target_busy", Pass: true, Reason: "nothing is under way on deploy/cart"},
			{Gate: "changed", Pass: true, Reason: "nobody has changed the target since the finding opened"},
			{Gate: "cooldown", Pass: true, Reason: "rollback was not sent to deploy/cart lately"},
			{Gate: "backoff", Pass: true, Reason: "0 failures in a row"},
			{Gate: "ineffective", Pass: true, Reason: "helped 0 times in the last 4h, done 0 times in the last 24h"},
			{Gate: "loop", Pass: true, Reason: "0 of our own operations may have caused it"},
			{Gate: "rate_limit", Pass: true, Reason: "below every limit"},
			{Gate: "concurrency", Pass: true, Reason: "below every cap"},
			{Gate: "blast_radius", Pass: true, Reason: "within every blast radius"},
			{Gate: "widespread", Pass: true, Reason: "not too many entities have open findings"},
			{Gate: "dependency", Pass: true, Reason: "nothing that cart needs has open findings"},
			{Gate: "budget_guard", Pass: true, Reason: "the rule answers the burn itself"},
			{Gate: "approval", Pass: true, Reason: "no approval is needed"},
		},
		Explain: []flyball.SubExpression{
			{Expr: `finding.severity == "page"`, Value: "true"},
			{Expr: `finding.severity`, Value: `"page"`},
		},
		Command: c.ID, Trigger: "finding", Operation: c.OperationID, Attempt: 1,
	}
	if diff := cmp.Diff(wantDecision, d); diff != "" {
		t.Errorf("decision (-want +got):\n%s", diff)
	}
	wantCommand := flyball.Command{
		ID: c.ID, At: start, Decision: d.ID, OperationID: c.OperationID, Attempt: 1, Action: action, Target: "deploy/cart",
		Mode: flyball.ModeAuto, Deadline: at(2 * time.Minute),
		Reason: flyball.CommandReason{Rule: "rollback", Revision: revision, Finding: "f1", Evidence: f.Evidence},
		Verify: &flyball.CommandVerify{Indicator: "availability", Condition: `finding.state == "resolved"`, Within: 600},
	}
	if diff := cmp.Diff(wantCommand, c); diff != "" {
		t.Errorf("command (-want +got):\n%s", diff)
	}
	// Ids are contracts: consumers drop duplicates by them.
	if got := []string{d.ID, c.ID, c.OperationID}; !cmp.Equal(got, []string{
		"59a3a6e1bd1588a2a1a869b6d1c9a45b", "befa3e392c4b747180e387af856d7e88", "d65881a659f2b83be57f1defc1e22ce7"}) {
		t.Errorf("ids are %q", got)
	}
}

func TestUnusableFindings(t *testing.T) {
	f := func(want string, change func(*flyball.Finding)) {
		t.Helper()
		ready := machine(t, rollback()).Step(input(page("f1", "cart", 0, change)))
		if len(ready.Decisions) != 0 || len(ready.State) != 0 || len(ready.DeadLetters) != 1 {
			t.Fatalf("want one dead letter, got %+v", ready)
		}
		got := ready.DeadLetters[0]
		if got.Reason != "finding_unusable" || got.Detail != want || !strings.Contains(string(got.Value), `"entity":"cart"`) {
			t.Errorf("got %s %q %s, want %q", got.Reason, got.Detail, got.Value, want)
		}
	}
	f("the finding has no id", func(f *flyball.Finding) { f.ID = "" })
	f("the finding has no id", func(f *flyball.Finding) { f.ID = "\xff" })
	f(`finding "f1" has no time`, func(f *flyball.Finding) { f.At = flyball.NoTime })
	f(`finding "f1" has the unknown state "odd"`, func(f *flyball.Finding) { f.State = "odd" })
}

func TestRepeatedState(t *testing.T) {
	m := machine(t, rollback())
	one := page("f1", "cart", 0)
	two := later(one, flyball.FindingUpdated, time.Minute)
	got := story(m.Step(input(one, one, two, one)))
	want := "act rollback f1.1 deploy/cart\nsuppress rollback f1.2 deploy/cart -duplicate -target_busy -cooldown\n"
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("a state that comes again overwrites what was decided (-want +got):\n%s", d)
	}
}

func TestSwitchFromObserveToAuto(t *testing.T) {
	one := page("f1", "cart", 0)
	two := later(one, flyball.FindingUpdated, time.Minute)
	f := func(first, second flyball.Rule, want string) {
		t.Helper()
		before := machine(t, first)
		before.Step(input(one))
		before.Commit()
		after := machine(t, second)
		for _, s := range before.Snapshot() {
			if err := after.Restore(s.Key, s.Value); err != nil {
				t.Fatal(err)
			}
		}
		if got := story(after.Step(input(two))); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(rollback(observe), rollback(), "act rollback f1.2 deploy/cart\n")
	f(rollback(), rollback(observe), "suppress rollback f1.2 deploy/cart -mode -duplicate -target_busy -cooldown\n")
}

func TestNewRefuses(t *testing.T) {
	f := func(want string, rules ...flyball.Rule) {
		t.Helper()
		_, err := New(Config{Rules: rules})
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if v := (Config{Rules: rules}).Validate(); v == nil || v.Error() != want {
			t.Errorf("Validate: got %v, want %s", v, want)
		}
	}
	with := func(change func(*flyball.Rule)) flyball.Rule { return rollback(change) }
	f(`cannot compile rule "": it has no name`, with(func(r *flyball.Rule) { r.Name = "" }))
	f(`cannot compile rule "rollback": another has the same name`, rollback(), rollback())
	f(`cannot compile rule "rollback": mode "yolo" is not one of [observe suggest approve auto-notify auto]`, with(func(r *flyball.Rule) { r.Mode = "yolo" }))
	f(`cannot compile rule "rollback": it has no target`, with(func(r *flyball.Rule) { r.Target = "" }))
	f(`cannot compile rule "rollback": its action has no name`, with(func(r *flyball.Rule) { r.Action.Name = "" }))
	f(`cannot compile rule "rollback": cooldown -1s is negative`, with(func(r *flyball.Rule) { r.Cooldown = -time.Second }))
	f(`cannot compile rule "rollback": deadline 0s is not positive: an executor must know when to stop`, with(func(r *flyball.Rule) { r.Deadline = 0 }))
	f(`cannot compile rule "rollback": when:1:8: a finding has no field 'severty' (did you mean 'severity'?)`,
		with(func(r *flyball.Rule) { r.When = `finding.severty == "page"` }))
	f(`cannot compile rule "rollback": target:1:12: a finding has no field 'entty' (did you mean 'entity'?)`,
		with(func(r *flyball.Rule) { r.Target = "a/{{finding.entty}}" }))
	f(`cannot compile rule "rollback": parameter a:1:1: {{ has no }}`,
		with(func(r *flyball.Rule) { r.Action.Params = map[string]string{"a": "{{"} }))
}

func TestRuleRevision(t *testing.T) {
	base := RuleRevision(rollback())
	f := func(same bool, change func(*flyball.Rule)) {
		t.Helper()
		r := rollback()
		change(&r)
		if got := RuleRevision(r) == base; got != same {
			t.Errorf("%+v: same revision is %v, want %v", r, got, same)
		}
	}
	f(true, func(r *flyball.Rule) { r.Owner = "someone" })
	f(true, func(r *flyball.Rule) { r.Revision = "7" })
	f(true, func(r *flyball.Rule) { r.When = "  " + r.When + "\n" })
	f(false, func(r *flyball.Rule) { r.Name += "x" })
	f(false, func(r *flyball.Rule) { r.When += " && true" })
	f(false, func(r *flyball.Rule) { r.Target += "x" })
	f(false, func(r *flyball.Rule) { r.Action.Name += "x" })
	f(false, func(r *flyball.Rule) { r.Action.Params = nil })
	f(false, func(r *flyball.Rule) { r.Mode = flyball.ModeObserve })
	f(false, func(r *flyball.Rule) { r.Cooldown++ })
	f(false, func(r *flyball.Rule) { r.Deadline++ })
}
