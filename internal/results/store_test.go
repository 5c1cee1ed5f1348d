package results

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/remediation/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const start = flyball.Time(1_767_225_600_000_000_000)

func at(seconds int) flyball.Time { return start.Add(time.Duration(seconds) * time.Second) }

func finding(id string, revision, opened, seconds int, state flyball.FindingState) flyball.Finding {
	return flyball.Finding{ID: id, Revision: revision, State: state, At: at(seconds), OpenedAt: at(opened), Entity: "cart", Kind: "anomaly", Severity: "page"}
}

func ids[T any](p Page[T], id func(T) string) []string {
	out := []string{}
	for _, x := range p.Items {
		out = append(out, id(x))
	}
	return out
}

func findingID(f flyball.Finding) string { return f.ID }

func TestFindingsKeepTheirLatestState(t *testing.T) {
	s := NewStore()
	s.AddFinding(finding("a", 1, 0, 0, flyball.FindingOpened))
	s.AddFinding(finding("b", 1, 5, 5, flyball.FindingOpened))
	s.AddFinding(finding("a", 3, 0, 20, flyball.FindingResolved))
	s.AddFinding(finding("a", 2, 0, 10, flyball.FindingUpdated)) // late
	if f, ok := s.Finding("a"); !ok || f.State != flyball.FindingResolved {
		t.Errorf("got %+v", f)
	}
	if _, ok := s.Finding("c"); ok {
		t.Error("there is a finding that is not")
	}
	f := func(want []string, change func(*Filter)) {
		t.Helper()
		q := All(10)
		change(&q)
		if got := ids(s.Findings(q), findingID); !cmp.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	f([]string{"b", "a"}, func(q *Filter) {})
	f([]string{"b"}, func(q *Filter) { q.State = "open" })
	f([]string{"a"}, func(q *Filter) { q.State = "resolved" })
	f([]string{"a"}, func(q *Filter) { q.To = at(5) })
	f([]string{"b"}, func(q *Filter) { q.From = at(5) })
	f([]string{}, func(q *Filter) { q.Entity = "pay" })
	f([]string{}, func(q *Filter) { q.Kind = "burn_rate" })
	f([]string{}, func(q *Filter) { q.Severity = "ticket" })
}

// TestPagesHaveEverythingOnce: whatever comes in whatever order, and while more comes,
// pages of any size have what was there once, the latest first.
func TestPagesHaveEverythingOnce(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		s := NewStore()
		n := random.IntN(200)
		for _, i := range random.Perm(n) {
			s.AddDecision(flyball.Decision{ID: fmt.Sprintf("d%03d", i), At: at(i / 7)}) // some at the same time
		}
		var got []string
		q := All(1 + random.IntN(20))
		for {
			p := s.Decisions(q)
			got = append(got, ids(p, func(d flyball.Decision) string { return d.ID })...)
			s.AddDecision(flyball.Decision{ID: fmt.Sprintf("later%d", len(got)), At: at(1000)})
			if p.Next == "" {
				break
			}
			k, err := ParseCursor(p.Next)
			if err != nil {
				t.Fatal(err)
			}
			q.Before = &k
		}
		want := []string{}
		for i := n - 1; i >= 0; i-- {
			want = append(want, fmt.Sprintf("d%03d", i))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: got %v", seed, got)
		}
	}
	for _, text := range []string{"x", "", "!", Key{}.Cursor() + "x!"} {
		if _, err := ParseCursor(text); err == nil {
			t.Errorf("%q is taken for a cursor", text)
		}
	}
}

func TestTheOldestGo(t *testing.T) {
	line := timeline[int]{most: 3}
	for _, i := range []int{5, 1, 9, 3, 7, 2} {
		line.set(Key{at(i), "x"}, &i)
	}
	p := line.page(nil, 10, func(*int) bool { return true })
	if !slices.Equal(p.Items, []int{9, 7, 5}) {
		t.Errorf("got %v", p.Items)
	}
	s := NewStore()
	for i := range 2*maxFindings + 10 {
		s.AddFinding(finding(fmt.Sprint(i), 1, i, i, flyball.FindingOpened))
	}
	if n := len(s.findings.rows); n < maxFindings || n > maxFindings*5/4 || len(s.latest) > 2*maxFindings {
		t.Errorf("%d findings, %d ids", len(s.findings.rows), len(s.latest))
	}
	if _, ok := s.Finding("0"); ok {
		t.Error("the oldest is still there")
	}
}

func TestCommandsWithTheirOutcomes(t *testing.T) {
	s := NewStore()
	s.AddCommand(flyball.Command{ID: "c1", At: at(0), OperationID: "o1", Attempt: 1, Target: "deploy/cart", Reason: flyball.CommandReason{Rule: "r", Finding: "f"}})
	s.AddCommand(flyball.Command{ID: "c2", At: at(10), OperationID: "o1", Attempt: 2, Target: "deploy/cart", Reason: flyball.CommandReason{Rule: "r", Finding: "f"}})
	s.AddOutcome(flyball.Outcome{ID: "x2", Command: "c1", At: at(5), Class: flyball.OutcomeTransient})
	s.AddOutcome(flyball.Outcome{ID: "x1", Command: "c1", At: at(1), Class: flyball.OutcomeAccepted})
	q := All(10)
	q.Operation = "o1"
	p := s.Commands(q)
	if len(p.Items) != 2 || p.Items[0].ID != "c2" || p.Items[0].State() != "sent" || p.Items[1].State() != "transient_failure" || p.Items[1].Outcomes[0].ID != "x1" {
		t.Errorf("got %+v", p.Items)
	}
	q.State = "sent"
	if p = s.Commands(q); len(p.Items) != 1 || p.Items[0].ID != "c2" {
		t.Errorf("got %+v", p.Items)
	}
}

func TestOutcomesGoWithTheOldest(t *testing.T) {
	s := NewStore()
	for i := range maxOutcomes*5/4 + 1 { // so many that the oldest go at once
		s.AddOutcome(flyball.Outcome{ID: fmt.Sprint(i), Command: fmt.Sprint("c", i/2), At: at(i), Class: flyball.OutcomeAccepted})
		s.AddOutcome(flyball.Outcome{ID: fmt.Sprint(i), Command: fmt.Sprint("c", i/2), At: at(i), Class: flyball.OutcomeAccepted}) // again
	}
	total := 0
	for _, list := range s.reported {
		total += len(list)
	}
	if len(s.outcomes.rows) != maxOutcomes || total != maxOutcomes || len(s.reported["c0"]) != 0 || len(s.reported[fmt.Sprint("c", maxOutcomes/2)]) != 2 {
		t.Errorf("%d outcomes, %d by command", len(s.outcomes.rows), total)
	}
}

func TestBudgetsByName(t *testing.T) {
	s := NewStore()
	for i, r := range []processors.SLORow{{SLO: "b", Entity: "cart"}, {SLO: "a", Entity: "pay"}, {SLO: "a", Entity: "cart", State: "OK"}} {
		r.Labels, r.At, r.Total = "{}", at(10), int64(i)
		s.AddStatus(r)
		r.At, r.Total = at(5), 100 // late
		s.AddStatus(r)
	}
	q := All(2)
	p := s.Budgets(q)
	k, err := ParseCursor(p.Next)
	if err != nil || len(p.Items) != 2 || p.Items[0].Total != 2 || p.Items[1].Entity != "pay" {
		t.Fatalf("%+v, %v", p, err)
	}
	q.Before = &k
	if p = s.Budgets(q); len(p.Items) != 1 || p.Items[0].SLO != "b" || p.Next != "" {
		t.Errorf("got %+v", p)
	}
	q = All(10)
	q.SLO, q.Entity, q.State = "a", "cart", "OK"
	if p = s.Budgets(q); len(p.Items) != 1 {
		t.Errorf("got %+v", p)
	}
}

// TestForceIsWhatDecideRemembers: the store is told what decide writes to its topic.
func TestForceIsWhatDecideRemembers(t *testing.T) {
	m, s := memory.New(nil), NewStore()
	say := func() {
		t.Helper()
		for _, c := range m.Changes() {
			if err := s.Remember(c.Key, c.Value); err != nil {
				t.Fatal(err)
			}
		}
	}
	hold := func(id string, kind flyball.ControlKind, seconds int, until flyball.Time) memory.Control {
		return memory.Control{Kind: kind, ID: id, At: at(seconds), Control: flyball.Control{Who: "ann", Why: id, Scope: flyball.Scope{Kind: "global"}, Until: until}}
	}
	kill := hold("k", flyball.ControlKill, 5, 0)
	m.Controls.Set(kill)
	m.Controls.Set(hold("p", flyball.ControlPause, 1, at(60)))
	m.Blasts.Set(memory.Blast{Guardrail: "nodes", Tripped: "at noon"})
	m.Blasts.Set(memory.Blast{Guardrail: "quiet"})
	for id, phase := range map[string]memory.Phase{"w": memory.Waiting, "u": memory.Unknown, "s": memory.Sent, "c": memory.Closed} {
		m.Operations.Set(memory.Operation{ID: id, Phase: phase})
	}
	m.Advance(at(30))
	say()
	f := s.Force(at(30))
	if len(f.Holds) != 2 || f.Holds[0].ID != "p" || f.Holds[1].Kind != flyball.ControlKill || f.Holds[1].Who != "ann" || f.Clock != at(30) {
		t.Errorf("holds are %+v", f.Holds)
	}
	if !cmp.Equal(f.Breakers, []Breaker{{"nodes", "at noon"}}) || len(f.Waiting) != 1 || f.Waiting[0].ID != "w" || len(f.Unknown) != 1 || f.Unknown[0].ID != "u" {
		t.Errorf("got %+v", f)
	}
	if f = s.Force(at(60)); len(f.Holds) != 1 {
		t.Errorf("what is over still holds: %+v", f.Holds)
	}
	m.Controls.Del(kill.Key())
	say()
	if f = s.Force(at(60)); len(f.Holds) != 0 {
		t.Errorf("what was lifted still holds: %+v", f.Holds)
	}
}
