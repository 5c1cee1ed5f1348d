package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReferenceIsCurrent: the committed pages are those that the types make, and every
// field says what it means.
func TestReferenceIsCurrent(t *testing.T) {
	all, err := pages(filepath.Join("..", "config", "spec"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join("..", "..", "docs", "reference")
	for name, text := range all {
		committed, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(committed) != text {
			t.Errorf("docs/reference/%s is not what the types say (%v): make reference", name, err)
		}
		for _, line := range strings.Split(text, "\n") {
			if strings.HasPrefix(line, "| `") && strings.HasSuffix(strings.TrimSuffix(line, " |"), " | ") {
				t.Errorf("%s: a field without a meaning: %s", name, line)
			}
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != len(all) {
		t.Errorf("docs/reference has %d files, want %d (%v)", len(files), len(all), err)
	}
}

func TestSourcePage(t *testing.T) {
	all, err := pages(filepath.Join("..", "config", "spec"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| `topics` | list of text | required | Topics to read. |",
		"| `outOfOrderness` | duration | `5s` |", "At most 1h. |",
		"| `json` | [JSONMapping](#jsonmapping) |", "## JSONMapping", "One of `s`, `ms`, `us`, `ns`.",
	} {
		if !strings.Contains(all["source.md"], want) {
			t.Errorf("source.md lacks %q:\n%s", want, all["source.md"])
		}
	}
}
