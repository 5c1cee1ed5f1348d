package evaluate

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if !slices.ContainsFunc(os.Args, func(a string) bool { return strings.Contains(a, "rapid.checks") }) {
		if err := flag.Set("rapid.checks", randomCases); err != nil {
			panic("BUG: " + err.Error())
		}
	}
	os.Exit(m.Run())
}

// draw has the laws of a test draw so many cases. It is for tests of what random logs
// reach, which the race detector would only make slow: make test runs them without it, too.
func draw(t *testing.T, cases string) {
	t.Helper()
	if underRace {
		t.Skip("it looks at what random logs reach, and is run without the race detector")
	}
	was := flag.Lookup("rapid.checks").Value.String()
	set := func(n string) {
		if err := flag.Set("rapid.checks", n); err != nil {
			t.Fatal(err)
		}
	}
	set(cases)
	t.Cleanup(func() { set(was) })
}
