package flyball

import (
	"math"
	"strings"
	"testing"
)

func TestParseMatcher(t *testing.T) {
	f := func(text string, name string, op MatchOp, value, canonical string) {
		t.Helper()
		m, err := ParseMatcher(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			return
		}
		if m.Name != name || m.Op != op || m.Value != value || m.String() != canonical {
			t.Errorf("%s is read as %q %q %q, %s", text, m.Name, m.Op, m.Value, m.String())
		}
		again, err := ParseMatcher(m.String())
		if err != nil || again.String() != m.String() || again.Number != m.Number {
			t.Errorf("%s does not read back: %v, %v", m.String(), again, err)
		}
	}
	f(`service.name="checkout"`, "service.name", MatchEqual, "checkout", `service.name="checkout"`)
	f(` a != b `, "a", MatchNotEqual, "b", `a!="b"`)
	f("route=~`/api/.*`", "route", MatchRegexp, "/api/.*", `route=~"/api/.*"`)
	f(`route!~"x|y"`, "route", MatchNotRegexp, "x|y", `route!~"x|y"`)
	f(`duration > 300ms`, "duration", MatchGreater, "300ms", `duration > 300ms`)
	f(`duration>=1e9`, "duration", MatchGreaterEqual, "1e9", `duration >= 1e9`)
	f(`n<-0.5`, "n", MatchLess, "-0.5", `n < -0.5`)
	f(`n <= 2s`, "n", MatchLessEqual, "2s", `n <= 2s`)
	f(`a=`, "a", MatchEqual, "", `a=""`)
	f(`a="=b"`, "a", MatchEqual, "=b", `a="=b"`)
}

func TestParseMatcherRefuses(t *testing.T) {
	for _, text := range []string{
		"", "a", `="b"`, "a~b", "a==b", "a=>1", "a>>1", `a="b`, `a=~"("`, "a > fast", "a > NaN", "a > ", "a <>1",
	} {
		if m, err := ParseMatcher(text); err == nil || !strings.HasPrefix(err.Error(), "cannot read matcher ") {
			t.Errorf("%q is read as %s, %v", text, m.String(), err)
		}
	}
}

func TestMatch(t *testing.T) {
	str := func(text, v string, want bool) {
		t.Helper()
		m, err := ParseMatcher(text)
		if err != nil {
			t.Fatal(err)
		}
		if m.Numeric() || m.MatchString(v) != want {
			t.Errorf("%s on %q: want %v", text, v, want)
		}
	}
	str(`a="x"`, "x", true)
	str(`a="x"`, "", false)
	str(`a=""`, "", true)
	str(`a!="x"`, "", true)
	str(`a=~"b|c"`, "b", true)
	str(`a=~"b|c"`, "bc", false)
	str(`a=~"b"`, "abc", false)
	str(`a=~"b"`, "b\n", false)
	str(`a=~".+"`, "x\ny", true)
	str(`a=~".*"`, "", true)
	str(`a!~"b|c"`, "c", false)
	str(`a!~"b|c"`, "d", true)

	num := func(text string, v float64, want bool) {
		t.Helper()
		m, err := ParseMatcher(text)
		if err != nil {
			t.Fatal(err)
		}
		if !m.Numeric() || m.MatchNumber(v) != want {
			t.Errorf("%s on %v: want %v", text, v, want)
		}
	}
	num("d > 300ms", 300e6, false)
	num("d >= 300ms", 300e6, true)
	num("d < 300ms", 299_999_999, true)
	num("d <= 300ms", 300e6+1, false)
	for _, op := range []string{">", ">=", "<", "<="} {
		num("d "+op+" 0", math.NaN(), false)
	}
}

func TestMatchPanicsOnTheWrongKind(t *testing.T) {
	f := func(call func()) {
		t.Helper()
		defer func() {
			if p, _ := recover().(string); !strings.HasPrefix(p, "BUG: ") {
				t.Errorf("panic %q", p)
			}
		}()
		call()
	}
	number, text := Matcher{Name: "a", Op: MatchLess}, Matcher{Name: "a", Op: MatchEqual}
	f(func() { number.MatchString("") })
	f(func() { text.MatchNumber(0) })
}
