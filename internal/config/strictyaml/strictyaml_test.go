package strictyaml

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type sample struct {
	Name   string            `yaml:"name" required:"true"`
	Count  int               `yaml:"count" default:"3" min:"1" max:"9"`
	On     bool              `yaml:"on" default:"true"`
	Names  []string          `yaml:"names" default:"a,b"`
	Labels map[string]string `yaml:"labels"`
	Sub    *inner            `yaml:"sub"`
	Subs   []inner           `yaml:"subs"`
	Any    any               `yaml:"any"`
	Hidden string            `yaml:"-"`
	Wait   wait              `yaml:"wait" default:"2w"`
}

type inner struct {
	Kind string `yaml:"kind" default:"x" enum:"x|y"`
	Size int64  `yaml:"size" default:"7"`
}

// wait is a type that reads its own text.
type wait int

func (w *wait) UnmarshalText(text []byte) error {
	if !bytes.HasSuffix(text, []byte("w")) {
		return errors.New("want a w at the end")
	}
	*w = wait(len(text))
	return nil
}

func decode(t *testing.T, text string) (sample, []string) {
	t.Helper()
	docs, problems := Split("f", []byte(text))
	if len(docs) != 1 || len(problems) != 0 {
		t.Fatalf("%q: got %d documents, %v", text, len(docs), problems)
	}
	var s sample
	Decoder{Expand: References{Env: func(name string) (string, bool) { return "5", name == "FIVE" }}}.Decode(docs[0], &s)
	Sort(docs[0].problems)
	var got []string
	for _, p := range docs[0].problems {
		got = append(got, p.String())
	}
	return s, got
}

func TestDecodeDefaults(t *testing.T) {
	got, problems := decode(t, "name: n\nsub: {}\nsubs: [{}, {kind: y}]\n")
	want := sample{Name: "n", Count: 3, On: true, Names: []string{"a", "b"}, Wait: 2,
		Sub: &inner{"x", 7}, Subs: []inner{{"x", 7}, {"y", 7}}}
	if diff := cmp.Diff(want, got); diff != "" || problems != nil {
		t.Errorf("(-want +got):\n%s%v", diff, problems)
	}
}

func TestDecodeValues(t *testing.T) {
	got, problems := decode(t, "name: &n 'x y'\ncount: 9\non: false\nnames: []\nlabels: {a: *n, 5: b}\nsub: {size: -1_000}\nany: [1, {x: y}]\nwait: 12w\n")
	want := sample{Name: "x y", Count: 9, Names: []string{}, Labels: map[string]string{"a": "x y", "5": "b"},
		Sub: &inner{"x", -1000}, Any: true, Wait: 3}
	if diff := cmp.Diff(want, got); diff != "" || problems != nil {
		t.Errorf("(-want +got):\n%s%v", diff, problems)
	}
}

// A reference may give what YAML would not read as a number.
func TestDecodeExpanded(t *testing.T) {
	got, problems := decode(t, "name: \"${env:FIVE}\"\ncount: ${env:FIVE}\n")
	if got.Name != "5" || got.Count != 5 || problems != nil {
		t.Errorf("got %+v, %v", got, problems)
	}
}

func TestDecodeProblems(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		got, problems := decode(t, text)
		if diff := cmp.Diff(want, problems); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
		if got.Count != 3 || got.Wait != 2 { // a value with a problem leaves the default
			t.Errorf("%q: got %+v", text, got)
		}
	}
	f("count: 3\n", `f:1:1: name: "name" is required [missing_field]`)
	f("name: n\ncount: 10\n", `f:2:8: count: 10 is above the maximum 9 [out_of_range]`)
	f("name: n\ncount: 0x5\n", `f:2:8: count: want a whole number, got "0x5" [wrong_type]`)
	f("name: n\ncount: '5'\n", `f:2:8: count: want a whole number, got "5" [wrong_type]`)
	f("name: n\ncount: 99999999999999999999\n", `f:2:8: count: want a whole number, got "99999999999999999999" [wrong_type]`)
	f("name: n\non: yes\n", `f:2:5: on: want true or false, got "yes" [wrong_type]`)
	f("name: n\non:\n", `f:2:4: on: has no value [wrong_type]; delete the line to get the default true`)
	f("name:\n", `f:1:6: name: has no value [wrong_type]`)
	f("name: n\nwait: 5\n", `f:2:7: wait: want a w at the end [invalid_value]`)
	f("name: n\nlabels: [a]\n", `f:2:9: labels: want a mapping, got a list [wrong_type]`)
	f("name: n\nlabels: {a: 1, [b]: c, a: d}\n",
		`f:2:13: labels.a: want text, got 1, which YAML reads as a number, a time or a truth value [wrong_type]; quote it: "1"`,
		`f:2:16: labels: a key must be text, got a list [wrong_type]`,
		`f:2:24: labels.a: "a" is given twice, first in line 2 [duplicate_field]`)
	f("name: n\nsub: {kind: z}\nsubs: [{knd: y}, 5]\n",
		`f:2:13: sub.kind: unknown value "z" [invalid_value]; did you mean "x"?`,
		`f:3:9: subs[0].knd: unknown field "knd" [unknown_field]; did you mean "kind"?`,
		`f:3:18: subs[1]: want a mapping, got "5" [wrong_type]`)
	f("name: n\nHidden: x\n-: y\n", `f:2:1: Hidden: unknown field "Hidden" [unknown_field]; want one of name, count, on, names, labels, sub, subs, any, wait`,
		`f:3:1: ["-"]: unknown field "-" [unknown_field]; want one of name, count, on, names, labels, sub, subs, any, wait`)
	f("name: n\nx: &a {kind: y}\nsub: {<<: *a}\n", `f:2:1: x: unknown field "x" [unknown_field]; want one of name, count, on, names, labels, sub, subs, any, wait`,
		`f:3:7: sub["<<"]: unknown field "<<" [unknown_field]; merge keys are not supported: write the fields out`)
	f("name: n\nsubs: &a [*a]\n", `f:2:11: subs[0]: want a mapping, got a list [wrong_type]`)
	f("name: n\ncount: ${env:SIX}\n", `f:2:8: count: cannot expand ${env:SIX}: the environment variable is not set [unresolved_reference]`)
	f("name: n\ncount: 1${env:FIVE}\n", `f:2:8: count: 15 is above the maximum 9 [out_of_range]`)
	f("name: n\nwait: x${env:FIVE}\n", `f:2:7: wait: want a w at the end [invalid_value]`)
	f("name: n\non: ${env:FIVE}${env:FIVE}\n", `f:2:5: on: want true or false, got "${env:FIVE}${env:FIVE}" [wrong_type]`)
}

func TestSplit(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		docs, problems := Split("f", []byte(text))
		var got []string
		for _, d := range docs {
			got = append(got, d.Position(""))
		}
		for _, p := range problems {
			got = append(got, p.String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	f("")
	f("# nothing\n---\n---\n\n...\n")
	f("a: 1", "f:1")
	f("\uFEFFa: 1\r\n---\r\nb: 2\r\n", "f:1", "f:3")
	f("# c\n\n---\n# d\na: 1\n--- {b: 1}\n---\tc\n---not a marker\n", "f:5", "f:6", "f:7")
	f("a: |\n  text\n--- \nb: 1\n", "f:1", "f:4")
	f("--- |\n  text\n", "f:1")
	f("a: 1\n...\n---\nb: 1\n", "f:1", "f:4")
	f("a: 1\n...\nb: 1\n", "f:1", "f:3:1: text after the end of a document [syntax]; start the next document with a line ---")
	f("%TAG ! x\n---\na: 1\n", "f:3")
	f("a: 1\n---\nb: 1\nä: \x00\n", "f:1", "f:4:4: cannot parse YAML: control characters are not allowed (value: 0) [syntax]")
	f("a: [1\n\n", "f:1:6: cannot parse YAML: did not find expected ',' or ']', while parsing a flow sequence that starts in line 1 [syntax]")
	const odd = " ends a line in YAML, but not in most editors [syntax]; end lines with LF or CRLF; in double quotes write it as an escape"
	f("a: 1\r\nb: é\rc\n", "f:2:5: the character U+000D"+odd)
	f("a: 1\r", "f:1:5: the character U+000D"+odd)
	f("a: \u2028\n", "f:1:4: the character U+2028"+odd)
	f("a: \u0085\n", "f:1:4: the character U+0085"+odd)
	f("a: \xff\n", "f: the file is not UTF-8 text [syntax]")
}

func TestDidYouMean(t *testing.T) {
	f := func(word, want string, known ...string) {
		t.Helper()
		if got := DidYouMean(word, known); got != want {
			t.Errorf("%q of %q: got %q, want %q", word, known, got, want)
		}
	}
	f("windw", `did you mean "window"?`, "pane", "window")
	f("wnidow", `did you mean "window"?`, "window")
	f("WINDOW", `did you mean "window"?`, "window", "windows")
	f("window", `did you mean "windowed"?`, "windowed")
	f("ax", `did you mean "ab"?`, "ad", "ab") // the first by the alphabet
	f("pane", "want one of window, bad", "window", "bad")
	f("é", `did you mean "è"?`, "è")
	f("x", "")
	long := strings.Repeat("a", 300)
	f(long, "want one of "+long+"b", long+"b") // too long to compare
	f(long[:256], "want one of "+long, long)
	f("x", "", strings.Split("aaa bbb ccc ddd eee fff ggg hhh iii jjj kkk lll mmm", " ")...)
}

func TestEditDistance(t *testing.T) {
	f := func(a, b string, want int) {
		t.Helper()
		if got, back := editDistance(a, b), editDistance(b, a); got != want || back != want {
			t.Errorf("%q, %q: got %d and %d, want %d", a, b, got, back, want)
		}
	}
	f("", "", 0)
	f("", "abc", 3)
	f("kitten", "sitting", 3)
	f("ab", "ba", 1)
	f("ca", "abc", 3) // a swap is not edited again
	f("same", "same", 0)
}

func TestJoin(t *testing.T) {
	f := func(path, key, want string) {
		t.Helper()
		if got := Join(path, key); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	f("", "spec", "spec")
	f("spec", "a-b_c", "spec.a-b_c")
	f("spec", "a.b", `spec["a.b"]`)
	f("spec", "", `spec[""]`)
	f("spec", `q"`, `spec["q\""]`)
}

func TestWrite(t *testing.T) {
	problems := []Problem{
		{File: "b", Message: "last", Code: "c", Severity: Error},
		{File: "a", Line: 2, Col: 4, Path: "x.y", Code: "c", Message: "<m>", Hint: "h", Severity: Error, source: "\t\tx: tcp://u:pä@h # é"},
		{File: "a", Line: 2, Col: 3, Code: "c", Message: "first", Severity: Warning, source: "\t\tx: tcp://nothing"},
	}
	Sort(problems)
	var text, plain, lines strings.Builder
	if err := errors.Join(WriteText(&text, problems, true), WriteText(&plain, problems[2:], true), WriteJSON(&lines, problems)); err != nil {
		t.Fatal(err)
	}
	want := "a:2:3: warning: first [c]\n  2 | \t\tx: tcp://nothing\n    | \t\t^\n" +
		"a:2:4: x.y: <m> [c]; h\n  2 | \t\tx: tcp://****@h # é\n    | \t\t ^\nb: last [c]\n"
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	want = `{"file":"a","line":2,"col":3,"code":"c","message":"first","severity":"warning"}
{"file":"a","line":2,"col":4,"path":"x.y","code":"c","message":"<m>","hint":"h","severity":"error"}
{"file":"b","line":0,"col":0,"code":"c","message":"last","severity":"error"}
`
	if diff := cmp.Diff(want, lines.String()); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	if plain.String() != "b: last [c]\n" {
		t.Errorf("got %q", plain.String())
	}
	closed, w := io.Pipe()
	closed.Close()
	if WriteText(w, problems, false) == nil || WriteJSON(w, problems) == nil {
		t.Error("a failed write is not reported")
	}
}

func TestReferences(t *testing.T) {
	r := References{
		Env: func(name string) (string, bool) { return "<" + name + ">", name != "NONE" },
		ReadFile: func(path string) ([]byte, error) {
			if path == "/none" {
				return nil, errors.New("no such file")
			}
			return []byte(path + " ${env:A}\r\n\n"), nil
		}}
	f := func(text, want, wantErr string) {
		t.Helper()
		got, err := r.Expand(text)
		if wantErr != "" {
			if err == nil || err.Error() != wantErr {
				t.Errorf("%q: got error %v, want %s", text, err, wantErr)
			}
			return
		}
		if err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
	f("plain $x ${x} ${env} ${env:A", "plain $x ${x} ${env} ${env:A", "")
	f("a${env:A}b${env:B}", "a<A>b<B>", "")
	f("$${env:A} $$${env:A}", "${env:A} $${env:A}", "")
	f("${file:/x}", "/x ${env:A}", "") // what comes out is not looked at again
	f("${env:NONE} ${file:/none}", "", "cannot expand ${env:NONE}: the environment variable is not set")
	f("${file:/none}", "", "cannot expand ${file:/none}: no such file")
}
