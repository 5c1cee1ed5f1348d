package scenario

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestScenariosOfTheManualExist: the manual names scenarios, and names all of
// them that are about a rule.
func TestScenariosOfTheManualExist(t *testing.T) {
	text := page(t, "semantics.md")
	files, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	exists := map[string]bool{}
	for _, f := range files {
		exists[strings.TrimSuffix(filepath.Base(f), ".txtar")] = true
	}
	named := 0
	for _, m := range regexp.MustCompile("`([a-z]+(?:_[a-z]+)+|abort|rebalance)`").FindAllStringSubmatch(text, -1) {
		if name := m[1]; !exists[name] && name != "too_far_ahead" {
			t.Errorf("docs/semantics.md names scenario %s, which does not exist", name)
		} else if exists[name] {
			named++
		}
	}
	if named < 40 {
		t.Errorf("docs/semantics.md names only %d scenarios", named)
	}
}

// TestExamplesOfTheManual runs the scenarios that the manual shows.
func TestExamplesOfTheManual(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```txtar\n(.*?)```").FindAllStringSubmatch(page(t, "scenarios.md"), -1)
	if len(blocks) < 2 {
		t.Fatalf("docs/scenarios.md shows %d scenarios", len(blocks))
	}
	for i, b := range blocks {
		s, err := Parse("docs/scenarios.md", b[1])
		if err != nil {
			t.Errorf("example %d: %v", i+1, err)
			continue
		}
		rep, err := s.Run(Options{})
		if err != nil {
			t.Errorf("example %d: %v", i+1, err)
		}
		for _, f := range rep.Failures {
			t.Errorf("example %d, line %d: %s", i+1, f.Line, f.Text)
		}
	}
}
