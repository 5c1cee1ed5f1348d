package strictyaml

import (
	"fmt"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v4"
	"pgregory.net/rapid"
)

// TestLocate: for every character of a text, however it is written in YAML, the
// place that ReportInside finds holds that character, or an escape for it.
func TestLocate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-zé"'\\&|#:{}=.0-9-]{1,8}`), 1, 12).Draw(t, "words")
		text := words[0]
		for _, w := range words[1:] {
			text += rapid.SampledFrom([]string{" ", " ", "  ", "\n", "\n\n", "\n  "}).Draw(t, "gap") + w
		}
		style := rapid.SampledFrom([]yaml.Style{0, yaml.DoubleQuotedStyle, yaml.SingleQuotedStyle, yaml.LiteralStyle, yaml.FoldedStyle}).Draw(t, "style")
		source := dump(t, text, style, rapid.IntRange(20, 80).Draw(t, "width"))
		checkLocate(t, source, text)
	})
}

// dump writes text as the third value of a nested mapping.
func dump(t *rapid.T, text string, style yaml.Style, width int) string {
	scalar := func(s string, style yaml.Style) *yaml.Node {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Style: style}
	}
	inner := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{scalar("text", 0), scalar(text, style), scalar("next", 0), scalar("x", 0)}}
	outer := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{scalar("spec", 0), inner}}
	out, err := yaml.Dump(outer, yaml.WithLineWidth(width))
	if err != nil {
		t.Fatal(err)
	}
	return "# first line\n---\n" + string(out)
}

type holder struct {
	Spec struct {
		Text string `yaml:"text"`
		Next string `yaml:"next"`
	} `yaml:"spec"`
}

func checkLocate(t *rapid.T, source, text string) {
	docs, problems := Split("f.yaml", []byte(source))
	if len(docs) != 1 || len(problems) > 0 {
		t.Fatalf("got %d documents and %v of\n%s", len(docs), problems, source)
	}
	var h holder
	Decoder{}.Decode(docs[0], &h)
	if h.Spec.Text != text {
		t.Fatalf("read %q, want %q", h.Spec.Text, text)
	}
	lines := strings.Split(source, "\n")
	line, col := 1, 1
	for _, r := range text {
		if r != ' ' && r != '\n' { // a space may be a line break in the source
			docs[0].problems = nil
			docs[0].ReportInside(Problem{Path: "spec.text", Message: "here"}, line, col)
			p := docs[0].problems[0]
			if got := at(lines, p.Line, p.Col); got != r && got != '\\' {
				t.Fatalf("%d:%d of the text is %q; found %d:%d, which is %q, in\n%s", line, col, r, p.Line, p.Col, got, source)
			}
		}
		if col++; r == '\n' {
			line, col = line+1, 1
		}
	}
}

func at(lines []string, line, col int) rune {
	if line < 1 || line > len(lines) {
		return -1
	}
	if runes := []rune(lines[line-1]); col >= 1 && col <= len(runes) {
		return runes[col-1]
	}
	return -1
}

func TestReportInside(t *testing.T) {
	f := func(yamlText string, line, col int, want string) {
		t.Helper()
		docs, problems := Split("f", []byte("spec:\n  text: "+yamlText+"\n  next: x\n"))
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		var h holder
		Decoder{Expand: References{Env: func(string) (string, bool) { return "value", true }}}.Decode(docs[0], &h)
		docs[0].ReportInside(Problem{Path: "spec.text", Message: "here"}, line, col)
		p := docs[0].Problems()[0]
		if got := fmt.Sprintf("%d:%d", p.Line, p.Col); got != want {
			t.Errorf("%d:%d of %q: got %s, want %s", line, col, yamlText, got, want)
		}
	}
	f("abc", 1, 1, "2:9")
	f("abc", 1, 3, "2:11")
	f("abc", 1, 4, "2:12")  // right after the text
	f("abc", 1, 99, "2:12") // beyond it
	f("abc", 9, 1, "2:12")
	f(`"a\tb\u00e9\x41c"`, 1, 2, "2:11")
	f(`"a\tb\u00e9\x41c"`, 1, 5, "2:20")
	f(`"a\tb\u00e9\x41c"`, 1, 6, "2:24")
	f(`"\U0001F600x"`, 1, 2, "2:20")
	f(`'it''s'`, 1, 4, "2:14")
	f(`''`, 1, 1, "2:9")
	f("|  # comment\n    ab\n\n      cd", 3, 4, "5:8")
	f("|\n    ab\n    cd", 1, 3, "3:7") // the end of a line, as compilers report it
	f("|-\n    ab\n    cd", 2, 3, "4:7")
	f(">-\n    ab\n    cd\n\n    ef", 1, 4, "4:5")
	f(">-\n    ab\n    cd\n\n    ef", 2, 2, "6:6")
	f("ab\n    cd\n\n    ef", 1, 5, "3:6")
	f("\"ab\\\n    cd\"", 1, 3, "3:5")
	f("!!str &x abc", 1, 2, "2:19")
	f("a${env:X}c", 1, 3, "2:9") // the text is not what is written: its start
	f("[a]", 1, 1, "2:9")
}
