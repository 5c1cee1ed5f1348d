package kafka

import (
	"crypto/ed25519"
	"math"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/twmb/franz-go/pkg/kgo"
)

// now is the event time of the examples.
const now = flyball.Time(1_767_225_600_250_000_000) // 2026-01-01T00:00:00.25Z

func exampleFinding() *flyball.Finding {
	threshold := 14.4
	return &flyball.Finding{
		ID: "f-1", Revision: 2, Kind: "burn_rate", State: flyball.FindingUpdated, Severity: "page",
		Entity: "checkout", Labels: flyball.LabelsOf("service", "checkout", "env", "prod"),
		Detector: "checkout-availability", Tier: "page_fast", At: now, OpenedAt: now.Add(-time.Minute),
		Summary:  "checkout burns its budget 20.5 times too fast",
		Evidence: []flyball.Evidence{{Name: "burn_long", Value: 20.5, Threshold: &threshold, Unit: "x", Window: "1h"}},
	}
}

func exampleDecision() *flyball.Decision {
	return &flyball.Decision{
		ID: "d-1", At: now, Verb: flyball.VerbAct, Rule: "rollback", RuleRevision: "r1", ConfigRevision: "c1",
		Finding: "f-1", FindingRevision: 2, Entity: "checkout", Target: "deploy/checkout",
		Action: flyball.Action{Name: "rollback", Params: map[string]string{"to": "previous"}}, Mode: flyball.ModeAuto,
		Gates:   []flyball.GateResult{{Gate: "mode", Pass: true, Reason: "the rule acts by itself (mode auto)"}},
		Explain: []flyball.SubExpression{{Expr: `finding.evidence.burn_long > 14 && finding.severity == "page"`, Value: "true"}},
		Command: "c-1",
	}
}

func exampleCommand() *flyball.Command {
	return &flyball.Command{
		ID: "c-1", At: now, Decision: "d-1", OperationID: "o-1", Attempt: 1,
		Action: flyball.Action{Name: "rollback", Params: map[string]string{"to": "previous"}}, Target: "deploy/checkout",
		Mode:     flyball.ModeAuto,
		Reason:   flyball.CommandReason{Rule: "rollback", Revision: "r1", Finding: "f-1", Evidence: exampleFinding().Evidence},
		Deadline: now.Add(2 * time.Minute),
	}
}

func exampleVerdict() *flyball.Verdict {
	inf := flyball.Number(math.Inf(1))
	cohort := flyball.CohortVerdict{Replicas: 2, Events: 9, Exposure: 600, Count: 10, Mean: 0.015, Min: 0, Max: 0.1, Std: 0.01, Last: 0.02,
		Quantiles: []flyball.Number{0, 0.1}}
	return &flyball.Verdict{
		ID: "a-1", Revision: 3, Canary: "checkout", Entity: "checkout", Version: "2", Baseline: "1", Phase: flyball.PhaseRunning,
		Verdict: flyball.VerdictInconclusive, Score: 85, Reason: "not decided: errors", Needs: "about 38 more errors or 12 min", Judge: "sequential",
		At: now, StartedAt: now.Add(-time.Minute), EndsAt: now.Add(time.Hour), Looks: 6, Held: 1, Step: 1, AllowedWeight: 5, By: "ci",
		Metrics: []flyball.MetricVerdict{{Name: "errors", Kind: "count", Direction: "increase", Group: "g", Verdict: flyball.VerdictInconclusive,
			Classification: "Inconclusive", Critical: true, Muted: true, Reason: "errors is 1.5 times the baseline", Effect: 1.5,
			Interval: [2]flyball.Number{0.5, inf}, Allowed: [2]flyball.Number{0, 1}, Tolerated: [2]flyball.Number{0, 2},
			EHarm: 1.2, ESafe: flyball.Number(math.NaN()), EFail: 40, EPass: 20, Needs: "about 38 more errors or 12 min", Notes: []string{"one replica"},
			Canary: cohort, Baseline: cohort}},
	}
}

func exampleRequest() *flyball.CanaryRequest {
	pass, marginal := 90.0, 50.0
	return &flyball.CanaryRequest{ID: "a-1", Cancel: true, Canary: "checkout", Entity: "checkout", Version: "2", Baseline: "1", Seconds: 600,
		Pass: &pass, Marginal: &marginal, By: "ci"}
}

func exampleOutcome() *flyball.Outcome {
	return &flyball.Outcome{Class: flyball.OutcomeTransient, Command: "c-1", Target: "deploy/checkout", At: now,
		OperationID: "o-1", Attempt: 1, Started: now, Finished: flyball.NoTime, Reason: "RESOURCE_BUSY", Detail: "a rollout is running"}
}

func exampleControl() *flyball.Control {
	return &flyball.Control{ID: "x-1", Kind: flyball.ControlMode, At: now, Who: "ann", Why: "load test", Until: now.Add(time.Hour),
		Scope: flyball.Scope{Kind: flyball.ScopeService, Name: "checkout"}, Mode: flyball.ModeApprove, Lifts: "x",
		Operation: "o-1", Target: "t", Guardrail: "g", Backlog: flyball.BacklogSkip}
}

// exampleKey is a key for tests, made of a seed that everyone knows.
func exampleKey(t testing.TB) *SigningKey {
	t.Helper()
	k, err := NewSigningKey("k1", ed25519.NewKeyFromSeed([]byte("flyball test seed, 32 bytes long")))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func exampleEncoder(t testing.TB) Encoder {
	return Encoder{Topics: Topics{Prefix: "flyball."}, Source: "/flyball/test", Key: exampleKey(t)}
}

func must(t testing.TB) func(*kgo.Record, error) *kgo.Record {
	return func(r *kgo.Record, err error) *kgo.Record {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
}

// exampleRecords are one record of every type.
func exampleRecords(t testing.TB) []*kgo.Record {
	e := exampleEncoder(t)
	opened, resolved := exampleFinding(), exampleFinding()
	opened.State, opened.Revision, opened.Incomplete, opened.Tier, opened.Evidence = flyball.FindingOpened, 1, true, "", nil
	resolved.State, resolved.Revision, resolved.Labels = flyball.FindingResolved, 3, nil
	suppressed := exampleDecision()
	suppressed.Verb, suppressed.Command, suppressed.Target, suppressed.Gates, suppressed.Explain = flyball.VerbSuppress, "", "", nil, nil
	plain := exampleCommand()
	plain.Action.Params, plain.Reason.Evidence = nil, nil
	lifecycle := exampleDecision()
	lifecycle.Verb, lifecycle.Command, lifecycle.Trigger = flyball.VerbEffective, "", "verification"
	lifecycle.Operation, lifecycle.Attempt, lifecycle.Causes, lifecycle.Reason = "o-1", 2, []string{"o-0"}, "it has recovered"
	lifecycle.Who, lifecycle.Notify = "ann", []string{"oncall"}
	full := exampleCommand()
	full.Verify = &flyball.CommandVerify{Indicator: "slo", Condition: "true", Within: 600, Stabilisation: 300}
	full.Compensation, full.Compensates = &flyball.Action{Name: "undo", Params: map[string]string{"to": "1"}}, "o-0"
	full.Approvals = []flyball.Approval{{Who: "ann", Why: "it is right", At: now}}
	return []*kgo.Record{
		must(t)(e.Decision(lifecycle)), must(t)(e.Command(full)), e.Watermark(Watermark{Partition: 1, Of: 3, Watermark: now}),
		must(t)(e.Outcome(exampleOutcome())), must(t)(e.Control(exampleControl())),
		must(t)(e.Finding(opened)), must(t)(e.Finding(exampleFinding())), must(t)(e.Finding(resolved)),
		must(t)(e.Decision(exampleDecision())), must(t)(e.Decision(suppressed)),
		must(t)(e.Verdict(exampleVerdict())), must(t)(e.Verdict(&flyball.Verdict{ID: "a-2", Revision: 1, Phase: flyball.PhaseWarmup, Verdict: flyball.VerdictInconclusive})),
		must(t)(e.CanaryRequest(exampleRequest(), now)), must(t)(e.CanaryRequest(&flyball.CanaryRequest{ID: "a", Canary: "c", Entity: "e"}, now)),
		must(t)(e.Command(exampleCommand())), must(t)(Encoder{Topics: e.Topics}.Command(plain)),
	}
}
