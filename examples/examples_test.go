package examples

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/scenario"
)

// manyWays are those that are run in all ways that must not matter. What the
// others add to that costs more than it tells: the machines are the same.
var manyWays = []string{"crash-loop/scenario.txtar"}

func TestExamplesAreWhole(t *testing.T) {
	names := Names()
	if len(names) < 8 {
		t.Errorf("only %d examples: %q", len(names), names)
	}
	for _, name := range names {
		for _, p := range config.Lint(filepath.Join(name, "config")) {
			t.Errorf("%s", p.String())
		}
		c, err := config.Load(filepath.Join(name, "config"))
		if err != nil {
			continue // lint has said why
		}
		if len(c.Rules) == 0 || len(c.Guardrails) == 0 || len(c.Actions) == 0 || len(c.Executors) != 1 {
			t.Errorf("%s: %d rules, %d guardrails, %d actions, %d executors", name, len(c.Rules), len(c.Guardrails), len(c.Actions), len(c.Executors))
		}
		for _, r := range c.Rules {
			if r.Verify.Within == 0 || r.Owner == "" {
				t.Errorf("%s: rule %s does not say how it is verified, or who answers for it", name, r.Name)
			}
		}
	}
}

// TestExecutorsKnowTheActions: whatever a rule can send, the executor can do.
func TestExecutorsKnowTheActions(t *testing.T) {
	for _, name := range Names() {
		c, err := config.Load(filepath.Join(name, "config"))
		if err != nil {
			t.Fatal(err)
		}
		var known []string
		for _, a := range c.Executors[0].Actions {
			known = append(known, a.Name)
		}
		for _, r := range c.Rules {
			wanted := []string{r.Action.Name}
			if r.Compensation.Name != "" {
				wanted = append(wanted, r.Compensation.Name)
			}
			for _, a := range r.Escalate {
				wanted = append(wanted, a.Name)
			}
			for _, a := range wanted {
				if !slices.Contains(known, a) {
					t.Errorf("%s: rule %s sends %s, which the executor does not know", name, r.Name, a)
				}
			}
		}
	}
}

func TestScenariosOfExamples(t *testing.T) {
	files, err := filepath.Glob("*/*.txtar")
	if err != nil || len(files) < 2*len(Names()) {
		t.Fatalf("%d scenarios of %d examples, %v", len(files), len(Names()), err)
	}
	for _, path := range files {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			s, err := scenario.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			if race {
				return
			}
			rep, err := s.Run(scenario.Options{Once: testing.Short() || !slices.Contains(manyWays, filepath.ToSlash(path))})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range rep.Failures {
				t.Errorf("%s:%d: %s", path, f.Line, f.Text)
			}
		})
	}
}

// TestPages: every example has a page of its own in the list, with the commands that
// show it.
func TestPages(t *testing.T) {
	index, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Names() {
		if !strings.Contains(string(index), "]("+name+"/README.md)") {
			t.Errorf("README.md does not name %s", name)
		}
		page, err := os.ReadFile(filepath.Join(name, "README.md"))
		if err != nil {
			t.Error(err)
			continue
		}
		text := string(page)
		for _, part := range []string{"## What happens", "## Why the guards matter", "## Make it yours", "## Common mistakes", "flyball test examples/" + name, "flyball dev --example " + name} {
			if !strings.Contains(text, part) {
				t.Errorf("%s/README.md lacks %q", name, part)
			}
		}
		checkNames(t, name, text)
	}
}

// checkNames: what a page names in code is in its configuration, word for word.
func checkNames(t *testing.T, name, page string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(name, "*", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for _, m := range regexp.MustCompile("`([a-z]+(?:-[a-z]+)+)`").FindAllStringSubmatch(page, -1) {
		if !strings.Contains(all.String(), m[1]) {
			t.Errorf("%s/README.md names %q, which is not in its configuration", name, m[1])
		}
	}
}
