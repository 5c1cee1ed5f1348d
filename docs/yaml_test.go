package docs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v4"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// surroundings are what blocks refer to and do not show.
const surroundings = "testdata/surroundings.yaml"

// document is one document of a block.
type document struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name string }
	text       string
	block      int
}

// ours reports whether Flyball reads the document.
func (d document) ours() bool {
	return strings.HasPrefix(d.APIVersion, "flyball.dev/") || strings.HasPrefix(d.APIVersion, "openslo/")
}

func (d document) is(other document) bool {
	return d.Kind == other.Kind && d.Metadata.Name == other.Metadata.Name
}

var separator = regexp.MustCompile(`(?m)^---[ \t]*\n`)

// documents reads those of a text, and the first error.
func documents(text string, block int) (list []document, err error) {
	for _, part := range separator.Split(text, -1) {
		d := document{text: part, block: block}
		if e := yaml.Unmarshal([]byte(part), &d); e != nil && err == nil {
			err = e
		}
		list = append(list, d)
	}
	return list, err
}

// TestYAML lints every configuration that a page shows, together with what else is on the
// page. What is not whole says so behind its fence, and why: yaml fragment REASON.
func TestYAML(t *testing.T) {
	text, err := os.ReadFile(surroundings)
	if err != nil {
		t.Fatal(err)
	}
	around, err := documents(string(text), -1)
	if err != nil {
		t.Fatal(err)
	}
	blocks, linted := 0, 0
	for _, p := range pages() {
		var ours []document
		for i, b := range p.blocks {
			if b.lang != "yaml" && b.lang != "yml" {
				continue
			}
			blocks++
			if err := syntax(b.text); err != nil {
				t.Errorf("%s:%d: %v", p.path, b.line, err)
				continue
			}
			docs, _ := documents(b.text, i)
			if reason, fragment := strings.CutPrefix(b.info, "fragment"); fragment {
				if strings.TrimSpace(reason) == "" {
					t.Errorf("%s:%d: say behind the fence what it is a fragment of", p.path, b.line)
				}
				continue
			}
			for _, d := range docs {
				switch {
				case d.ours():
					ours = append(ours, d)
				case d.APIVersion == "":
					t.Errorf("%s:%d: a document without apiVersion; if it is a part or not for Flyball, write ```yaml fragment and of what", p.path, b.line)
				}
			}
		}
		linted += lint(t, p, ours, around)
	}
	if blocks < 60 || linted < 60 {
		t.Errorf("only %d blocks with %d documents were looked at", blocks, linted)
	}
}

// syntax says what is wrong with a text as YAML.
func syntax(text string) error {
	d := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	for {
		var v any
		if err := d.Decode(&v); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// likely is what a variable or a file of secrets may hold.
func likely(name string) string {
	switch {
	case strings.Contains(strings.ToUpper(name), "DSN"):
		return "https://clickhouse:8443/flyball"
	case name == "KAFKA" || name == "CLICKHOUSE" || name == "MINE":
		return "127.0.0.1:9092"
	}
	return "https://hooks.example.com/" + name
}

// lint lints the documents of a page block by block: others of the page, and the
// surroundings, are there for what is referred to. It returns how many documents it has seen.
func lint(t *testing.T, p page, ours, around []document) int {
	t.Helper()
	for i, b := range p.blocks {
		var own []string
		var rest []string
		has := func(d document) bool {
			for _, o := range ours {
				if o.block == i && o.is(d) {
					return true
				}
			}
			return false
		}
		taken := map[string]bool{}
		for _, o := range ours {
			key := o.Kind + "/" + o.Metadata.Name
			switch {
			case o.block == i:
				own = append(own, o.text)
			case !has(o) && !taken[key] && o.Kind != "Pipeline":
				taken[key] = true
				rest = append(rest, o.text)
			}
		}
		if len(own) == 0 {
			continue
		}
		for _, a := range around {
			if key := a.Kind + "/" + a.Metadata.Name; !has(a) && !taken[key] {
				rest = append(rest, a.text)
			}
		}
		name := fmt.Sprintf("%s, block at line %d", p.path, b.line)
		files := []config.File{{Name: name, Text: []byte(strings.Join(own, "---\n"))}, {Name: "surroundings", Text: []byte(strings.Join(rest, "---\n"))}}
		options := config.Options{
			LookupEnv: func(name string) (string, bool) { return likely(name), true },
			ReadFile:  func(path string) ([]byte, error) { return []byte(likely(path)), nil },
		}
		_, problems := options.Read(files)
		for _, problem := range problems {
			if problem.File == name && problem.Severity == strictyaml.Error {
				t.Error(problem.String())
			}
		}
	}
	return len(ours)
}
