package remediation

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
)

// restart is a rule with everything that may follow a command.
func restart(change ...func(*flyball.Rule)) flyball.Rule {
	r := rollback(func(r *flyball.Rule) {
		r.Name, r.Action = "restart", flyball.Action{Name: "restart"}
		r.Verify = flyball.Verify{Within: 10 * time.Minute, Stabilisation: 2 * time.Minute}
		r.Compensation = flyball.Action{Name: "unrestart"}
		r.Escalate = []flyball.Action{{Name: "scale"}}
		r.Notify = []string{"oncall"}
	})
	for _, c := range change {
		c(&r)
	}
	return r
}

func watermark(when time.Duration) Entry {
	return Entry{Watermark: &Watermark{Partition: 0, Of: 1, At: at(when)}}
}

func said(kind flyball.ControlKind, when time.Duration, more func(*flyball.Control)) Entry {
	c := flyball.Control{ID: string(kind) + when.String(), Kind: kind, At: at(when), Who: "ann", Why: "load test", Scope: flyball.Scope{Kind: flyball.ScopeGlobal}}
	more(&c)
	return Entry{Control: &c}
}

// life writes decisions as a line each: when, verb, action, the gates that refuse,
// and what made it.
func life(t *testing.T, log Input, rules ...flyball.Rule) string {
	t.Helper()
	ready := machine(t, rules...).Step(log)
	if len(ready.DeadLetters) > 0 {
		t.Fatalf("dead: %+v", ready.DeadLetters)
	}
	var b strings.Builder
	for _, d := range ready.Decisions {
		if d.Verb == flyball.VerbControl {
			b.WriteString("control " + d.Reason + "\n")
			continue
		}
		b.WriteString(strings.Join([]string{d.At.Sub(start).String(), string(d.Verb), d.Action.Name, d.Trigger}, " "))
		for _, g := range d.Gates {
			if !g.Pass {
				b.WriteString(" -" + g.Gate)
			}
		}
		if len(d.Notify) > 0 {
			b.WriteString(" notify " + strings.Join(d.Notify, ","))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestLives(t *testing.T) {
	f := func(name string, log Input, want string, rules ...flyball.Rule) {
		t.Helper()
		if len(rules) == 0 {
			rules = []flyball.Rule{restart()}
		}
		if d := cmp.Diff(strings.TrimLeft(want, "\n"), life(t, log, rules...)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	const m = time.Minute
	ok, busy, perm := flyball.OutcomeSucceeded, flyball.OutcomeTransient, flyball.OutcomePermanent
	one := page("f1", "cart", 0)
	gone := later(one, flyball.FindingResolved, 3*m)
	tell := func(attempt int, class flyball.OutcomeClass, when time.Duration) Entry {
		return told("restart", "f1", attempt, class, when)
	}
	f("effective: it recovers and stays so", entries(one, tell(1, flyball.OutcomeAccepted, m), tell(1, ok, 2*m), gone, watermark(4*m), watermark(5*m)), `
0s act restart finding
1m0s accepted restart outcome
2m0s verifying restart outcome
3m0s recovered restart verification
5m0s effective restart verification
`)
	f("it does not recover: the next action, then a person", entries(one, tell(1, ok, m), watermark(11*m), tell(2, ok, 12*m), watermark(22*m)), `
0s act restart finding
1m0s verifying restart outcome
11m0s ineffective restart verification
11m0s act scale escalation
12m0s verifying scale outcome
22m0s ineffective scale verification
22m0s page scale verification notify oncall
`)
	f("it comes back before it is stable", entries(one, tell(1, ok, 2*m), gone, page("f2", "cart", 4*m)), `
0s act restart finding
2m0s verifying restart outcome
3m0s recovered restart verification
4m0s grouped restart finding
4m0s ineffective restart verification
4m0s closed restart verification
4m0s suppress restart finding -cooldown
`)
	ticket := page("f1", "cart", 0, func(f *flyball.Finding) { f.Severity = "ticket" })
	worse := later(ticket, flyball.FindingUpdated, 3*m)
	worse.Severity = "page"
	always := restart(func(r *flyball.Rule) { r.When = "true" })
	f("worse is undone, and the undoing is verified", entries(ticket, tell(1, ok, 2*m), worse,
		Entry{Outcome: &flyball.Outcome{ID: "o", Class: ok, At: at(4 * m), OperationID: hashOf("operation", "compensation", operationID("restart", "f1")), Attempt: 1}},
		later(worse, flyball.FindingResolved, 5*m), watermark(7*m)), `
0s act restart finding
2m0s verifying restart outcome
3m0s worse restart verification
3m0s act unrestart compensation
3m0s suppress restart finding -duplicate -target_busy -cooldown
4m0s verifying unrestart outcome
5m0s recovered unrestart verification
7m0s effective unrestart verification
`, always)
	f("what fails for the moment is tried again, later each time, then escalated", entries(one, tell(1, busy, m), watermark(2*m), tell(2, busy, 3*m), watermark(5*m), tell(3, busy, 6*m)), `
0s act restart finding
1m0s failed restart outcome
2m0s act restart retry
3m0s failed restart outcome
5m0s act restart retry
6m0s failed restart outcome
6m0s act scale escalation
`)
	f("what fails for good is not tried again", entries(one, tell(1, perm, m), tell(1, ok, 2*m)), `
0s act restart finding
1m0s failed restart outcome
1m0s act scale escalation
`)
	f("rejected and expired", entries(one, tell(1, flyball.OutcomeExpired, m), watermark(2*m), tell(2, flyball.OutcomeRejected, 3*m)), `
0s act restart finding
1m0s failed restart outcome
2m0s act restart retry
3m0s failed restart outcome
3m0s act scale escalation
`)
	f("superseded and cancelled are over", entries(one, tell(1, flyball.OutcomeSuperseded, m)), `
0s act restart finding
1m0s closed restart outcome
`)
	f("silence is unknown and blocks, until the executor speaks", entries(one, watermark(2*m), page("f2", "cart", 6*m), tell(1, ok, 7*m)), `
0s act restart finding
2m0s unknown restart deadline notify oncall
6m0s grouped restart finding
6m0s suppress restart finding -target_busy -loop
7m0s verifying restart outcome
`)
	f("until a person releases it", entries(one, watermark(2*m), said(flyball.ControlRelease, 3*m, func(c *flyball.Control) { c.Target = "deploy/cart" })), `
0s act restart finding
2m0s unknown restart deadline notify oncall
3m0s released restart control
control release deploy/cart: the target is free. load test
`)
	f("until it recovers", entries(one, watermark(2*m), gone), `
0s act restart finding
2m0s unknown restart deadline notify oncall
3m0s closed restart verification
`)
	hold := restart(func(r *flyball.Rule) { r.For = 2 * m })
	f("a condition must hold for a while", entries(one, watermark(m), watermark(2*m)), `
2m0s act restart hold
`, hold)
	f("and does not when it is over before", entries(one, later(one, flyball.FindingResolved, m), watermark(2*m)), "", hold)
	f("an escalation waits", entries(one, tell(1, perm, m), watermark(9*m), watermark(10*m)), `
0s act restart finding
1m0s failed restart outcome
10m0s act scale escalation
`, restart(func(r *flyball.Rule) { r.EscalateAfter = 10 * m }))
	f("gates hold the next attempt, and let it go later", entries(one, said(flyball.ControlPause, m, func(*flyball.Control) {}), tell(1, perm, 2*m),
		said(flyball.ControlResume, 3*m, func(*flyball.Control) {}), watermark(12*m)), `
0s act restart finding
control pause global: it holds from now on. load test
2m0s failed restart outcome
2m0s suppress scale escalation -mode
control resume global: 1 controls were lifted. load test
12m0s act scale escalation
`)
}

func TestModes(t *testing.T) {
	const m = time.Minute
	one := page("f1", "cart", 0)
	answer := func(kind flyball.ControlKind, when time.Duration) Entry {
		return said(kind, when, func(c *flyball.Control) { c.Operation = operationID("restart", "f1") })
	}
	f := func(mode flyball.Mode, log Input, want string) {
		t.Helper()
		r := restart(func(r *flyball.Rule) { r.Mode, r.Approval = mode, 30*m })
		if d := cmp.Diff(strings.TrimLeft(want, "\n"), life(t, log, r)); d != "" {
			t.Errorf("%s (-want +got):\n%s", mode, d)
		}
	}
	f(flyball.ModeObserve, entries(one), "0s observe restart finding -mode\n")
	f(flyball.ModeAutoNotify, entries(one), "0s act restart finding notify oncall\n")
	f(flyball.ModeAuto, entries(one), "0s act restart finding\n")
	f(flyball.ModeSuggest, entries(one, watermark(40*m), answer(flyball.ControlApprove, 41*m)), `
0s suggest restart finding -approval notify oncall
41m0s act restart approval
control approve `+operationID("restart", "f1")+`: the command was sent. load test
`)
	f(flyball.ModeApprove, entries(one, later(one, flyball.FindingUpdated, m), answer(flyball.ControlApprove, 2*m)), `
0s await_approval restart finding -approval notify oncall
1m0s suppress restart finding -duplicate -approval
2m0s act restart approval
control approve `+operationID("restart", "f1")+`: the command was sent. load test
`)
	f(flyball.ModeApprove, entries(one, answer(flyball.ControlReject, 2*m)), `
0s await_approval restart finding -approval notify oncall
2m0s rejected restart approval
control reject `+operationID("restart", "f1")+`: the operation is over. load test
`)
	f(flyball.ModeApprove, entries(one, watermark(30*m), answer(flyball.ControlApprove, 31*m)), `
0s await_approval restart finding -approval notify oncall
30m0s expired restart deadline
control approve `+operationID("restart", "f1")+`: no such operation waits. load test
`)
	f(flyball.ModeApprove, entries(one, later(one, flyball.FindingResolved, m)), `
0s await_approval restart finding -approval notify oncall
1m0s closed restart finding
`)
	f(flyball.ModeAuto, entries(said(flyball.ControlMode, 0, func(c *flyball.Control) { c.Mode = flyball.ModeObserve }), one), `
control mode global: it holds from now on. load test
0s observe restart finding -mode
`)
}
