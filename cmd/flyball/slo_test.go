package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// flyballCommand runs the command line and returns what it prints and its exit
// code.
func flyballCommand(t testing.TB, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, talk bytes.Buffer
	root := newRoot()
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetErr(&talk)
	root.SetArgs(args)
	if err := root.ExecuteContext(t.Context()); err != nil {
		code = exitError
		var coded *codedError
		if errors.As(err, &coded) {
			code = coded.code
		}
		fmt.Fprintln(&talk, err)
	}
	return out.String(), talk.String(), code
}

// sloDoc is an OpenSLO document with the parts that tests vary.
type sloDoc struct {
	target      string
	window      string // the item of timeWindow
	method      string // lines of the spec
	objective   string // fields after the target
	annotations []string
}

func (d sloDoc) write(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("apiVersion: openslo/v1\nkind: SLO\nmetadata:\n  name: x\n")
	if len(d.annotations) > 0 {
		b.WriteString("  annotations:\n")
		for _, a := range d.annotations {
			b.WriteString("    " + a + "\n")
		}
	}
	fmt.Fprintf(&b, "spec:\n  service: s\n  timeWindow: [%s]\n", d.window)
	if d.method != "" {
		b.WriteString("  budgetingMethod: " + d.method + "\n")
	}
	fmt.Fprintf(&b, "  objectives: [{target: %s%s}]\n", d.target, d.objective)
	path := filepath.Join(t.TempDir(), "slo.yaml")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func rolling(d time.Duration) string {
	return fmt.Sprintf("{duration: %ds, isRolling: true}", int64(d/time.Second))
}

func tiersAnnotation(tiers ...string) string {
	return fmt.Sprintf("flyball.dev/burn-rate-tiers: %q", strings.Join(tiers, ", "))
}

// transition and summary are the output of slo replay, read as others do.
type transition struct {
	SLO, Tier, State string
	At               time.Time
	BurnLong         *float64 `json:"burn_long"`
	BurnShort        *float64 `json:"burn_short"`
	BudgetConsumed   *float64 `json:"budget_consumed"`
}

type summary struct {
	State               string
	SLI, Gap            *float64
	Total, Bad, Allowed int64
	BudgetConsumed      *float64 `json:"budget_consumed"`
	BudgetRemaining     *float64 `json:"budget_remaining"`
	BurnRate            *float64 `json:"burn_rate"`
	BudgetSeconds       float64  `json:"budget_seconds"`
	RemainingSeconds    *float64 `json:"remaining_seconds"`
	PeriodSeconds       float64  `json:"period_seconds"`
	PeriodStart, At     time.Time
	Burn                map[string]struct{ Long, Short *float64 }
}

// replay runs flyball slo replay, which must succeed.
func replay(t testing.TB, doc sloDoc, slices string, flags ...string) ([]transition, summary) {
	t.Helper()
	args := append([]string{"slo", "replay", "--slo", doc.write(t), "--slices", "-"}, flags...)
	out, talk, code := flyballCommand(t, slices, args...)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, talk)
	}
	var list []transition
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for _, line := range lines[:len(lines)-1] {
		var tr transition
		if err := json.Unmarshal([]byte(line), &tr); err != nil || tr.Tier == "" {
			t.Fatalf("%q: %v", line, err)
		}
		list = append(list, tr)
	}
	var last struct{ Summary *summary }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Summary == nil {
		t.Fatalf("%q: %v", lines[len(lines)-1], err)
	}
	return list, *last.Summary
}

func TestSLOReplayOutput(t *testing.T) {
	doc := sloDoc{target: "0.99", window: rolling(30 * 24 * time.Hour)}
	var slices strings.Builder
	slices.WriteString("timestamp,total,bad\n")
	for i := range 180 { // a minute each; bad from 01:00 until 01:30
		bad := 0
		if i >= 60 && i < 90 {
			bad = 40
		}
		fmt.Fprintf(&slices, "%d,100,%d\n", 1767225600+60*i, bad)
	}
	out, talk, code := flyballCommand(t, slices.String(), "slo", "replay", "--slo", doc.write(t), "--slices", "-")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, talk)
	}
	got := strings.Split(strings.TrimSpace(out), "\n")
	want := []string{
		`{"slo":"x","tier":"ticket_slow","state":"firing","at":"2026-01-01T01:02:00Z","burn_long":1.2903225806451613,"burn_short":1.2903225806451613,"budget_consumed":1.2903225806451613,"severity":"ticket"}`,
		`{"slo":"x","tier":"ticket_fast","state":"firing","at":"2026-01-01T01:05:00Z","burn_long":3.076923076923077,"burn_short":3.076923076923077,"budget_consumed":3.076923076923077,"severity":"ticket"}`,
		`{"slo":"x","tier":"page_slow","state":"firing","at":"2026-01-01T01:11:00Z","burn_long":6.197183098591549,"burn_short":14.666666666666666,"budget_consumed":6.197183098591549,"severity":"page"}`,
		`{"slo":"x","tier":"page_fast","state":"firing","at":"2026-01-01T01:22:00Z","burn_long":14.666666666666666,"burn_short":40,"budget_consumed":10.731707317073171,"severity":"page"}`,
		`{"slo":"x","tier":"page_fast","state":"resolved","at":"2026-01-01T01:34:00Z","burn_long":20,"burn_short":8,"budget_consumed":12.76595744680851,"severity":"page"}`,
		`{"slo":"x","tier":"page_slow","state":"resolved","at":"2026-01-01T01:56:00Z","burn_long":10.344827586206897,"burn_short":5.333333333333333,"budget_consumed":10.344827586206897,"severity":"page"}`,
		`{"summary":{"slo":"x","at":"2026-01-01T03:00:00Z","state":"EXHAUSTED","sli":0.9333333333333333,"target":0.99,"gap":-0.056666666666666664,"total":18000,"bad":1200,"allowed":180,"budget_consumed":6.666666666666667,"budget_remaining":-5.666666666666667,"burn_rate":6.666666666666667,"burn":{"page_fast":{"long":0,"short":0,"firing":false},"page_slow":{"long":6.666666666666667,"short":0,"firing":false},"ticket_fast":{"long":6.666666666666667,"short":10,"firing":true},"ticket_slow":{"long":6.666666666666667,"short":6.666666666666667,"firing":true}},"period_start":"2025-12-02T03:00:00Z","period_seconds":2592000,"budget_seconds":25920,"remaining_seconds":-146880,"excluded_total":0,"excluded_bad":0,"excluded_share":0,"forecast":{"budget_left":0.9722222222222222,"exhausts_1h":null,"exhausts_6h":378000,"exhausts_3d":378000,"exhausts_trend":null,"exhausts_earliest":40819.454989119215,"exhausts_latest":null}}}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s\nall:\n%s", diff, out)
	}
}

func TestSLOReplayRefuses(t *testing.T) {
	good := sloDoc{target: "0.99", window: rolling(30 * 24 * time.Hour)}.write(t)
	f := func(name, want, slices string, args ...string) {
		t.Helper()
		out, talk, code := flyballCommand(t, slices, append([]string{"slo", "replay", "--slices", "-"}, args...)...)
		if code != exitUsage || out != "" || !strings.Contains(talk, want) {
			t.Errorf("%s: exit %d, said %q and %q, want %q", name, code, talk, out, want)
		}
	}
	f("no slo", "--slo and --slices are required", "0,1,1\n")
	f("no such file", "no such file", "0,1,1\n", "--slo", "/does/not/exist.yaml")
	f("more bad than total", "stdin:2:bad: 120 samples are bad, of 100", "0,1,1\n10,100,120\n", "--slo", good)
	f("a word", `stdin:1:total: want a whole number of samples, got "x"`, "0,x,1\n", "--slo", good)
	f("a fraction", `stdin:1:bad: want a whole number`, "0,10,1.5\n", "--slo", good)
	f("a negative number", "stdin:1:total: want a number of samples between", "0,-1,0\n", "--slo", good)
	f("no time", "stdin:3:timestamp: want RFC 3339", "timestamp,total,bad\n0,1,1\nyesterday,1,1\n", "--slo", good)
	f("a local time", "stdin:1:timestamp: want RFC 3339", "2026-01-01T00:00:00,1,1\n", "--slo", good)
	f("milliseconds", "milliseconds", "1767225600000,1,1\n", "--slo", good)
	f("a column missing", "stdin:1:bad: it is missing", "0,1\n", "--slo", good)
	f("a name missing", "stdin:1: no column is named bad", "timestamp,total\n0,1\n", "--slo", good)
	f("nothing", "there is no slice", "", "--slo", good)
	f("a header only", "there is no slice", "timestamp,total,bad\n", "--slo", good)
	f("an open quote", "stdin:1: ", "\"0,1,1\n", "--slo", good)
	f("too many steps", "too many steps", "0,1,1\n5000000000,1,1\n5000000000.1,1,1\n", "--slo", good)
	f("a negative step", "negative", "0,1,1\n", "--slo", good, "--step", "-1s")
}

// TestSLOStatus shows an exclusion, given after the fact, in status and replay.
func TestSLOStatus(t *testing.T) {
	path := sloDoc{target: "0.99", window: rolling(30 * 24 * time.Hour)}.write(t)
	var csv strings.Builder
	for i := range 240 { // a minute each; bad from 01:00 until 01:30
		bad := 0
		if i >= 60 && i < 90 {
			bad = 40
		}
		fmt.Fprintf(&csv, "%d,100,%d\n", 1767225600+60*i, bad)
	}
	status := func(args ...string) string {
		t.Helper()
		out, talk, code := flyballCommand(t, csv.String(), append([]string{"slo", "status", "--slices", "-", "--slo", path}, args...)...)
		if code != exitOK {
			t.Fatalf("exit %d: %s", code, talk)
		}
		return out
	}
	lines := strings.Split(status(), "\n")
	if got := strings.Fields(lines[1]); len(lines) != 3 || strings.Join(got[:8], " ") != "x EXHAUSTED 95% 99% -400% 1200/240 ticket_slow 0%" {
		t.Errorf("got %q", lines)
	}
	if out := status("--at", "2026-01-01T01:00:00Z", "-o", "json"); !strings.Contains(out, `"at":"2026-01-01T01:00:00Z","state":"OK"`) {
		t.Errorf("an hour in: %s", out)
	}
	exclusion := "---\napiVersion: flyball.dev/v1\nkind: Exclusion\nmetadata: {name: it-was-planned}\n" +
		"spec: {start: \"2026-01-01 02:00:00\", timeZone: Europe/Berlin, duration: 30m, rrule: FREQ=DAILY}\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, exclusion...), 0o644); err != nil {
		t.Fatal(err)
	}
	lines = strings.Split(status(), "\n")
	if got := strings.Fields(lines[1]); strings.Join(got[:8], " ") != "x OK 100% 99% 100% 0/210 - 12.5%" {
		t.Errorf("with the exclusion: %q", lines)
	}
	out, _, _ := flyballCommand(t, csv.String(), "slo", "replay", "--slices", "-", "--slo", path)
	if strings.Count(out, "\n") != 1 || !strings.Contains(out, `"excluded_total":3000,"excluded_bad":1200,"excluded_share":0.125`) {
		t.Errorf("replayed with the exclusion: %s", out)
	}
	for _, args := range [][]string{{"--at", "noon"}, {"--at", "2020-01-01T00:00:00Z"}, {"-o", "yaml"}} {
		if _, talk, code := flyballCommand(t, csv.String(), append([]string{"slo", "status", "--slices", "-", "--slo", path}, args...)...); code != exitUsage {
			t.Errorf("%q: exit %d: %s", args, code, talk)
		}
	}
}

// TestSLOForecast: a budget is to be gone within six hours, and then it is.
func TestSLOForecast(t *testing.T) {
	path := sloDoc{target: "0.99", window: rolling(24 * time.Hour), annotations: []string{"flyball.dev/exhausts-within: 6h"}}.write(t)
	var csv strings.Builder
	for i := range 26 * 60 { // good for a day, then 6 % bad
		bad := 0
		if i >= 24*60 {
			bad = 6
		}
		fmt.Fprintf(&csv, "%d,100,%d\n", 1767225600+60*i, bad)
	}
	out, talk, code := flyballCommand(t, csv.String(), "slo", "forecast", "--slices", "-", "--slo", path)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, talk)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	// At 6x a full day's budget lasts four hours; over the lookback of 90 minutes the
	// rate has to be high enough first: (1440 − 6t)·90 ≤ 6t·360 minutes, at t = 48.
	if want := `{"slo":"x","event":"exhausts_within","state":"firing","at":"2026-01-02T00:48:00Z",`; len(lines) != 2 || !strings.HasPrefix(lines[0], want) {
		t.Errorf("got %s", out)
	}
	if want := `{"forecast":{"slo":"x","at":"2026-01-02T02:00:00Z","budget_left":0.5,"exhausts_1h":7200,"exhausts_6h":21600,`; !strings.HasPrefix(lines[len(lines)-1], want) {
		t.Errorf("got %s", lines[len(lines)-1])
	}
}
