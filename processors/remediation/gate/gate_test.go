package gate

import (
	"strings"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
)

const now = flyball.Time(1_767_225_600e9)

// free is a case that every gate lets pass.
func free() *Case {
	return &Case{
		Rule:    &flyball.Rule{Name: "restart", Cooldown: 5 * time.Minute},
		Finding: &flyball.Finding{ID: "f1", Kind: "anomaly", Entity: "cart", At: now, OpenedAt: now},
		Target:  "deploy/cart", Action: flyball.Action{Name: "restart"}, Service: "cart", At: now, Attempt: 1,
		Mode: flyball.ModeAuto, ModeOf: "the rule", Guardrails: []Guarded{{Guardrail: &Guardrail{Name: "g"}}},
		Memory: Memory{Sent: flyball.NoTime, Observed: flyball.NoTime, Changed: flyball.NoTime, FailedUntil: flyball.NoTime,
			Cooldown: Cooldown{Cools: true, At: flyball.NoTime, Until: flyball.NoTime}},
	}
}

// TestEveryGateSaysYesAndNo: each change makes exactly one gate refuse, and says why.
func TestEveryGateSaysYesAndNo(t *testing.T) {
	for _, r := range Ask(free()) {
		if !r.Pass || r.Reason == "" {
			t.Errorf("%s refuses a case with nothing against it: %s", r.Gate, r.Reason)
		}
	}
	asked := map[string]bool{}
	f := func(gate, reason string, change func(*Case)) {
		t.Helper()
		asked[gate] = true
		c := free()
		change(c)
		for _, r := range Ask(c) {
			if r.Pass != (r.Gate != gate) {
				t.Errorf("%q: %s says %t: %s", reason, r.Gate, r.Pass, r.Reason)
			}
			if r.Gate == gate && !strings.Contains(r.Reason, reason) {
				t.Errorf("%s says %q, want %q", gate, r.Reason, reason)
			}
		}
	}
	stop := []flyball.Control{{Kind: flyball.ControlKill, Scope: flyball.Scope{Kind: flyball.ScopeGlobal}, Who: "ann", Why: "drill", At: now}}
	g := func(change func(*Guarded)) func(*Case) { return func(c *Case) { change(&c.Guardrails[0]) } }
	f("kill_switch", "kill of global by ann since 2026-01-01T00:00:00Z: drill", func(c *Case) { c.Kills = stop })
	f("scope", "no guardrail selects cart", func(c *Case) { c.Guardrails = nil })
	f("mode", "mode observe of guardrail g", func(c *Case) { c.Mode, c.ModeOf = flyball.ModeObserve, "guardrail g" })
	f("mode", "drill", func(c *Case) { c.Pauses = stop })
	f("mode", "not known", func(c *Case) { c.Mode = "wild" })
	f("maintenance", "drill", func(c *Case) { c.Maintenances = stop })
	f("maintenance", "freeze christmas of guardrail g until", g(func(g *Guarded) { g.Freezes = []Freeze{{"christmas", now, now + 1}} }))
	f("condition", "does not hold", func(c *Case) { c.Doubt = "the condition does not hold any more" })
	f("data_complete", "was missing", func(c *Case) { c.Finding.Incomplete = true })
	f("duplicate", "has sent its command", func(c *Case) { c.Memory.Sent = now })
	f("duplicate", "waits for a person", func(c *Case) { c.Memory.Waiting = true })
	f("duplicate", "forgotten", func(c *Case) { c.Memory.Forgotten = "what was sent is forgotten" })
	f("target_busy", "restart is sent", func(c *Case) { c.Memory.Busy = "restart is sent on deploy/cart" })
	f("changed", "bob changed deploy/cart", func(c *Case) { c.Memory.Changed, c.Memory.ChangedBy = now, "bob" })
	f("cooldown", "wait until", func(c *Case) { c.Memory.Cooldown.At, c.Memory.Cooldown.Until = now-1, now+1 })
	f("cooldown", "late", func(c *Case) { c.Memory.Cooldown.Late = time.Hour })
	f("cooldown", "as there may be", func(c *Case) { c.Memory.CooldownFull = true })
	f("backoff", "failed on deploy/cart 2 times", func(c *Case) { c.Memory.Failures, c.Memory.FailedUntil = 2, now+1 })
	f("ineffective", "helped deploy/cart 3 times", func(c *Case) { c.Memory.Effective = 3 })
	f("ineffective", "was done on deploy/cart 5 times", func(c *Case) { c.Memory.Done = 5 })
	f("loop", "during operation o of the same rule", func(c *Case) { c.World.Causes = []Cause{{Operation: "o", Rule: "restart"}} })
	f("loop", "chain of 3", func(c *Case) { c.World.Causes, c.World.Depth = []Cause{{Rule: "c", Depth: 3}}, 3 })
	f("rate_limit", "allows 2 commands per action in 1h0m0s: 2 were sent", g(func(g *Guarded) {
		g.Limits, g.Sent = []RateLimit{{PerAction, 2, time.Hour}}, []int{2}
	}))
	f("concurrency", "allows 1 operations per service", g(func(g *Guarded) { g.Concurrent.Service, g.Service = 1, 1 }))
	f("blast_radius", "does not know how large", g(func(g *Guarded) { g.Blast = &BlastRadius{Percent: 10, Window: time.Hour} }))
	f("blast_radius", "allows 4 of 40 targets (10 %) in 1h0m0s: 4 were", g(func(g *Guarded) { g.Blast, g.Targets = &BlastRadius{40, 10, time.Hour}, 4 }))
	f("blast_radius", "is open: too many", g(func(g *Guarded) { g.Tripped = "too many" }))
	f("widespread", "21 entities", func(c *Case) { c.World.Troubled, c.Guardrails[0].Widespread = 21, 20 })
	f("dependency", "cart needs db, which", func(c *Case) { c.World.Upstream = []string{"db, which has the open finding f9 of latency"} })
	f("budget_guard", "burns 2.5 times", func(c *Case) { c.World.Burns = []Burn{{Rate: 2.5, Window: time.Hour}} })
	f("dependency", "is not known", func(c *Case) { c.Service = "" })
	f("budget_guard", "how fast availability of cart burns is not known", func(c *Case) { c.World.Burns = []Burn{{Detector: "availability", Unknown: true}} })
	f("approval", "approve it", func(c *Case) { c.Mode = flyball.ModeApprove })
	f("approval", "start it", func(c *Case) { c.Mode = flyball.ModeSuggest })
	for _, g := range All() {
		if !asked[g.Name()] {
			t.Errorf("no case makes %s refuse", g.Name())
		}
	}
}

// TestWhatIsNotHeld: what the gates let pass on purpose.
func TestWhatIsNotHeld(t *testing.T) {
	f := func(gate string, change func(*Case)) {
		t.Helper()
		c := free()
		change(c)
		for _, r := range Ask(c) {
			if r.Gate == gate && !r.Pass {
				t.Errorf("%s refuses: %s", gate, r.Reason)
			}
		}
	}
	burns := []Burn{{Rate: 20, Window: time.Minute}}
	f("budget_guard", func(c *Case) { c.World.Burns, c.Rule.Essential = burns, true })
	f("budget_guard", func(c *Case) { c.World.Burns, c.Finding.Kind = burns, "burn_rate" })
	f("budget_guard", func(c *Case) { c.World.Burns = []Burn{{Rate: 20, Window: 6 * time.Hour}, {Rate: 2, Window: time.Hour}} })
	f("loop", func(c *Case) { c.World.Causes = []Cause{{Rule: "restart", Failed: true}} })
	f("loop", func(c *Case) { // three that have nothing to do with each other are no chain
		c.World.Causes, c.World.Depth = []Cause{{Rule: "a", Depth: 1}, {Rule: "b", Depth: 1}, {Rule: "c", Depth: 1}}, 1
	})
	f("changed", func(c *Case) { c.Memory.Changed = now - 1 })
	f("maintenance", func(c *Case) { c.Guardrails[0].Freezes = []Freeze{{"over", now - 2, now}} })
	f("blast_radius", func(c *Case) {
		c.Guardrails[0].Blast, c.Guardrails[0].Targets, c.Guardrails[0].Known = &BlastRadius{40, 10, time.Hour}, 4, true
	})
	f("duplicate", func(c *Case) { c.Memory.Sent, c.Attempt = now, 2 })
	f("approval", func(c *Case) { c.Mode, c.Approval = flyball.ModeApprove, &flyball.Approval{Who: "ann"} })
	for _, gate := range []string{"duplicate", "cooldown", "backoff", "ineffective", "loop", "rate_limit"} {
		f(gate, func(c *Case) {
			c.Compensates = "o"
			c.Memory.Sent, c.Memory.Cooldown.Until, c.Memory.FailedUntil, c.Memory.Failures, c.Memory.Done = now, now+1, now+1, 3, 9
			c.World.Causes = []Cause{{Rule: "restart"}}
			c.Guardrails[0].Limits, c.Guardrails[0].Sent = []RateLimit{{PerAction, 1, time.Hour}}, []int{1}
		})
	}
}

// TestUnknownOpenFindingsRefuse: when open findings are not all known, the gates that
// look at them refuse, and no other.
func TestUnknownOpenFindingsRefuse(t *testing.T) {
	for _, change := range []func(*Case){func(*Case) {}, func(c *Case) { c.Rule.Essential = true }, func(c *Case) { c.Finding.Kind = "burn_rate" }} {
		c := free()
		change(c)
		c.World.Unknown = "2 open findings are not remembered"
		for _, r := range Ask(c) {
			rests := r.Gate == "widespread" || r.Gate == "dependency" || r.Gate == "budget_guard"
			if r.Pass == rests || rests && r.Reason != c.World.Unknown {
				t.Errorf("%s says %t: %s", r.Gate, r.Pass, r.Reason)
			}
		}
	}
}

func TestSelectorsAndTopology(t *testing.T) {
	matcher := func(s string) flyball.Matcher {
		m, err := flyball.ParseMatcher(s)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	f := &flyball.Finding{Entity: "cart", Labels: flyball.LabelsOf("env", "prod")}
	for text, want := range map[string]bool{`env="prod"`: true, `entity="cart"`: true, `env="dev"`: false, `entity!="cart"`: false, `team=~".+"`: false} {
		g := Guardrail{Select: []flyball.Matcher{matcher(text)}}
		if got := g.Selects(f); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
	if (&Guardrail{}).Selects(f) {
		t.Error("an empty selector selects")
	}
	top := Topology{Needs: map[string][]string{"shop": {"cart", "pay"}, "cart": {"db"}, "pay": {"db", "shop"}}}
	if got := strings.Join(top.Upstream("shop"), " "); got != "cart pay db" {
		t.Errorf("shop needs %s", got)
	}
	if got := strings.Join(top.Reverse().Upstream("db"), " "); got != "cart pay shop" {
		t.Errorf("db is needed by %s", got)
	}
	top.Learned = map[string]map[string]struct{}{"db": {"disk": {}, "cart": {}}}
	if got := strings.Join(top.Upstream("shop"), " "); got != "cart pay db disk" {
		t.Errorf("shop needs %s", got)
	}
	if most := (BlastRadius{Fleet: 40, Percent: 12.5}).Most(); most != 5 {
		t.Errorf("12.5 %% of 40 is %d", most)
	}
	if most := (BlastRadius{Fleet: 3, Percent: 10}).Most(); most != 1 {
		t.Errorf("at least one, got %d", most)
	}
}
