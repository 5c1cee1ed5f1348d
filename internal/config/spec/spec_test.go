package spec

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	f := func(text string, want time.Duration, printed string) {
		t.Helper()
		got, err := ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
		if s := Duration(got).String(); s != printed {
			t.Errorf("%v prints %q, want %q", got, s, printed)
		}
		if again, err := ParseDuration(printed); err != nil || again != got {
			t.Errorf("%q reads as %v, %v", printed, again, err)
		}
	}
	f("0", 0, "0s")
	f("0s", 0, "0s")
	f("10s", 10*time.Second, "10s")
	f("60s", time.Minute, "1m")
	f("1m30s", 90*time.Second, "1m30s")
	f("60m", time.Hour, "1h")
	f("1h0m5s", time.Hour+5*time.Second, "1h0m5s")
	f("1h30m", 90*time.Minute, "1h30m")
	f("10h", 10*time.Hour, "10h")
	f("24h", 24*time.Hour, "1d")
	f("30d", 720*time.Hour, "30d")
	f("4w", 28*24*time.Hour, "28d")
	f("1w2d3h4m5s6ms7us8ns", (9*24+3)*time.Hour+4*time.Minute+5*time.Second+6*time.Millisecond+7*time.Microsecond+8, "219h4m5.006007008s")
	f("1.5d", 36*time.Hour, "36h")
	f("0.5w", 84*time.Hour, "84h")
	f("1.5h", 90*time.Minute, "1h30m")
	f("500ms", 500*time.Millisecond, "500ms")
	f("1µs", time.Microsecond, "1µs")
	f("106751d", 106751*24*time.Hour, "106751d")
}

func TestParseDurationErrors(t *testing.T) {
	for _, text := range []string{"", "10", "s", "-1s", "+1s", "1 s", "1x", "1d2", "1..5s", "1.d.5", ".d", "1M", "2Q", "1Y", "106752d",
		"15251w", "106751d24h", "9223372036s999h999999999999h", "1e3s", "1e400d", "99999999999999999999d", "99999999999999999999.5d", "d", "ns1"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q reads as %v", text, got)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, seed := range []string{"1w2d", "1.5h", "0.25d", "106751d", "-1s", "1µs"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDuration(text)
		if err != nil {
			return
		}
		if d < 0 {
			t.Fatalf("%q is negative: %v", text, d)
		}
		if again, err := ParseDuration(Duration(d).String()); err != nil || again != d {
			t.Fatalf("%q prints as %v, which reads as %v, %v", text, Duration(d), again, err)
		}
	})
}

// The reference pages are made from the comments: every field has one.
func TestEveryFieldIsDocumented(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fields := 0
	for _, name := range names {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.StructType)
			if !ok {
				return true
			}
			for _, f := range s.Fields.List {
				fields++
				if f.Tag == nil {
					t.Errorf("%v: the field has no tag", set.Position(f.Pos()))
				}
				if f.Doc == nil {
					t.Errorf("%v: the field has no comment", set.Position(f.Pos()))
				}
			}
			return true
		})
	}
	if fields < 50 {
		t.Errorf("only %d fields were looked at", fields)
	}
}
