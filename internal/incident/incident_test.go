package incident

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
)

var update = flag.Bool("update", false, "rewrite the reports in testdata")

var noon = flyball.TimeOf(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))

func at(seconds int) flyball.Time { return noon.Add(time.Duration(seconds) * time.Second) }

func finding(id string, revision int, state flyball.FindingState, seconds, opened int) flyball.Finding {
	limit := 14.4
	return flyball.Finding{ID: id, Revision: revision, Kind: "burn_rate", State: state, Severity: "page", Entity: "checkout", Detector: "availability",
		At: at(seconds), OpenedAt: at(opened), Summary: "error budget of availability burns 18.5 times too fast over 1h",
		Evidence: []flyball.Evidence{{Name: "burn_long", Value: 18.5, Threshold: &limit, Unit: "x", Window: "1h"}}}
}

func decision(id string, verb flyball.Verb, about, op string, seconds int, reason string) flyball.Decision {
	return flyball.Decision{ID: id, At: at(seconds), Verb: verb, Rule: "rollback-on-burn", Finding: about, Entity: "checkout", Target: "deploy/checkout",
		Action: flyball.Action{Name: "rollback"}, Mode: flyball.ModeApprove, Operation: op, Reason: reason}
}

// approved is a finding that came before, one that a rollback mended after a person had
// approved it, one that was grouped with it, and one that has nothing to do with it.
func approved() Events {
	grouped := finding("f-3", 1, flyball.FindingOpened, 50, 50)
	grouped.Detector, grouped.Severity, grouped.Summary = "latency", "ticket", "p99 of /pay|cart is <b>high</b>"
	over := grouped
	over.Revision, over.State, over.At = 2, flyball.FindingResolved, at(200)
	other := finding("f-9", 1, flyball.FindingOpened, 10, 10)
	other.Entity = "search"
	act := decision("d-2", flyball.VerbAct, "f-2", "o-1", 40, "")
	act.Who, act.Command = "ann", "c-1"
	otherDecision := decision("d-9", flyball.VerbSuppress, "f-9", "", 10, "")
	return Events{
		Findings: []flyball.Finding{finding("f-1", 1, flyball.FindingOpened, -7200, -7200), finding("f-1", 2, flyball.FindingResolved, -7000, -7200),
			finding("f-2", 1, flyball.FindingOpened, 0, 0), other, grouped, finding("f-2", 2, flyball.FindingResolved, 180, 0), over},
		Decisions: []flyball.Decision{
			decision("d-1", flyball.VerbAwait, "f-2", "o-1", 1, ""), act, otherDecision,
			decision("d-3", flyball.VerbAccept, "f-2", "o-1", 41, ""), decision("d-4", flyball.VerbGroup, "f-3", "o-1", 50, "explained by a running operation"),
			decision("d-5", flyball.VerbVerify, "f-2", "o-1", 60, ""), decision("d-6", flyball.VerbRecover, "f-2", "o-1", 180, ""),
			decision("d-7", flyball.VerbEffective, "f-2", "o-1", 480, "the indicator has recovered"),
		},
		Commands: []flyball.Command{{ID: "c-1", At: at(40), OperationID: "o-1", Attempt: 1, Action: flyball.Action{Name: "rollback"}, Target: "deploy/checkout", Deadline: at(340)}},
		Outcomes: []flyball.Outcome{
			{Class: flyball.OutcomeAccepted, OperationID: "o-1", Attempt: 1, Target: "deploy/checkout", At: at(41)},
			{Class: flyball.OutcomeSucceeded, OperationID: "o-1", Attempt: 1, Target: "deploy/checkout", At: at(58), Detail: "rolled back to 41"},
		},
		Seen: map[string]flyball.Time{"f-2": noon.Add(700 * time.Millisecond)},
	}
}

// failed is a rollback that failed for good, made things worse, and was then paged.
func failed() Events {
	held := decision("d-0", flyball.VerbSuppress, "f-2", "", 0, "")
	held.Rule, held.Gates = "restart-on-burn", []flyball.GateResult{{Gate: "scope", Pass: true}, {Gate: "cooldown", Reason: "wait until 12:10"}}
	return Events{
		Findings: []flyball.Finding{finding("f-2", 1, flyball.FindingOpened, 0, 0)},
		Decisions: []flyball.Decision{held, decision("d-1", flyball.VerbAct, "f-2", "o-1", 1, ""), decision("d-2", flyball.VerbFail, "f-2", "o-1", 5, "permanent_failure"),
			decision("d-3", flyball.VerbPage, "f-2", "o-1", 5, "nothing is left to try on deploy/checkout: a person is needed")},
		Commands: []flyball.Command{{ID: "c-1", At: at(1), OperationID: "o-1", Attempt: 1, Action: flyball.Action{Name: "rollback"}, Target: "deploy/checkout", Deadline: at(301)}},
		Outcomes: []flyball.Outcome{{Class: flyball.OutcomePermanent, OperationID: "o-1", Attempt: 1, Target: "deploy/checkout", At: at(5), Reason: "PERMISSION_DENIED"}},
	}
}

// byHand is a finding that no rule answers.
func byHand() Events {
	return Events{Findings: []flyball.Finding{finding("f-2", 1, flyball.FindingOpened, 0, 0), finding("f-2", 2, flyball.FindingResolved, 900, 0)}}
}

func TestReports(t *testing.T) {
	for name, e := range map[string]Events{"approved": approved(), "failed": failed(), "by_hand": byHand()} {
		r, err := Build("f-2", e)
		if err != nil {
			t.Fatal(err)
		}
		var md, js bytes.Buffer
		if err := r.Markdown(&md); err != nil {
			t.Fatal(err)
		}
		out := json.NewEncoder(&js)
		out.SetIndent("", "  ")
		if err := out.Encode(r); err != nil {
			t.Fatal(err)
		}
		for ext, got := range map[string]string{".md": md.String(), ".json": js.String()} {
			file := filepath.Join("testdata", name+ext)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		}
	}
}

// TestAnyID: whatever of it is asked for, the report is the same, in any order of the
// events and with each given twice.
func TestAnyID(t *testing.T) {
	want, err := Build("f-2", approved())
	if err != nil {
		t.Fatal(err)
	}
	for seed, id := range []string{"f-2", "f-3", "o-1", "d-1", "c-1"} {
		e := approved()
		e.Findings, e.Decisions = append(e.Findings, e.Findings...), append(e.Decisions, e.Decisions...)
		e.Commands, e.Outcomes = append(e.Commands, e.Commands...), append(e.Outcomes, e.Outcomes...)
		rng := rand.New(rand.NewSource(int64(seed)))
		rng.Shuffle(len(e.Findings), func(i, j int) { e.Findings[i], e.Findings[j] = e.Findings[j], e.Findings[i] })
		rng.Shuffle(len(e.Decisions), func(i, j int) { e.Decisions[i], e.Decisions[j] = e.Decisions[j], e.Decisions[i] })
		rng.Shuffle(len(e.Outcomes), func(i, j int) { e.Outcomes[i], e.Outcomes[j] = e.Outcomes[j], e.Outcomes[i] })
		got, err := Build(id, e)
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		got.ID = want.ID
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("by %s (-want +got):\n%s", id, diff)
		}
	}
	for _, id := range []string{"x", ""} {
		if _, err := Build(id, approved()); err == nil || !strings.Contains(err.Error(), "cannot report") {
			t.Errorf("id %q: %v", id, err)
		}
	}
}

func TestOutcomes(t *testing.T) {
	f := func(want string, verbs ...flyball.Verb) {
		t.Helper()
		e := failed()
		e.Outcomes, e.Decisions = nil, []flyball.Decision{decision("d", flyball.VerbAct, "f-2", "o-1", 1, "")}
		for i, v := range verbs {
			e.Decisions = append(e.Decisions, decision(string(v), v, "f-2", "o-1", 2+i, ""))
		}
		r, err := Build("f-2", e)
		if err != nil || r.Outcome != want {
			t.Errorf("%v come to %s, want %s: %v", verbs, r.Outcome, want, err)
		}
	}
	f(UnderWay)
	f(UnderWay, flyball.VerbAccept, flyball.VerbVerify)
	f(Effective, flyball.VerbVerify, flyball.VerbRecover, flyball.VerbEffective)
	f(Effective, flyball.VerbIneffective, flyball.VerbAct, flyball.VerbEffective)
	f(Ineffective, flyball.VerbIneffective, flyball.VerbPage)
	f(Worse, flyball.VerbWorse)
	f(Unknown, flyball.VerbUnknown)
	f(Ineffective, flyball.VerbFail, flyball.VerbPage)
}
