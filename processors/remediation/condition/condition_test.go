package condition

import (
	"strings"
	"testing"

	"github.com/flyball-io/flyball"
	"github.com/google/go-cmp/cmp"
)

// finding is the one that the tests ask about.
func finding() *flyball.Finding {
	return &flyball.Finding{
		ID: "f1", Revision: 2, Kind: "burn_rate", State: flyball.FindingUpdated, Severity: "page",
		Entity: "checkout", Detector: "checkout-availability", Tier: "page_fast",
		Labels: flyball.LabelsOf("service", "checkout", "env", "prod"),
		At:     flyball.Time(100e9), OpenedAt: flyball.Time(40e9), Summary: "burns",
		Evidence: []flyball.Evidence{{Name: "burn_long", Value: 20.5}, {Name: "burn_short", Value: 31}, {Name: "burn_long", Value: 1}},
	}
}

func language(t testing.TB) *Language {
	t.Helper()
	l, err := NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func compile(t testing.TB, expr string) *Condition {
	t.Helper()
	c, issues := language(t).Compile(expr)
	if issues != nil {
		t.Fatalf("%s: %v", expr, issues)
	}
	return c
}

func TestEval(t *testing.T) {
	f := func(expr string, want bool) {
		t.Helper()
		got, err := compile(t, expr).Eval(NewView(finding(), 100e9, nil))
		if err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", expr, got, err, want)
		}
	}
	f(`finding.kind == "burn_rate" && finding.severity in ["page", "ticket"]`, true)
	f(`finding.id == "f1" && finding.state == "updated" && finding.entity == "checkout"`, true)
	f(`finding.detector == "checkout-availability" && finding.tier == "page_fast" && finding.summary == "burns"`, true)
	f(`finding.evidence.burn_long > 20 && finding.evidence["burn_short"] >= 31`, true) // doubles against integers
	f(`finding.revision > 1.5 && finding.revision < 2.5`, true)
	f(`finding.age == duration("60s") && finding.at - finding.opened_at == finding.age`, true)
	f(`finding.at == timestamp("1970-01-01T00:01:40Z")`, true)
	f(`finding.incomplete`, false)
	f(`finding.labels.service == "checkout" && finding.labels["env"] == "prod"`, true)
	f(`finding.labels.team == ""`, true) // no label is an empty label
	f(`has(finding.labels.env) && !has(finding.labels.team)`, true)
	f(`"env" in finding.labels && !("team" in finding.labels)`, true)
	f(`size(finding.labels) == 2 && finding.labels.size() == 2`, true)
	f(`finding.labels.exists(k, finding.labels[k] == "prod")`, true)
	f(`finding.evidence.all(k, k.startsWith("burn_"))`, true)
	f(`finding.labels.map(k, k) == ["env", "service"]`, true) // always in the order of names
	f(`has(finding.evidence.score) && finding.evidence.score > 3`, false)
	f(`finding.evidence.score > 3 || finding.tier == "page_fast"`, true) // what is known is enough
	f(`finding.entity.upperAscii() == "CHECKOUT"`, true)
	f(`finding.at.getHours() == 0`, true)
}

func TestEvalCannotSay(t *testing.T) {
	f := func(expr, want string) {
		t.Helper()
		got, err := compile(t, expr).Eval(NewView(finding(), 100e9, nil))
		if err == nil || got || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, %v, want an error with %q", expr, got, err, want)
		}
	}
	f(`finding.evidence.score > 3`, "no such key: score")
	f(`finding.revision / 0 == 1`, "division by zero")
	f(`flyball.Finding{kind: "x"} == finding`, "unknown type")
	list := "[" + strings.Repeat("1,", 200) + "1]"
	f(list+`.all(x, `+list+`.all(y, x + y + finding.revision > 0))`, "cost")
}

func TestAge(t *testing.T) {
	f := func(opened, at flyball.Time, want string) {
		t.Helper()
		fd := finding()
		fd.OpenedAt, fd.At = opened, at
		ok, err := compile(t, `finding.age == duration("`+want+`")`).Eval(NewView(fd, fd.At, nil))
		if err != nil || !ok {
			t.Errorf("opened %s, at %s: age is not %s (%v)", opened, at, want, err)
		}
	}
	f(0, flyball.Time(90e9), "90s")
	f(flyball.NoTime, flyball.Time(90e9), "0s")
	f(flyball.Time(91e9), flyball.Time(90e9), "0s")
}

func TestReadsState(t *testing.T) {
	f := func(expr string, want bool) {
		t.Helper()
		if got := compile(t, expr).ReadsState(); got != want {
			t.Errorf("%s: got %v, want %v", expr, got, want)
		}
	}
	f(`finding.kind == "state"`, false)
	f(`finding.labels.state == "x"`, false)
	f(`finding.kind == "x" || (finding.severity == "page" && finding.state == "resolved")`, true)
	f(`["opened"].exists(s, s == finding.state)`, true)
}

func TestCheck(t *testing.T) {
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
	f(`finding.kind == "x"`)
	f(`finding.severty == "page"`, `1:8: a finding has no field 'severty' (did you mean 'severity'?)`)
	f(`findng.kind == "x"`, `1:1: undeclared reference to 'findng' (did you mean 'finding'?)`)
	f(`finding.kind.startWith("a")`, `1:23: undeclared reference to 'startWith' (did you mean 'startsWith'?)`)
	f("finding.kind == 3 ||\n  finding.cluster == \"x\"",
		`1:14: found no matching overload for '_==_' applied to '(string, int)'`,
		`2:10: a finding has no field 'cluster' (it has age, at, detector, entity, evidence, id, incomplete, kind, labels, opened_at, revision, series, service, severity, state, summary, thresholds, tier; labels are finding.labels.cluster)`)
	f(`finding.kind`, `1:1: a condition must be true or false, this is string (compare it with something)`)
	f(`finding.labels == {"a": "b"}`, `1:8: finding.labels is a map and cannot be compared as a whole (read one of it: finding.labels.name)`)
	f(`{"a": 1.0} == finding.evidence`, `1:22: finding.evidence is a map and cannot be compared as a whole (read one of it: finding.evidence.name)`)
	f(`finding.labels in [{"a": "b"}]`, `1:8: finding.labels is a map and cannot be compared as a whole (read one of it: finding.labels.name)`)
	f(`finding.age > duration("5x")`, `1:24: invalid duration argument`)
	f(`finding.summary.matches("(")`, `1:25: invalid matches argument`)
	f(`[1].all(x, [2].all(y, [3].all(z, z == x)))`, `1:30: comprehension exceeds nesting limit`)
	if got := Check(strings.Repeat("dyn(", 100) + "1" + strings.Repeat(")", 100) + " == 1"); got == nil {
		t.Error("a condition nested 100 deep passes")
	}
	if got := Check(strings.Repeat(`finding.kind == "x" || `, 300) + "true"); got == nil {
		t.Errorf("a condition longer than %d characters passes", MaxSize)
	}
}

func TestExplain(t *testing.T) {
	f := func(expr string, want ...flyball.SubExpression) {
		t.Helper()
		if d := cmp.Diff(want, compile(t, expr).Explain(NewView(finding(), 100e9, nil))); d != "" {
			t.Errorf("%s (-want +got):\n%s", expr, d)
		}
	}
	f(`finding.kind == "burn_rate" && finding.evidence.burn_long > 14 && finding.age >= duration("1m")`,
		flyball.SubExpression{Expr: `finding.kind == "burn_rate" && finding.evidence.burn_long > 14 && finding.age >= duration("1m")`, Value: "true"},
		flyball.SubExpression{Expr: `finding.kind == "burn_rate"`, Value: "true"},
		flyball.SubExpression{Expr: `finding.kind`, Value: `"burn_rate"`},
		flyball.SubExpression{Expr: `finding.evidence.burn_long > 14`, Value: "true"},
		flyball.SubExpression{Expr: `finding.evidence.burn_long`, Value: "20.5"},
		flyball.SubExpression{Expr: `finding.age >= duration("1m")`, Value: "true"},
		flyball.SubExpression{Expr: `finding.age`, Value: "1m0s"})
	// Every part has a value, those that were not needed too.
	f(`finding.tier == "page_fast" || finding.evidence.score > 3`,
		flyball.SubExpression{Expr: `finding.tier == "page_fast" || finding.evidence.score > 3`, Value: "true"},
		flyball.SubExpression{Expr: `finding.tier == "page_fast"`, Value: "true"},
		flyball.SubExpression{Expr: `finding.tier`, Value: `"page_fast"`},
		flyball.SubExpression{Expr: `finding.evidence.score > 3`, Value: "error: no such key: score"},
		flyball.SubExpression{Expr: `finding.evidence.score`, Value: "error: no such key: score"})
	// A macro reads as it was written, and its inside is not listed.
	f(`finding.labels.exists(k, finding.labels[k] == "prod") && "env" in finding.labels`,
		flyball.SubExpression{Expr: `finding.labels.exists(k, finding.labels[k] == "prod") && "env" in finding.labels`, Value: "true"},
		flyball.SubExpression{Expr: `finding.labels.exists(k, finding.labels[k] == "prod")`, Value: "true"},
		flyball.SubExpression{Expr: `"env" in finding.labels`, Value: "true"},
		flyball.SubExpression{Expr: `finding.labels`, Value: `{"env": "prod", "service": "checkout"}`})
	f(`has(finding.labels.team) || finding.at > finding.opened_at`,
		flyball.SubExpression{Expr: `has(finding.labels.team) || finding.at > finding.opened_at`, Value: "true"},
		flyball.SubExpression{Expr: `has(finding.labels.team)`, Value: "false"},
		flyball.SubExpression{Expr: `finding.at > finding.opened_at`, Value: "true"},
		flyball.SubExpression{Expr: `finding.at`, Value: "1970-01-01T00:01:40Z"},
		flyball.SubExpression{Expr: `finding.opened_at`, Value: "1970-01-01T00:00:40Z"})
}

func BenchmarkCondition(b *testing.B) {
	c := compile(b, `finding.kind == "burn_rate" && finding.severity in ["page", "ticket"] && finding.evidence.burn_long > 14 && finding.labels.service == "checkout"`)
	fd := finding()
	b.Run("eval", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if ok, err := c.Eval(NewView(fd, fd.At, nil)); !ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	})
	b.Run("explain", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if len(c.Explain(NewView(fd, fd.At, nil))) == 0 {
				b.Fatal("nothing explained")
			}
		}
	})
}
