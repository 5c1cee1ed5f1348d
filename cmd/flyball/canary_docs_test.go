package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	yaml "go.yaml.in/yaml/v4"

	"github.com/flyball-io/flyball/internal/config"
)

// TestCanaryManual lints the configuration of docs/canary.md, and reads the documents
// for other tools.
func TestCanaryManual(t *testing.T) {
	blocks := func(page string) [][]string {
		text, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
		if err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	}
	own := blocks("canary.md")
	if len(own) == 0 {
		t.Fatal("docs/canary.md has no configuration")
	}
	for _, b := range own {
		_, problems := config.Options{}.Read([]config.File{{Name: "canary.md", Text: []byte(b[1])}})
		for _, p := range problems {
			t.Errorf("%s", p.String())
		}
	}
	others := blocks("canary-delivery.md")
	if len(others) < 6 {
		t.Errorf("docs/canary-delivery.md has %d examples", len(others))
	}
	for _, b := range others {
		var v any
		if err := yaml.Unmarshal([]byte(b[1]), &v); err != nil {
			t.Errorf("%v in:\n%s", err, b[1])
		}
	}
}
