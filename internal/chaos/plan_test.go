package chaos

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A plan follows from its seed, holds every kind of fault, and asks for nothing
// that cannot be done.
func TestPlanFollowsFromItsSeed(t *testing.T) {
	allow := cmp.AllowUnexported(plan{}, fault{})
	for seed := range uint64(20) {
		p := newPlan(seed, 1000)
		if diff := cmp.Diff(p, newPlan(seed, 1000), allow); diff != "" {
			t.Fatalf("seed %d gives two plans:\n%s", seed, diff)
		}
		if cmp.Equal(p, newPlan(seed+1, 1000), allow) {
			t.Errorf("seeds %d and %d give the same plan", seed, seed+1)
		}
		if n := len(p.members) + len(p.light); n != 1000 {
			t.Errorf("seed %d: %d faults, want 1000", seed, n)
		}
		seen := map[Kind]int{}
		for _, f := range p.light {
			seen[f.kind]++
		}
		running := first
		for i, f := range p.members {
			seen[f.kind]++
			switch f.kind {
			case Join:
				running++
			case Leave:
				running--
			}
			if running < least || running > slots {
				t.Fatalf("seed %d: %d processes run after fault %d", seed, running, i)
			}
		}
		for _, k := range Kinds() {
			if seen[k] < 10 {
				t.Errorf("seed %d: %q comes %d times in 1000", seed, k, seen[k])
			}
		}
	}
}
