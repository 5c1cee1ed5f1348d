package convert

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

var update = flag.Bool("update", false, "rewrite the expected results")

// The documents are those that were reviewed, and Flyball reads them.
func TestConvert(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, file := range files {
		format, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".yaml"), "_")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Convert(format, text)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		got := string(r.YAML) + "# notes\n"
		for _, n := range r.Notes {
			got += fmt.Sprintf("# %d: %s\n", n.Line, n.Text)
		}
		golden := strings.TrimSuffix(file, ".yaml") + ".golden"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got): %s", file, diff)
		}
		_, problems := config.Options{}.Read([]config.File{{Name: file, Text: r.YAML}})
		for _, p := range problems {
			if p.Severity == strictyaml.Error {
				t.Errorf("%s: the result does not lint: %s", file, p.String())
			}
		}
	}
}

func TestRefuses(t *testing.T) {
	f := func(format, text, want string) {
		t.Helper()
		if _, err := Convert(format, []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s %q: %v, want %s", format, text, err, want)
		}
	}
	f("kayenta", `{"name":"x"}`, "want a name and metrics")
	f("kayenta", `{"name":"x","metrics":[{"name":"cpu","query":{"type":"atlas"}}]}`, "none of the metrics counts")
	f("argo", "kind: Rollout", "there is no AnalysisTemplate")
	f("argo", "kind: AnalysisTemplate\nspec: {metrics: [{name: web, provider: {web: {url: x}}}]}", "none of the metrics")
	f("slot", "", `unknown format "slot"; one of argo, kayenta, openslo, sloth`)
	f("sloth", "a: [", "cannot convert from sloth")
	f("sloth", "service: x", "want version")
	f("sloth", "version: prometheus/v1\nservice: x\nslos: [{name: a}]", `slo "a": want a name and an objective`)
	f("openslo", "apiVersion: v1\nkind: SLO", "line 1: want apiVersion openslo/v1")
	f("openslo", "", "there is no document")
	f("openslo", "apiVersion: openslo/v1\nkind: DataSource", "there is no document")
}

func TestSelectors(t *testing.T) {
	f := func(query string, want ...selector) {
		t.Helper()
		if diff := cmp.Diff(want, selectors(query), cmp.AllowUnexported(selector{}, matcher{})); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
	f("")
	f("1 + 2")
	f(`rate(x[5m])`, selector{metric: "x"})
	f(`sum by (a) (rate(x:y_total{ a = "b,}" , c!~'d"e',f=~"\\d+",}[5m]))`,
		selector{"x:y_total", []matcher{{"a", "=", "b,}"}, {"c", "!~", `d"e`}, {"f", "=~", `\d+`}}})
	f(`a{x="1"} / b{}`, selector{"a", []matcher{{"x", "=", "1"}}}, selector{metric: "b"})
}

func FuzzConvert(f *testing.F) {
	for _, name := range []string{"sloth.yaml", "openslo.yaml"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(_ *testing.T, text []byte) {
		for _, format := range Formats() {
			_, _ = Convert(format.Name, text) // refuses or not, and does not panic
		}
	})
}
