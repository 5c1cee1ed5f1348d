package evaluate

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestLaw is the law that everything rests on: how a log is cut into steps and
// transactions, which transactions are taken back, and where machines crash and
// are succeeded, changes nothing of what becomes durable: not one window, status,
// finding or dead letter, nor their order, nor the state left behind.
func TestLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		var cfg Config
		switch rapid.IntRange(0, 4).Draw(t, "config") {
		case 0:
			cfg = small()
		case 1:
			cfg = extended()
		case 2:
			cfg = long()
		case 3:
			cfg, log = compared(), withRequests(t, log)
		case 4:
			cfg, log = watched(), withLabels(t, log)
		}
		want := reference(cfg, log)
		got := newShell(cfg, log)
		for _, tx := range rapid.SliceOfN(drawTransaction, 0, 30).Draw(t, "transactions") {
			got.run(tx)
		}
		got.drain()
		if diff := cmp.Diff(want.out, got.out, nanEqual); diff != "" {
			t.Fatalf("the output differs (- undisturbed, + disturbed):\n%s", diff)
		}
		if diff := sameState(want.state, got.state); diff != "" {
			t.Fatalf("the state differs (- undisturbed, + disturbed):\n%s", diff)
		}
		if want.committed != got.committed {
			t.Fatalf("the machines resume at %+v and %+v", want.committed, got.committed)
		}
	})
}

// TestLawIsNotEmpty makes sure that random logs reach what the law is about.
func TestLawIsNotEmpty(t *testing.T) {
	draw(t, "100")
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		out := reference(small(), drawLog(t)).out
		for _, w := range out.Windows {
			seen["windows"]++
			if !w.Complete {
				seen["incomplete windows"]++
			}
			if w.Revision > 1 {
				seen["corrections"]++
			}
			if w.Revision > 2 {
				seen["corrections of corrections"]++
			}
			if w.Entity == "__overflow__/0" {
				seen["overflow"]++
			}
		}
		for _, f := range out.Findings {
			seen["findings "+string(f.State)]++
			if f.Incomplete {
				seen["incomplete findings"]++
			}
			if f.Kind == kindSelf {
				seen["stalls "+string(f.State)]++
			}
		}
		for _, d := range out.DeadLetters {
			seen["dead letters: "+d.Reason]++
		}
		seen["status"] += len(out.SLO)
	})
	for _, what := range []string{
		"windows", "corrections", "corrections of corrections", "overflow", "status",
		"findings opened", "findings updated", "findings resolved",
		"incomplete windows", "incomplete findings", "stalls opened", "stalls resolved",
		"dead letters: late", "dead letters: malformed", "dead letters: unknown_indicator",
	} {
		if seen[what] == 0 {
			t.Errorf("no random log has any %s", what)
		}
	}
	t.Log(seen)
}
