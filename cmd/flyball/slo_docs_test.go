package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// TestSLOManual runs the worked example of docs/slo.md, and lints its documents.
func TestSLOManual(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "slo.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string][]string{}
	for _, m := range regexp.MustCompile("(?s)```(yaml|csv|json|text)\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		blocks[m[1]] = append(blocks[m[1]], m[2])
	}
	slo, slices := blocks["yaml"][0], blocks["csv"][0]
	run := func(command, doc string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "slo.yaml")
		if err := os.WriteFile(path, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
		out, talk, code := flyballCommand(t, slices, "slo", command, "--slo", path, "--slices", "-")
		if code != exitOK {
			t.Fatalf("exit %d: %s", code, talk)
		}
		return out
	}
	replayed, _, _ := strings.Cut(run("replay", slo), `{"summary"`)
	for what, pair := range map[string][2]string{
		"replay":            {blocks["json"][0], replayed},
		"status":            {blocks["text"][0], run("status", slo)},
		"with an exclusion": {blocks["text"][1], run("status", slo+"---\n"+blocks["yaml"][1])},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Errorf("%s (-manual +run):\n%s", what, diff)
		}
	}
	const prelude = `apiVersion: flyball.dev/v1
kind: Source
metadata: {name: spans}
spec: {topics: [spans], format: otlp_spans}
---
apiVersion: flyball.dev/v1
kind: Indicator
metadata: {name: requests}
spec: {source: spans}
---
`
	_, problems := config.Options{}.Read([]config.File{{Name: "slo.md", Text: []byte(prelude + strings.Join(blocks["yaml"], "---\n"))}})
	for _, p := range problems {
		if p.Severity == strictyaml.Error {
			t.Errorf("%v", p.String())
		}
	}
}
