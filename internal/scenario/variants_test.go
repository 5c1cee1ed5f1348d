package scenario

import (
	"slices"
	"strings"
	"testing"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/scenario/engine"
	"github.com/flyball-io/flyball/processors"
)

// TestVariantsSeeDifferences: a scenario that depends on what must not matter is
// found out.
func TestVariantsSeeDifferences(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		s, err := Parse("x.txtar", text)
		if err != nil {
			t.Fatal(err)
		}
		list, err := s.vary()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, x := range list {
			name, _, _ := strings.Cut(strings.TrimPrefix(x.Text, "run as "), ",")
			got = append(got, name)
		}
		if !slices.Equal(want, got) {
			t.Errorf("variants that differ are %q, want %q", got, want)
		}
	}
	f("-- input --\npartition 0 cart: 1x12\n-- script --\nadvance 2m\n")
	const strict = "-- c.yaml --\napiVersion: flyball.dev/v1\nkind: Source\nmetadata: {name: spans}\nspec: {topics: [spans], format: otlp_spans}\n---\n" +
		"apiVersion: flyball.dev/v1\nkind: Indicator\nmetadata: {name: requests}\nspec: {source: spans, window: 10s, lateness: 0s}\n-- input --\n"
	// Two samples a second apart, one of which makes the other too late.
	const late = strict + "partition 0 cart: 1\npartition 0 cart from 16s: 1\npartition 0 cart late 17s: 1\n-- script --\nadvance 20s\n"
	f(late, "flush-slow")
	f("-- options --\nmetamorphic: without flush-slow, because one sample makes the other late\n" + late)
	// An idle partition, which a new owner takes for busy: what would be too late
	// is not.
	f(strict+"partition 0 cart step 2s: 1x20\npartition 1 cart: 1\npartition 0 cart from 2s late 25s: 1\n-- script --\nadvance 40s\n",
		"rebalance-aggregate")
}

// TestBrokenPromises: what may never come out is reported.
func TestBrokenPromises(t *testing.T) {
	window := func(revision uint32) engine.Result {
		return engine.Result{Window: &processors.WindowRow{Indicator: "requests", Entity: "cart", Labels: `{"service.name":"cart"}`, Revision: revision}}
	}
	finding := func(state flyball.FindingState, revision int) engine.Result {
		return engine.Result{Finding: &flyball.Finding{ID: "f", State: state, Revision: revision}}
	}
	command := engine.Result{Command: &flyball.Command{ID: "c"}}
	f := func(want string, results ...engine.Result) {
		t.Helper()
		s, err := Parse("x.txtar", small)
		if err != nil {
			t.Fatal(err)
		}
		r := &run{scenario: s, printer: printer{s.options.origin, s.spec}, results: results}
		broken := strings.Join(r.outcome().broken, "\n")
		if want == "" && broken != "" || !strings.Contains(broken, want) {
			t.Errorf("broken promises are %q, want %q", broken, want)
		}
	}
	f("", window(1), window(2), window(3))
	f("", window(2), window(3))
	f("revision 1 of a window came when revision 2 was due", window(1), window(1))
	f("revision 3 of a window came when revision 2 was due", window(1), window(3))
	f("revision 3 of a window came when revision 1 was due", window(3))
	f("", finding(flyball.FindingOpened, 1), finding(flyball.FindingUpdated, 2), finding(flyball.FindingResolved, 3))
	f("a finding came after revision 1 (opened)", finding(flyball.FindingOpened, 1), finding(flyball.FindingOpened, 2))
	f("a finding came after revision 2 (resolved)", finding(flyball.FindingOpened, 1), finding(flyball.FindingResolved, 2), finding(flyball.FindingUpdated, 3))
	f("a finding came after revision 0 ()", finding(flyball.FindingUpdated, 1))
	f("", command)
	f("a command came twice", command, command)
}
