package condition

import (
	"fmt"
	"testing"

	"github.com/flyball-io/flyball"
	"github.com/google/go-cmp/cmp"
)

// nearby is a place with a few findings, one change and a few outcomes.
type nearby map[Side][]*flyball.Finding

func (n nearby) Open(_ *flyball.Finding, side Side) ([]string, []*flyball.Finding) {
	return map[Side][]string{SideUpstream: {"stock", "db"}, SideDownstream: {"shop"}}[side], n[side]
}

func (nearby) Changes(target string, of *flyball.Finding) []Change {
	c := Change{Entity: "checkout", Target: "deploy/checkout", Kind: "deployed", Version: "42", At: flyball.Time(70e9), Who: "bob"}
	if of != nil || target == c.Target {
		return []Change{c}
	}
	return nil
}

func (nearby) Outcomes(action, target string, _ flyball.Time) Outcomes {
	if action == "restart" && target == "deploy/checkout" {
		return Outcomes{Done: 4, Succeeded: 3, Failed: 1, Effective: 2, Ineffective: 1, Failures: 1}
	}
	return Outcomes{}
}

func around() nearby {
	limit := 14.4
	burn := &flyball.Finding{ID: "f2", Kind: "burn_rate", Entity: "checkout", Severity: "ticket", Labels: flyball.LabelsOf("cluster", "eu", "env", "dev"),
		Evidence: []flyball.Evidence{{Name: "burn_long", Value: 3, Threshold: &limit}}}
	return nearby{SideEntity: {burn}, SideUpstream: {{ID: "f3", Kind: "anomaly", Entity: "db", Severity: "page"}}}
}

func TestEvalAround(t *testing.T) {
	seen, expected := 9.0, 3.0
	fd := finding()
	fd.Series = []flyball.FindingSeries{{Indicator: "latency", Value: "p99", Observed: &seen, Expected: &expected, Direction: 1, Labels: flyball.LabelsOf("route", "/pay")}, {Indicator: "errors"}}
	f := func(expr string, want bool) {
		t.Helper()
		got, err := compile(t, expr).Eval(NewView(fd, 100e9, around()))
		if err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", expr, got, err, want)
		}
	}
	f(`entity.findings.exists(f, f.kind == "burn_rate" && f.evidence.burn_long > 2.0)`, true)
	f(`entity.findings.all(f, f.evidence.burn_long < f.thresholds.burn_long)`, true)
	f(`entity.labels.env == "prod" && entity.labels.cluster == "eu" && entity.labels.team == ""`, true) // the finding's own count first
	f(`size(upstream.findings) == 1 && upstream.findings[0].entity == "db" && upstream.findings[0].severity == "page"`, true)
	f(`"db" in upstream.services && downstream.services == ["shop"]`, true)
	f(`size(downstream.findings) > 0`, false)
	f(`history.change("deploy/" + finding.entity).age < duration("1m")`, true)
	f(`history.change("deploy/checkout").who == "bob" && history.change("deploy/checkout").at == timestamp("1970-01-01T00:01:10Z")`, true)
	f(`history.change("deploy/other").known || history.change("deploy/other").age < duration("719h")`, false)
	f(`changes.exists(c, c.kind == "deployed" && c.version == "42" && c.entity == finding.entity && c.age == duration("30s") && !c.ours)`, true)
	f(`changes.size() == 1 && changes[0].target == "deploy/checkout"`, true)
	f(`history.outcomes("restart", "deploy/checkout").done == 4 && history.outcomes("restart", "deploy/checkout").effective == 2`, true)
	f(`history.outcomes("restart", "deploy/other").failed + history.outcomes("restart", "deploy/other").failures > 0`, false)
	f(`finding.series.exists(s, s.indicator == "latency" && s.value == "p99" && s.observed > 2.0 * s.expected && s.labels.route == "/pay")`, true)
	f(`finding.service == "checkout"`, true)
}

func TestNothingAround(t *testing.T) {
	f := func(expr string) {
		t.Helper()
		if got, err := compile(t, expr).Eval(NewView(finding(), 100e9, nil)); err != nil || !got {
			t.Errorf("%s: got %v, %v", expr, got, err)
		}
	}
	f(`entity.findings.size() == 0 && upstream.services.size() == 0 && !history.change("x").known && history.outcomes("a", "b").done == 0`)
}

func TestEvalAroundCannotSay(t *testing.T) {
	many := nearby{}
	for i := range MaxFindings + 1 {
		many[SideUpstream] = append(many[SideUpstream], &flyball.Finding{ID: fmt.Sprint(i)})
	}
	f := func(expr string, in Surroundings) {
		t.Helper()
		if got, err := compile(t, expr).Eval(NewView(finding(), 100e9, in)); err == nil || got {
			t.Errorf("%s: got %v, %v, want an error", expr, got, err)
		}
	}
	f(`upstream.findings.exists(f, f.id == "0")`, many) // a part of them says nothing
	f(`history.change("deploy/other").at < finding.at`, around())
	f(`entity.findings[1].id == "x"`, around())
}

func TestCheckAround(t *testing.T) {
	f := func(expr string, want ...string) {
		t.Helper()
		var got []string
		for _, i := range Check(expr) {
			got = append(got, i.String())
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", expr, d)
		}
	}
	f(`upstreem.findings.size() > 0`, `1:1: undeclared reference to 'upstreem' (did you mean 'upstream'?)`)
	f(`upstream.finding.size() > 0`, `1:9: neighbours has no field 'finding' (did you mean 'findings'?)`)
	f(`entity.name == "x"`, `1:7: an entity has no field 'name' (it has findings, labels)`)
	f(`history.changes("x").known`, `1:16: undeclared reference to 'changes' (did you mean 'change'?)`)
	f(`history.outcome == "x"`, `1:8: history has no field 'outcome' (it has change(target) and outcomes(action, target))`)
	f(`history.change("x").whom == "x"`, `1:20: a change has no field 'whom' (did you mean 'who'?)`)
	f(`history.outcomes("a", "b").fails > 1`, `1:27: outcomes has no field 'fails' (did you mean 'failed'?)`)
	f(`history.outcomes("a").failed > 1`, `1:17: found no matching overload for 'outcomes' applied to 'flyball.History.(string)'`)
	f(`entity.findings.exists(f, f.sevrity == "page")`, `1:28: a finding has no field 'sevrity' (did you mean 'severity'?)`)
	f(`entity.findings.exists(f, f.labels == {"a": "b"})`, `1:28: f.labels is a map and cannot be compared as a whole (read one of it: f.labels.name)`)
}

func TestLabelsAround(t *testing.T) {
	want := []Use{{"env", 1, 15}, {"team", 1, 64}, {"zone", 1, 97}}
	got := LabelsOf(`finding.labels.env == "a" && entity.findings.exists(f, f.labels["team"] == "b") || entity.labels.zone == ""`)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestExplainAround(t *testing.T) {
	got := compile(t, `size(upstream.findings) > 0 && history.change("deploy/checkout").age < duration("1m")`).Explain(NewView(finding(), 100e9, around()))
	want := []flyball.SubExpression{
		{Expr: `size(upstream.findings) > 0 && history.change("deploy/checkout").age < duration("1m")`, Value: "true"},
		{Expr: `size(upstream.findings) > 0`, Value: "true"},
		{Expr: `size(upstream.findings)`, Value: "1"},
		{Expr: `upstream.findings`, Value: "[f3]"},
		{Expr: `history.change("deploy/checkout").age < duration("1m")`, Value: "true"},
		{Expr: `history.change("deploy/checkout").age`, Value: "30s"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
