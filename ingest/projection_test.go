package ingest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
)

// TestOnlyWhatEveryIndicatorAsksFor: a value is left out only if no indicator may want
// a sample with it.
func TestOnlyWhatEveryIndicatorAsksFor(t *testing.T) {
	f := func(want map[string][]string, filters ...[]string) {
		t.Helper()
		var indicators []flyball.Indicator
		for _, filter := range filters {
			var ind flyball.Indicator
			for _, text := range filter {
				m, err := flyball.ParseMatcher(text)
				if err != nil {
					t.Fatal(err)
				}
				ind.Filter = append(ind.Filter, m)
			}
			indicators = append(indicators, ind)
		}
		if diff := cmp.Diff(want, onlyOf(indicators)); diff != "" {
			t.Error(diff)
		}
	}
	f(map[string][]string{"a": {"1", "2"}}, []string{`a="1"`, `b!="3"`}, []string{`a="2"`, `b="4"`})
	f(map[string][]string{}, []string{`a="1"`}, []string{`a=~"2"`})
	f(map[string][]string{}, []string{`a="1"`}, nil)
	f(map[string][]string{"a": {"1"}}, []string{`a="1"`, `a="2"`})
}
