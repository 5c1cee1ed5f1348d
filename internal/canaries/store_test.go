package canaries

import (
	"fmt"
	"testing"

	"github.com/flyball-io/flyball"
)

func verdict(id string, revision int) flyball.Verdict {
	return flyball.Verdict{ID: id, Revision: revision, Canary: "c", Entity: "e", Phase: flyball.PhaseRunning}
}

func TestStoreKeepsVerdictsInOrder(t *testing.T) {
	var s Store
	changed := s.Changed()
	for _, n := range []int{2, 1, 3, 2} {
		s.AddVerdict(verdict("a", n))
	}
	select {
	case <-changed:
	default:
		t.Error("nobody is told of a change")
	}
	a, ok := s.Get("a")
	if !ok || len(a.Verdicts) != 3 || a.Verdicts[0].Revision != 1 || a.Last().Revision != 3 {
		t.Errorf("got %+v", a)
	}
	if _, ok := s.Get("b"); ok || s.Ready() {
		t.Error("there is an analysis that is not, or all was read before anything was")
	}
}

func TestStoreKnowsRequests(t *testing.T) {
	var s Store
	s.AddRequest(flyball.CanaryRequest{ID: "x", Cancel: true}) // of what is not known
	s.AddRequest(flyball.CanaryRequest{ID: "a", Canary: "c", Entity: "e", Version: "2", By: "ci"})
	s.AddRequest(flyball.CanaryRequest{ID: "a", Canary: "other"})
	a, _ := s.Get("a")
	if v := a.Last(); v.ID != "a" || v.Canary != "c" || v.Entity != "e" || v.By != "ci" || v.Final() || v.Verdict != flyball.VerdictInconclusive {
		t.Errorf("got %+v", v)
	}
	s.AddRequest(flyball.CanaryRequest{ID: "a", Cancel: true})
	a, _ = s.Get("a")
	if v := a.Last(); v.Phase != flyball.PhaseCancelled {
		t.Errorf("got %+v", v)
	}
	s.AddVerdict(verdict("b", 1))
	if list := s.List(); len(list) != 2 || list[0].Last().ID != "b" {
		t.Errorf("got %+v", list)
	}
}

func TestStoreForgets(t *testing.T) {
	var s Store
	for i := range maxAnalyses + 5 {
		s.AddVerdict(verdict(fmt.Sprint(i), 1))
	}
	if _, ok := s.Get("4"); ok || len(s.List()) != maxAnalyses {
		t.Errorf("%d analyses are kept", len(s.List()))
	}
	for n := range 2 * maxVerdicts {
		s.AddVerdict(verdict("long", n+1))
	}
	a, _ := s.Get("long")
	if n := len(a.Verdicts); n > maxVerdicts || n < maxVerdicts/2 || a.Verdicts[0].Revision != 1 || a.Last().Revision != 2*maxVerdicts {
		t.Errorf("%d verdicts are kept, from %d to %d", n, a.Verdicts[0].Revision, a.Last().Revision)
	}
}
