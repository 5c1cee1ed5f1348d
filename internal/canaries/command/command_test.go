package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/api"
	"github.com/flyball-io/flyball/internal/canaries"
)

// desk takes requests, and answers each with verdicts.
type desk struct {
	canaries.Store
	answer func(flyball.CanaryRequest) []flyball.Verdict
}

func (d *desk) Request(_ context.Context, r flyball.CanaryRequest) error {
	d.AddRequest(r)
	for _, v := range d.answer(r) {
		d.AddVerdict(v)
	}
	return nil
}

func serve(t *testing.T, d *desk) string {
	t.Helper()
	s := &api.Server{Metrics: prometheus.NewRegistry(), Status: func() api.Status { return api.Status{} }, Analyses: d, Canaries: []flyball.Canary{{Name: "release"}}}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return server.URL
}

// run runs the subcommand and returns its exit code and output.
func run(t *testing.T, url string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	c := New()
	var out, talk bytes.Buffer
	c.SetOut(&out)
	c.SetErr(&talk)
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetArgs(append(args, "--url", url))
	if err := c.ExecuteContext(t.Context()); err != nil {
		code = 1
		var exit *ExitError
		if errors.As(err, &exit) {
			code = exit.Code
		}
		talk.WriteString(err.Error())
	}
	return code, out.String(), talk.String()
}

// course is an analysis that goes on for some minutes and ends so.
func course(id, version, verdict string) []flyball.Verdict {
	start := flyball.TimeOf(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	var out []flyball.Verdict
	for i := range 5 {
		n := flyball.Number(i)
		cohort := flyball.CohortVerdict{Replicas: 1, Count: 6 * i, Mean: 0.01, Quantiles: []flyball.Number{0, 0.01, 0.02 + n}}
		v := flyball.Verdict{ID: id, Revision: i + 1, Canary: "release", Entity: "cart", Version: version, Baseline: "1", Phase: flyball.PhaseRunning,
			Verdict: flyball.VerdictInconclusive, Score: 85, Reason: "not decided: errors <b>", Needs: "about 38 more errors", Judge: "sequential",
			At: start.Add(time.Duration(i) * time.Minute), StartedAt: start, EndsAt: start.Add(time.Hour), Looks: 6 * i, Held: i,
			Metrics: []flyball.MetricVerdict{{Name: "errors | x", Kind: "count", Verdict: flyball.VerdictInconclusive, Critical: true, Reason: "errors is <1.2> times the baseline",
				Effect: 1.2, Interval: [2]flyball.Number{0.5, flyball.Number(math.Inf(1))}, Allowed: [2]flyball.Number{0, 1}, EHarm: n * 10, ESafe: 1, EFail: 40, EPass: 20,
				Notes: []string{"one replica"}, Canary: cohort, Baseline: cohort}}}
		if i == 4 {
			v.Phase, v.Verdict, v.Metrics[0].Verdict, v.Needs = flyball.PhaseEnded, verdict, verdict, ""
		}
		out = append(out, v)
	}
	return out
}

func TestExitCodes(t *testing.T) {
	d := &desk{answer: func(r flyball.CanaryRequest) []flyball.Verdict {
		return course(r.ID, "2", strings.TrimSuffix(r.Version, "!"))
	}}
	url := serve(t, d)
	f := func(verdict string, want int, flags ...string) {
		t.Helper()
		code, id, talk := run(t, url, "start", "release", "cart", "--version", verdict, "--id", "run-"+verdict)
		if code != 0 || strings.TrimSpace(id) != "run-"+verdict {
			t.Fatalf("start exits with %d: %s%s", code, id, talk)
		}
		code, out, talk := run(t, url, append([]string{"wait", strings.TrimSpace(id)}, flags...)...)
		if code != want || !strings.HasPrefix(out, verdict+" ended run-"+verdict+" cart score=85") {
			t.Errorf("wait for %s exits with %d: %s%s", verdict, code, out, talk)
		}
		if code, _, _ := run(t, url, "status", "run-"+verdict); len(flags) == 0 && code != want {
			t.Errorf("status of %s exits with %d", verdict, code)
		}
	}
	f("pass", 0)
	f("fail", 5)
	f("marginal", 6)
	f("inconclusive", 6)
	f("inconclusive", 0, "--inconclusive", "pass")
	f("inconclusive", 5, "--inconclusive", "fail")
	f("fail", 5, "--inconclusive", "pass")
	if code, _, talk := run(t, url, "start", "relaese", "cart"); code != 2 || !strings.Contains(talk, `no canary "relaese"`) {
		t.Errorf("got %d %s", code, talk)
	}
	if code, _, talk := run(t, url, "wait", "nothing"); code != 2 || !strings.Contains(talk, "there is no analysis") {
		t.Errorf("got %d %s", code, talk)
	}
	for _, args := range [][]string{{"wait"}, {"start", "x"}, {"wait", "run-pass", "--inconclusive", "maybe"}, {"status", "run-pass", "-o", "xml"}, {"report", "run-pass", "-o", "pdf"}} {
		if code, _, talk := run(t, url, args...); code != 2 {
			t.Errorf("%v exits with %d: %s", args, code, talk)
		}
	}
	if code, _, _ := run(t, "http://127.0.0.1:1", "status", "x"); code != 1 {
		t.Errorf("without a server it exits with %d", code)
	}
}

func TestWaitingEnds(t *testing.T) {
	d := &desk{answer: func(r flyball.CanaryRequest) []flyball.Verdict { return course(r.ID, "2", "pass")[:3] }}
	url := serve(t, d)
	run(t, url, "start", "release", "cart", "--id", "slow")
	code, _, talk := run(t, url, "wait", "slow", "--timeout", "50ms")
	if code != 124 || !strings.Contains(talk, "RUNNING: not decided") || !strings.Contains(talk, `no verdict on "slow" within 50ms`) {
		t.Errorf("got %d: %s", code, talk)
	}
	d.answer = func(flyball.CanaryRequest) []flyball.Verdict { return nil }
	if code, _, talk := run(t, url, "cancel", "slow"); code != 0 {
		t.Errorf("cancel exits with %d: %s", code, talk)
	}
}

func TestReports(t *testing.T) {
	d := &desk{answer: func(r flyball.CanaryRequest) []flyball.Verdict { return course(r.ID, "2", "fail") }}
	url := serve(t, d)
	run(t, url, "start", "release", "cart", "--id", "r")
	_, md, _ := run(t, url, "report", "r")
	for _, part := range []string{"## Canary FAIL: cart 2 against 1, score 85", "24 looks", "4 held", `| errors \| x | fail, critical | 1 % | 1 % | 1.2× | 0.5× to any | 0× to 1× |`, "- errors is &lt;1.2&gt; times the baseline."} {
		if !strings.Contains(md, part) {
			t.Errorf("the report does not say %q:\n%s", part, md)
		}
	}
	_, text, _ := run(t, url, "report", "r", "-o", "json")
	var got struct {
		Verdict string
		History []struct{ Revision int }
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil || got.Verdict != "fail" || len(got.History) != 5 {
		t.Errorf("%v: %s", err, text)
	}
	_, page, _ := run(t, url, "report", "r", "-o", "html")
	if n := strings.Count(page, "<svg"); n != 3 {
		t.Errorf("the page has %d charts, want 3", n)
	}
	for _, part := range []string{"<!DOCTYPE html>", "errors is &lt;1.2&gt; times the baseline", `class="canary"`, `class="harm"`, "one replica", "errors | x"} {
		if !strings.Contains(page, part) {
			t.Errorf("the page does not say %q", part)
		}
	}
	for _, part := range []string{"<b>", "http://", "https://", "<script", "NaN", "ZgotmplZ"} {
		if strings.Contains(page, part) {
			t.Errorf("the page holds %q", part)
		}
	}
}
