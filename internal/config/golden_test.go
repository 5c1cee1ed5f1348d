package config

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

var update = flag.Bool("update", false, "rewrite the expected parts of testdata")

// TestGolden reads the YAML files of every archive in testdata. Its part
// "problems" is what Lint says, with snippets; "config" is the configuration as
// understood, for archives without an error. The text before the first file may
// have lines "env NAME=value", "allow-unresolved" and "slos-only". Files whose
// name starts with / are there for ${file:…}.
func TestGolden(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives in testdata: %v", err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) { golden(t, name) })
	}
}

func golden(t *testing.T, name string) {
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	o, files := inputs(t, a)
	c, problems := o.Read(files)
	want, rest := map[string]string{}, []txtar.File{}
	for _, f := range a.Files {
		switch f.Name {
		case "problems", "config":
			want[f.Name] = string(f.Data)
		default:
			rest = append(rest, f)
		}
	}
	got := map[string]string{"problems": problemText(t, problems)}
	if !strictyaml.HasErrors(problems) && !o.SLOsOnly {
		text, err := Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		got["config"] = string(text)
		again, problems := o.Read([]File{{Name: "config", Text: text}})
		if !strings.Contains(string(text), "***") { // a secret does not come back
			for _, p := range problems {
				if p.Severity == strictyaml.Error && !o.AllowUnresolved {
					t.Errorf("the printed configuration has a problem: %v", p)
				}
			}
			if diff := diffConfigs(c, again); diff != "" {
				t.Errorf("the printed configuration is another one (-read +printed):\n%s", diff)
			}
		}
	} else if o.SLOsOnly {
		text, err := marshalSLOs(c)
		if err != nil {
			t.Fatal(err)
		}
		got["config"] = text
	}
	if *update {
		a.Files = rest
		for _, part := range []string{"problems", "config"} {
			if text, ok := got[part]; ok {
				a.Files = append(a.Files, txtar.File{Name: part, Data: []byte(text)})
			}
		}
		if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got, rewrite with -update):\n%s", name, diff)
	}
}

// marshalSLOs writes the SLOs only.
func marshalSLOs(c *Config) (string, error) {
	text, err := Marshal(&Config{SLOs: c.SLOs, Pipeline: DefaultPipeline()})
	_, slos, _ := bytes.Cut(text, []byte("---\n"))
	return string(slos), err
}

func inputs(t *testing.T, a *txtar.Archive) (Options, []File) {
	env := map[string]string{}
	var o Options
	for line := range strings.Lines(string(a.Comment)) {
		switch line = strings.TrimSpace(line); {
		case strings.HasPrefix(line, "env "):
			name, value, ok := strings.Cut(line[len("env "):], "=")
			if !ok {
				t.Fatalf("want env NAME=value, got %q", line)
			}
			env[name] = value
		case line == "allow-unresolved":
			o.AllowUnresolved = true
		case line == "slos-only":
			o.SLOsOnly = true
		}
	}
	var files []File
	secrets := map[string][]byte{}
	for _, f := range a.Files {
		switch {
		case strings.HasPrefix(f.Name, "/"):
			secrets[f.Name] = f.Data
		case isYAML(f.Name):
			files = append(files, File{Name: f.Name, Text: f.Data})
		}
	}
	o.LookupEnv = func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	o.ReadFile = func(path string) ([]byte, error) {
		if data, ok := secrets[path]; ok {
			return data, nil
		}
		return nil, errors.New("no such file")
	}
	return o, files
}

func problemText(t *testing.T, problems []Problem) string {
	var b strings.Builder
	if err := strictyaml.WriteText(&b, problems, true); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
