package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/tools/txtar"

	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// FuzzRead: whatever the text, reading does not panic, every problem lies in the
// file, and a configuration without an error comes back from Marshal the same.
func FuzzRead(f *testing.F) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range archives {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		var all []string
		for _, file := range txtar.Parse(data).Files {
			if isYAML(file.Name) {
				f.Add(string(file.Data))
				all = append(all, string(file.Data))
			}
		}
		f.Add(strings.Join(all, "---\n"))
	}
	o := Options{CheckExpr: noIssues, CheckTemplate: noIssues,
		LookupEnv: func(name string) (string, bool) { return name, name != "" },
		ReadFile:  func(path string) ([]byte, error) { return nil, os.ErrNotExist }}
	f.Fuzz(func(t *testing.T, text string) { checkRead(t, o, text) })
}

func checkRead(t *testing.T, o Options, text string) {
	c, problems := o.Read([]File{{Name: "f.yaml", Text: []byte(text)}})
	lines := strings.Split(strings.TrimPrefix(text, "\uFEFF"), "\n")
	for _, p := range problems {
		if p.Line == 0 && p.Col == 0 && !utf8.ValidString(text) {
			continue // the file as a whole
		}
		if p.Line < 1 || p.Line > len(lines) || p.Col < 1 || p.Message == "" || p.Code == "" {
			t.Fatalf("problem outside of the %d lines of the file: %+v", len(lines), p)
		}
		if width := utf8.RuneCountInString(lines[p.Line-1]); p.Col > width+2 {
			t.Fatalf("problem at column %d of a line of %d characters: %v", p.Col, width, p)
		}
		p.Snippet()
	}
	if strictyaml.HasErrors(problems) {
		return
	}
	printed, err := Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(printed), "***") {
		return // a secret does not come back
	}
	again, problems := o.Read([]File{{Name: "printed.yaml", Text: printed}})
	if i := slices.IndexFunc(problems, func(p Problem) bool { return p.Severity == strictyaml.Error }); i >= 0 {
		t.Fatalf("%v\nin what was printed:\n%s", problems[i], printed)
	}
	if diff := diffConfigs(c, again); diff != "" {
		t.Fatalf("(-read +printed):\n%s\nin:\n%s", diff, printed)
	}
}
