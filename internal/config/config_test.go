package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

const aRule = `apiVersion: flyball.dev/v1
kind: Rule
metadata: {name: %s}
spec: {when: 'finding.tier == "page_fast"', target: x, action: {name: a}}
`

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func rules(t *testing.T, path string) string {
	t.Helper()
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range c.Rules {
		names = append(names, r.Name)
	}
	return strings.Join(names, " ")
}

func TestLoadDirectory(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"z.yaml":         fmt.Sprintf(aRule, "z"),
		"sub/deep/a.yml": fmt.Sprintf(aRule, "a") + "---\n" + fmt.Sprintf(aRule, "b"),
		"notes.txt":      "not: [yaml",
		".hidden.yaml":   "not: [yaml",
		".git/c.yaml":    "not: [yaml",
	})
	if got, want := rules(t, dir), "a b z"; got != want {
		t.Errorf("rules of the directory: got %q, want %q", got, want)
	}
	if got, want := rules(t, filepath.Join(dir, "z.yaml")), "z"; got != want {
		t.Errorf("rules of one file: got %q, want %q", got, want)
	}
}

// A ConfigMap is mounted as links to links; each file must be read once.
func TestLoadConfigMap(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"..2024_01_01/r.yaml": fmt.Sprintf(aRule, "r")})
	for link, to := range map[string]string{"..data": "..2024_01_01", "r.yaml": "..data/r.yaml"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := rules(t, dir), "r"; got != want {
		t.Errorf("got rules %q, want %q", got, want)
	}
	// The directory itself may be a link, as a mount of a path often is.
	outer := filepath.Join(t.TempDir(), "config")
	if err := os.Symlink(dir, outer); err != nil {
		t.Fatal(err)
	}
	if got, want := rules(t, outer), "r"; got != want {
		t.Errorf("through a link: got rules %q, want %q", got, want)
	}
}

func TestLoadErrors(t *testing.T) {
	f := func(dir string, want ...string) {
		t.Helper()
		_, err := Load(dir)
		var e *Error
		if !errors.As(err, &e) {
			t.Fatalf("got %v, want an *Error", err)
		}
		lint := ""
		for _, p := range Lint(dir) {
			lint += p.String() + "\n"
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("Load says %q, want it to contain %q", err, w)
			}
			if !strings.Contains(lint, w) {
				t.Errorf("Lint says %q, want it to contain %q", lint, w)
			}
		}
	}
	dir := t.TempDir()
	f(filepath.Join(dir, "nothing"), "nothing", "unreadable")
	f(dir, "there is no .yaml or .yml file")
	write(t, dir, map[string]string{"a.yaml": "kind: Rule\n", "b.yaml": "a: [1\n", "c.yaml": "\xff\xfe"})
	if err := os.Symlink("nowhere", filepath.Join(dir, "d.yaml")); err != nil {
		t.Fatal(err)
	}
	f(dir, filepath.Join(dir, "a.yaml")+`:1:1: apiVersion: "apiVersion" is required [missing_field]`,
		filepath.Join(dir, "b.yaml")+":1:6: cannot parse YAML", filepath.Join(dir, "c.yaml")+": the file is not UTF-8 text",
		filepath.Join(dir, "d.yaml")+": cannot read configuration")
}

// Warnings do not keep a configuration from being loaded.
func TestLoadWithWarnings(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a.yaml": "apiVersion: flyball.dev/v1\nkind: Source\nmetadata: {name: s}\nspec: {topics: [t], format: otlp_spans}\n"})
	if _, err := Load(dir); err != nil {
		t.Errorf("cannot load: %v", err)
	}
	problems := Lint(dir)
	if len(problems) != 1 || problems[0].Severity != strictyaml.Warning {
		t.Errorf("got %v, want one warning", problems)
	}
}

// A reference that gives nothing is an error to Load and a warning to Lint.
func TestUnresolved(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a.yaml": "apiVersion: flyball.dev/v1\nkind: Pipeline\nmetadata: {name: p}\nspec: {clickhouse: {dsn: '${env:FLYBALL_NO_SUCH_VARIABLE}'}}\n"})
	if _, err := Load(dir); err == nil {
		t.Error("Load accepts an unset variable")
	}
	if problems := Lint(dir); len(problems) != 1 || strictyaml.HasErrors(problems) {
		t.Errorf("got %v, want one warning", problems)
	}
	t.Setenv("FLYBALL_NO_SUCH_VARIABLE", "tcp://db:9000")
	c, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(c.Pipeline.ClickHouse.DSN); got != "tcp://db:9000" {
		t.Errorf("got %q", got)
	}
}

func TestSecretIsNotPrinted(t *testing.T) {
	c := &Config{Pipeline: DefaultPipeline()}
	c.Pipeline.ClickHouse.DSN = "hunter2"
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "dsn", c.Pipeline.ClickHouse.DSN, "config", c.Pipeline)
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(c.Pipeline), fmt.Sprintf("%+v %#v %q", c.Pipeline, c.Pipeline, c.Pipeline.ClickHouse.DSN),
		logged.String(), string(asJSON), string(asYAML)} {
		if strings.Contains(text, "hunter2") || !strings.Contains(text, "***") {
			t.Errorf("the secret is printed: %s", text)
		}
	}
	if s := spec.Secret("").String(); s != "" {
		t.Errorf("an empty secret prints %q", s)
	}
}

// The revision of a rule is of what it says, not of how it is written.
func TestRuleRevision(t *testing.T) {
	revisionOf := func(text string) string {
		t.Helper()
		c, problems := Options{}.Read([]File{{Name: "r.yaml", Text: []byte(text)}})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		return c.Rules[0].Revision
	}
	first := revisionOf(fmt.Sprintf(aRule, "r"))
	again := revisionOf("# why\nkind: Rule\napiVersion: flyball.dev/v1\nmetadata:\n  name: r\n  labels: {a: b}\nspec:\n" +
		"  action: {name: a}\n  target: \"x\"\n  cooldown: 600s\n  when: |-\n    finding.tier == \"page_fast\"\n")
	if first != again || len(first) != 16 {
		t.Errorf("got revisions %q and %q for the same rule, want one of 16 digits", first, again)
	}
	if other := revisionOf(strings.Replace(fmt.Sprintf(aRule, "r"), "target: x", "target: y", 1)); other == first {
		t.Errorf("another target has the same revision %q", other)
	}
}

// An injected check of expressions is asked, and its hints are kept.
func TestInjectedCheck(t *testing.T) {
	var asked []string
	o := Options{CheckTemplate: noIssues, CheckExpr: func(expr string) []ExprIssue {
		asked = append(asked, expr)
		return []ExprIssue{{Line: 2, Col: 3, Message: "no", Hint: "yes"}}
	}}
	_, problems := o.Read([]File{{Name: "r.yaml", Text: []byte(
		"apiVersion: flyball.dev/v1\nkind: Rule\nmetadata: {name: r}\nspec:\n  target: x\n  action: {name: a}\n  when: |\n    one\n    two\n")}})
	if len(asked) != 1 || asked[0] != "one\ntwo\n" {
		t.Errorf("asked about %q", asked)
	}
	if len(problems) != 1 || problems[0].String() != "r.yaml:9:7: spec.when: no [invalid_expression]; yes" {
		t.Errorf("got %v", problems)
	}
}
