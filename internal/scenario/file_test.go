package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const small = "-- input --\npartition 0 cart: 5!1x12\n-- script --\n"

func TestParseErrorsSayWhere(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, err := Parse("x.txtar", text)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q:\n  error is %v\n  want       %s…", text, err, want)
		}
	}
	f("nothing\n", "x.txtar:2: there is no part -- script --")
	f("-- inputs --\n-- script --\n", "x.txtar:1: unknown part inputs: want options, *.yaml, input or script")
	f("-- script --\n-- script --\n", "x.txtar:2: there are two parts named script")
	f("about\n-- options --\n\nflush: 0s\n-- script --\n", "x.txtar:4: flush: want a duration above 0")
	f("-- options --\nmembers: none\n-- script --\n", `x.txtar:2: members: want a number from 1 on, got "none"`)
	f("-- options --\norigin: now\n-- script --\n", "x.txtar:2: origin: want a time such as 2026-01-01T00:00:00Z")
	f("-- options --\nshow: windows\n-- script --\n", `x.txtar:2: show: unknown kind "windows"`)
	f("-- options --\ncolour: red\n-- script --\n", `x.txtar:2: unknown option "colour"`)
	f("-- options --\nflush\n-- script --\n", "x.txtar:2: an option is written name: value")
	f("-- options --\nmetamorphic: off\n-- script --\n", "x.txtar:2: metamorphic: say why")
	f("-- options --\nmetamorphic: without nothing, because\n-- script --\n", "x.txtar:2: metamorphic: say why")
	f("-- options --\nmetamorphic: without gravity, because it is light\n-- script --\n", `x.txtar:2: metamorphic: unknown variant "gravity"`)
	f("-- options --\nconfig: absent\n-- script --\n", "x.txtar:2: cannot use configuration")
	f("-- c.yaml --\napiVersion: flyball.dev/v1\nkind: Sauce\n-- script --\n", "x.txtar:3: kind: ")
	f("-- input --\n# fine\npartition 0 cart 5\n-- script --\n", "x.txtar:3: want partition")
	f(small+"----\n", "x.txtar:4: ---- follows no command")
	f(small+"advance\n", "x.txtar:4: want advance and a duration")
	f(small+"\nadvance -5s\n", `x.txtar:5: want a duration above 0, such as advance 5m, got "-5s"`)
	f(small+"go home\n", `x.txtar:4: unknown command "go"`)
	f(small+"flush 2\n", "x.txtar:4: nothing more is known here")
	f(small+"crash\n", "x.txtar:4: want a role")
	f(small+"crash evaluate later\n", `x.txtar:4: want before-commit, after-commit or for, got "later"`)
	f(small+"crash evaluate for ever\n", `x.txtar:4: want a duration after for, got "ever"`)
	f(small+"abort everything\n", "x.txtar:4: want a role")
	f(small+"rebalance evaluate now\n", "x.txtar:4: nothing more is known here")
	f(small+"idle 1\n", "x.txtar:4: want idle partition and its number")
	f(small+"lag partition one\n", `x.txtar:4: want the number of a partition, got "one"`)
	f(small+"new topic\n", "x.txtar:4: want new partition")
	f(small+"clickhouse sideways\n", "x.txtar:4: want clickhouse up or clickhouse down")
	f(small+"show off\n", "x.txtar:4: want show watermarks or show recorded")
	f(small+"expect\n", "x.txtar:4: expect what?")
	f(small+"expect 3\n", "x.txtar:4: want a kind")
	f(small+"expect miracle\n", `x.txtar:4: unknown kind "miracle"`)
	f(small+"expect none of it\n", "x.txtar:4: nothing more is known here")
	f(small+"expect none\n----\n", "x.txtar:4: expect has no output")
}

// outcome of a small scenario whose script is given, as text.
func failures(t *testing.T, script string) string {
	t.Helper()
	s, err := Parse("x.txtar", small+script)
	if err != nil {
		t.Fatal(err)
	}
	rep, err := s.Run(Options{Once: true})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range rep.Failures {
		out = append(out, f.Text)
	}
	return strings.Join(out, "\n")
}

func TestExpectations(t *testing.T) {
	pass := func(script string) {
		t.Helper()
		if got := failures(t, script); got != "" {
			t.Errorf("%q fails:\n%s", script, got)
		}
	}
	fail := func(script, want string) {
		t.Helper()
		if got := failures(t, script); !strings.Contains(got, want) {
			t.Errorf("%q:\n%s\nwant:\n%s", script, got, want)
		}
	}
	pass("advance 1m10s\nexpect window")
	pass("advance 1m10s\nexpect 1 window cart [0s,1m) count=30 bad=6")
	pass("advance 1m10s\nexpect windows bad=6 cart count>=30 count<=30 count>29 count<31 count!=7")
	pass("advance 1m10s\nexpect some window\nexpect no finding\nexpect late 0")
	pass("advance 1m5s\nexpect none\nadvance 5s\nexpect window\nadvance 5s\nexpect none\nexpect total 1 window")
	pass("advance 1m10s\ncrash evaluate\nexpect window") // nothing was expected in between
	fail("advance 1m10s\nexpect none", "expected nothing to come out, but since the last expect there came:\n      1m10s window requests cart")
	fail("advance 1m10s\nexpect no window", `expected no line with "window", since the last expect there came 1`)
	fail("advance 1m10s\nexpect 2 windows", `expected 2 lines with "window", since the last expect there came 1`)
	fail("advance 1m10s\nexpect window cart bad=5", "nearest: window requests cart [0s,1m) count=30 bad=6\n    lacks:   bad=5")
	fail("advance 1m10s\nexpect window [0s,1m) cart", `expected one line with "window [0s,1m) cart"`) // another order
	fail("advance 1m10s\nexpect some window pay", `expected a line with "window pay"`)
	fail("advance 1m10s\nexpect late 3", "expected 3 samples late, 0 were; what came since the last expect: nothing of that kind")
	fail("advance 1m10s\nexpect finding", "what came: nothing of that kind")
}

func TestOutputsAreCompared(t *testing.T) {
	got := failures(t, "advance 1m\n----\n(nothing)\n\nadvance 1m\n----\n1m9s window requests cart [0s,1m) count=31 bad=6\n")
	want := `after "advance 1m" the output differs:
    - the file says, + came out, ~ marks where two lines part
    - 1m9s window requests cart [0s,1m) count=31 bad=6
    + 1m10s window requests cart [0s,1m) count=30 bad=6
      ~~~~~                              ~~~~~~~~`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDiff(t *testing.T) {
	f := func(want, got, expected string) {
		t.Helper()
		if d := cmp.Diff(expected, diff(strings.Fields(want), strings.Fields(got))); d != "" {
			t.Errorf("diff of %q and %q (-want +got):\n%s", want, got, d)
		}
	}
	f("a b", "a b", "      a\n      b\n")
	f("a b c", "a c", "      a\n    - b\n      c\n")
	f("a c", "a b c", "      a\n    + b\n      c\n")
	f("a", "b", "    - a\n    + b\n      ~\n")
	f("", "a b", "    + a\n    + b\n")
}

func TestUpdateReplacesOutputsOnly(t *testing.T) {
	before := "about\n" + small + "advance 1m\n----\nwrong\nworse\n\n# why\nadvance 10s\n----\n\nexpect window\nadvance 1s\n"
	after := "about\n" + small + "advance 1m\n----\n(nothing)\n\n# why\nadvance 10s\n----\n1m10s window requests cart [0s,1m) count=30 bad=6\n\nexpect window\nadvance 1s\n"
	path := filepath.Join(t.TempDir(), "x.txtar")
	if err := os.WriteFile(path, []byte(before), 0o644); err != nil {
		t.Fatal(err)
	}
	for i, wantUpdated := range []bool{true, false} {
		s, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		rep, err := s.Run(Options{Update: true, Once: true})
		if err != nil || len(rep.Failures) > 0 || rep.Updated != wantUpdated {
			t.Fatalf("run %d: %+v, %v", i, rep, err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(after, string(got)); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	a := write("a.txtar", "-- script --\n")
	b := write("sub/b.txtar", "-- script --\n")
	other := write("sub/other.txtar", "-- golden --\n")
	write(".hidden/c.txtar", "-- script --\n")
	write("readme.md", "-- script --\n")
	f := func(want []string, patterns ...string) {
		t.Helper()
		got, err := Find(patterns)
		if err != nil || !cmp.Equal(want, got) {
			t.Errorf("%q gives %q, %v; want %q", patterns, got, err, want)
		}
	}
	f([]string{a, b}, dir)
	f([]string{a, b}, dir+"/...", a)
	f([]string{b}, filepath.Join(dir, "sub")+"/")
	f([]string{other}, other) // a file that is named is one, right or wrong
	for _, bad := range []string{filepath.Join(dir, "absent"), filepath.Join(dir, ".hidden", "x")} {
		if _, err := Find([]string{bad}); err == nil {
			t.Errorf("%s is found", bad)
		}
	}
	empty := t.TempDir()
	if _, err := Find([]string{empty}); err == nil || !strings.Contains(err.Error(), "there is no scenario") {
		t.Errorf("an empty directory gives %v", err)
	}
}

func TestConfigOfADirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "shop"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "shop", "all.yaml"), defaultConfig, 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := Parse(filepath.Join(dir, "x.txtar"), "-- options --\nconfig: shop\n-- more.yaml --\napiVersion: flyball.dev/v1\nkind: Indicator\nmetadata: {name: others}\nspec: {source: spans}\n"+
		small+"advance 1m10s\nexpect window requests\nexpect window others\n")
	if err != nil {
		t.Fatal(err)
	}
	if rep, err := s.Run(Options{Once: true}); err != nil || len(rep.Failures) > 0 {
		t.Errorf("%+v, %v", rep, err)
	}
}

// TestOutcomeOfAnUnknownClass: in quotes, a class may be one that nobody knows.
func TestOutcomeOfAnUnknownClass(t *testing.T) {
	if _, err := Parse("x.txtar", small+"outcome molten deploy/cart\n"); err == nil || !strings.Contains(err.Error(), `unknown class "molten"`) {
		t.Errorf("an unknown class is taken: %v", err)
	}
	if _, err := Parse("x.txtar", small+"outcome \"molten\" deploy/cart\n"); err != nil {
		t.Error(err)
	}
}

func TestJUnit(t *testing.T) {
	got := string(JUnit([]Report{{Path: "a.txtar"}, {Path: "b.txtar", Failures: []Failure{{3, "no <window>"}, {5, "more"}}}}))
	want := `<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="flyball test" tests="2" failures="1" time="0.000">
  <testcase name="a.txtar" file="a.txtar" time="0.000"></testcase>
  <testcase name="b.txtar" file="b.txtar" time="0.000">
    <failure message="2 failures, the first in line 3">b.txtar:3: no &lt;window&gt;&#xA;b.txtar:5: more&#xA;</failure>
  </testcase>
</testsuite>
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzParse: no text makes reading a scenario panic, and what is written back
// without an update is the text.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "config:") {
			return // reads other files
		}
		s, err := Parse("x.txtar", text)
		if err != nil {
			return
		}
		if got := s.updated(nil); got != text {
			t.Fatalf("%q is written back as %q", text, got)
		}
	})
}
