package docs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flyball-io/flyball/internal/convert"
	"github.com/flyball-io/flyball/internal/scenario"
)

// TestCookbook: the scenario of every recipe runs, on the very documents that the recipe
// shows.
func TestCookbook(t *testing.T) {
	text, err := os.ReadFile("cookbook.md")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, recipe := range strings.Split(string(text), "\n## ")[1:] {
		title, _, _ := strings.Cut(recipe, "\n")
		p := parse("docs/cookbook.md", recipe)
		for _, l := range p.links {
			if !strings.HasSuffix(l.target, ".txtar") {
				continue
			}
			used[l.target] = true
			t.Run(strings.TrimSuffix(filepath.Base(l.target), ".txtar"), func(t *testing.T) { cook(t, title, l.target, p) })
		}
	}
	files, err := filepath.Glob("cookbook/*.txtar")
	if err != nil || len(files) < 15 {
		t.Errorf("there are %d scenarios (%v)", len(files), err)
	}
	for _, f := range files {
		if !used[filepath.ToSlash(f)] {
			t.Errorf("no recipe names %s", f)
		}
	}
}

func cook(t *testing.T, title, file string, recipe page) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, b := range recipe.blocks {
		if b.lang != "yaml" || b.info != "" {
			continue
		}
		docs, _ := documents(b.text, 0)
		for _, d := range docs {
			shown++
			if !strings.Contains(string(text), d.text) {
				t.Errorf("%s shows a %s %s that its scenario does not have", title, d.Kind, d.Metadata.Name)
			}
		}
	}
	if shown == 0 {
		t.Errorf("%s shows no configuration", title)
	}
	s, err := scenario.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	rep, err := s.Run(scenario.Options{Once: once || testing.Short()})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range rep.Failures {
		t.Errorf("%s:%d: %s", file, f.Line, f.Text)
	}
}

// TestMigrations: what the pages show of flyball convert is what it writes.
func TestMigrations(t *testing.T) {
	for _, format := range []string{"sloth", "kayenta", "argo"} {
		blocks := pages()["docs/migrate-"+format+".md"].blocks
		for i, b := range blocks {
			if b.lang != "sh" || !strings.HasPrefix(b.text, "flyball convert "+format+" ") || i == 0 || i+1 == len(blocks) {
				continue
			}
			r, err := convert.Convert(format, []byte(blocks[i-1].text))
			if err != nil {
				t.Errorf("%s: %v", format, err)
			} else if string(r.YAML) != blocks[i+1].text {
				t.Errorf("docs/migrate-%s.md:%d: convert writes\n%s", format, blocks[i+1].line, r.YAML)
			}
			blocks = nil
			break
		}
		if blocks != nil {
			t.Errorf("docs/migrate-%s.md shows no conversion", format)
		}
	}
}
