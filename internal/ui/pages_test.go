package ui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/api/access"
	"github.com/flyball-io/flyball/internal/automation"
	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/histogram"
	"github.com/flyball-io/flyball/processors/remediation/gate"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

// shop is what the tests see: a service that burns, a command that was sent, one that
// waits, and a canary that failed.
type shop struct {
	db    *clickhouse.DB
	start flyball.Time
}

func newShop(t *testing.T) *shop {
	t.Helper()
	db, err := clickhouse.Open(clickhouse.Config{DSN: embeddedtest.ClickHouse(t).DSN()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &shop{db, flyball.TimeOf(time.Now().Add(-10 * time.Minute).Truncate(time.Minute))}
}

func (s *shop) at(seconds int) flyball.Time { return s.start.Add(time.Duration(seconds) * time.Second) }

func record(t *testing.T, text []byte) arrow.Record {
	t.Helper()
	rec, err := processors.DecodeRecord(text)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rec.Release)
	return rec
}

// fill records ten minutes of the shop.
func (s *shop) fill(t *testing.T) {
	t.Helper()
	var windows processors.Windows
	var bands processors.Bands
	var status processors.SLOStatus
	for i := range 10 {
		var h histogram.Histogram
		for n := range 100 {
			h.Add(float64(n+1) * 1e6)
		}
		from, to := s.at(60*i), s.at(60*i+60)
		for _, route := range []string{"GET /", "POST /"} {
			labels := `{"service.name":"checkout","span.name":"` + route + `"}`
			windows.Append(processors.WindowRow{Indicator: "requests", Entity: "checkout", Labels: labels, Start: from, End: to, Revision: 1, Count: 600, Bad: int64(30 * i),
				P99: 99e6, Complete: true, Hist: h.AppendQuantilesDD(nil)})
			bands.Append(processors.BandRow{Detector: "everything", Indicator: "requests", Value: "rate", Entity: "checkout", Labels: labels, Start: from, End: to,
				Observed: 10, Expected: 10, Low: 8, High: 12, Threshold: 6, Algorithm: "ewma"})
		}
		status.Append(processors.SLORow{SLO: "availability", Entity: "checkout", Labels: `{"service.name":"checkout"}`, At: to, Total: 1000, Bad: int64(2 * i), SLI: 1 - float64(2*i)/1000,
			Target: 0.99, BudgetConsumed: float64(2*i) / 10, Tiers: []string{"page_fast"}, BurnLong: []float64{float64(2 * i)}, BurnShort: []float64{float64(3 * i)}, Firing: []string{"page_fast"},
			Complete: true, State: "OK", PeriodStart: s.start, PeriodEnd: s.at(30 * 86400), Exhausts1h: 7200, Exhausts6h: math.NaN(), Exhausts3d: math.NaN(),
			ExhaustsTrend: math.NaN(), ExhaustsEarliest: math.NaN(), ExhaustsLatest: math.NaN(), SLIHighest: math.NaN()})
	}
	w := s.db.Writer()
	insert := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	insert(w.Insert(t.Context(), clickhouse.TableWindows, record(t, windows.Encode()), ""))
	insert(w.Insert(t.Context(), clickhouse.TableBands, record(t, bands.Encode()), ""))
	insert(w.Insert(t.Context(), clickhouse.TableSLOStatus, record(t, status.Encode()), ""))
	limit := 10.0
	insert(w.InsertFindings(t.Context(), []flyball.Finding{
		{ID: "f1", Revision: 1, Kind: "burn_rate", State: flyball.FindingOpened, Severity: "page", Entity: "checkout", Detector: "availability", Tier: "page_fast", At: s.at(300), OpenedAt: s.at(300),
			Summary: "error budget burns 12 times too fast <b>", Evidence: []flyball.Evidence{{Name: "burn_long", Value: 12, Threshold: &limit, Unit: "x", Window: "1h"}}},
		{ID: "f2", Revision: 1, Kind: "canary", State: flyball.FindingOpened, Severity: "page", Entity: "checkout", Detector: "release", At: s.at(400), OpenedAt: s.at(400), Summary: "version 2.0 is worse",
			Examples: []flyball.Example{{Indicator: "requests", Labels: flyball.LabelsOf("service.name", "checkout"), At: s.at(390), Trace: "0af7651916cd43dd8448eb211c80319c", Text: "no <money>", Bad: true}}},
	}, ""))
	insert(w.InsertDecisions(t.Context(), s.decided(), ""))
	insert(w.InsertVerdicts(t.Context(), s.verdicts(), ""))
}

func (s *shop) decided() []flyball.Decision {
	passes := []flyball.GateResult{{Gate: "kill_switch", Pass: true, Reason: "no kill switch is on"}, {Gate: "cooldown", Pass: true, Reason: "not lately"}}
	waits := append(passes[:1:1], flyball.GateResult{Gate: "approval", Pass: false, Reason: "a person has to approve"})
	rollback := flyball.Action{Name: "rollback", Params: map[string]string{"to": "1.9"}}
	return []flyball.Decision{
		{ID: "d1", At: s.at(300), Verb: flyball.VerbAct, Rule: "rollback-on-burn", RuleRevision: "abcdefabcdef", Finding: "f1", Entity: "checkout", Target: "deployment/checkout", Action: rollback, Mode: flyball.ModeAuto,
			Gates: passes, Explain: []flyball.SubExpression{{Expr: `finding.kind == "burn_rate"`, Value: "true"}}, Command: "c1", Trigger: "finding", Operation: "o1", Attempt: 1},
		{ID: "d2", At: s.at(330), Verb: flyball.VerbEffective, Rule: "rollback-on-burn", Finding: "f1", Entity: "checkout", Target: "deployment/checkout", Action: rollback, Trigger: "verification", Operation: "o1", Attempt: 1, Reason: "it has recovered"},
		{ID: "d3", At: s.at(410), Verb: flyball.VerbAwait, Rule: "withdraw", Finding: "f2", Entity: "checkout", Target: "deployment/checkout-canary", Action: flyball.Action{Name: "scale"}, Mode: flyball.ModeApprove, Gates: waits, Trigger: "finding", Operation: "o2", Attempt: 1},
		{ID: "d4", At: s.at(420), Verb: flyball.VerbPage, Rule: "withdraw", Finding: "f2", Entity: "checkout", Reason: "the breaker of guardrail shop has opened at noon: a person must reset it"},
	}
}

func (s *shop) verdicts() []flyball.Verdict {
	var out []flyball.Verdict
	for n := range 4 {
		v := flyball.Verdict{ID: "a1", Revision: n + 1, Canary: "release", Entity: "checkout", Version: "2.0", Baseline: "1.9", Phase: flyball.PhaseRunning, Verdict: flyball.VerdictInconclusive,
			Score: 80, Reason: "errors is open", Judge: "sequential", At: s.at(200 + 60*n), StartedAt: s.at(140), EndsAt: s.at(2000), Looks: n + 1, Step: 1, AllowedWeight: 5,
			Metrics: []flyball.MetricVerdict{{Name: "errors", Kind: "count", Direction: "increase", Verdict: flyball.VerdictInconclusive, Critical: true, Reason: "3 times the errors",
				Effect: flyball.Number(1 + n), Interval: [2]flyball.Number{0.5, flyball.Number(math.Inf(1))}, Allowed: [2]flyball.Number{1, 1.2},
				EHarm: flyball.Number(math.Pow(10, float64(n))), EFail: 40, ESafe: 0.1, EPass: 20, Canary: flyball.CohortVerdict{Mean: 0.03}, Baseline: flyball.CohortVerdict{Mean: 0.01}}}}
		if n == 3 {
			v.Phase, v.Verdict, v.Reason, v.AllowedWeight, v.Metrics[0].Verdict = flyball.PhaseEnded, flyball.VerdictFail, "errors is worse than allowed", 0, flyball.VerdictFail
		}
		out = append(out, v)
	}
	return out
}

func (s *shop) server(t *testing.T, control func(context.Context, *flyball.Control) error) http.Handler {
	t.Helper()
	o := options()
	o.DB, o.Control = s.db, control
	o.Config.Indicators = []flyball.Indicator{{Name: "requests", Window: time.Minute, Value: "duration", Unit: "ns"}}
	o.Config.SLOs = []flyball.SLO{{Name: "availability", Indicator: "requests", TargetPPB: 990_000_000, Tiers: []flyball.BurnRateTier{{Name: "page_fast", Severity: "page", FactorNum: 10, FactorDen: 1, Long: time.Hour, Short: 5 * time.Minute}}}}
	o.Config.Guardrails = []gate.Guardrail{{Name: "shop"}}
	o.Config.Canaries = []flyball.Canary{{Name: "release", Steps: []flyball.CanaryStep{{Weight: 5, For: time.Minute}, {Weight: 100}}}}
	return New(o).Handler(access.Open())
}

func get(t *testing.T, h http.Handler, path string, code int) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, local(path))
	if w.Code != code {
		t.Fatalf("%s: got %d, want %d: %s", path, w.Code, code, w.Body)
	}
	return w.Body.String()
}

func TestPages(t *testing.T) {
	s := newShop(t)
	h := s.server(t, nil)
	f := func(path string, want ...string) {
		t.Helper()
		body := get(t, h, path, 200)
		for _, x := range want {
			if !strings.Contains(body, x) {
				t.Errorf("%s does not have %q:\n%s", path, x, body)
			}
		}
	}
	f("/ui/", "No service has been seen", "Nothing is wrong")
	f("/ui/slos", "No budget has been reported")
	f("/ui/canaries", "flyball canary start")
	f("/ui/decisions", "Nothing has been decided")
	f("/ui/approvals", "Nothing waits for an answer")
	f("/ui/control", "Nothing. Rules act")
	f("/ui/audit", "Nobody has told automation anything")

	s.fill(t)
	h = s.server(t, nil) // another reader: nothing is kept
	f("/ui/", `href="/ui/services/checkout"`, "burning", "−80 %", "error budget burns 12 times too fast &lt;b&gt;", `<span id="waiting" class="badge">1`)
	f("/ui/services/checkout", "availability", "all 2 together", "rollback deployment/checkout", "2.0", `data-sheet="/ui/services/checkout/charts?indicator=requests`)
	f("/ui/slos", "availability", "18×")
	f("/ui/slos/availability?entity=checkout", "−80 %", "2 h", "page_fast", "All time counts")
	f("/ui/canaries", "checkout 2.0", "errors is worse than allowed")
	f("/ui/canaries/a1", `id="verdict-word">fail`, "errors is worse than allowed", `class="shut"`, "3 times the errors", "3 %")
	f("/ui/decisions", "rollback deployment/checkout", "stopped by", "await approval")
	f("/ui/decisions?verb=act", "every gate lets it pass")
	f("/ui/decisions?gate=approval&entity=checkout", "scale deployment/checkout-canary")
	f("/ui/decisions?rule=nothing", "No decision fits")
	f("/ui/decisions/d1", "no kill switch is on", "finding.kind == &#34;burn_rate&#34;", "What caused it", "it has recovered", "12×", "10×")
	f("/ui/operations/o1", "rollback deployment/checkout", "it has recovered")
	f("/ui/findings/f2", "version 2.0 is worse", "The numbers behind it", "scale", "Samples that show it", "<code>0af7651916cd43dd8448eb211c80319c</code>", "no &lt;money&gt;")
	f("/ui/approvals", "scale deployment/checkout-canary", "version 2.0 is worse", `name="operation" value="o2"`)
	f("/ui/control", "Kill switch", "Close the breaker")
	for _, path := range []string{"/ui/nowhere", "/ui/services/nobody", "/ui/slos/none", "/ui/canaries/none", "/ui/decisions/none", "/ui/findings/none", "/ui/operations/none"} {
		get(t, h, path, 404)
	}
}

// sheetOf reads charts as the browser does.
type sheetOf struct {
	X      []float64
	Charts []struct {
		ID         string
		Lines      []struct{ Y []*float64 }
		Bands      []struct{ High []*float64 }
		Thresholds []struct{ Y float64 }
	}
	Marks []struct{ Kind string }
}

func TestCharts(t *testing.T) {
	s := newShop(t)
	s.fill(t)
	h := s.server(t, nil)
	f := func(path string) (sheet sheetOf, ids, kinds string) {
		t.Helper()
		if err := json.Unmarshal([]byte(get(t, h, path, 200)), &sheet); err != nil {
			t.Fatal(err)
		}
		for _, c := range sheet.Charts {
			ids += c.ID + " "
			for _, l := range c.Lines {
				if len(l.Y) != len(sheet.X) {
					t.Errorf("%s: a line of %s has %d values for %d times", path, c.ID, len(l.Y), len(sheet.X))
				}
			}
		}
		for _, m := range sheet.Marks {
			kinds += m.Kind + " "
		}
		return sheet, ids, kinds
	}
	known := func(list []*float64) (out []string) {
		for _, x := range list {
			if x != nil {
				out = append(out, fmt.Sprintf("%.4g", *x))
			}
		}
		return out
	}
	sheet, ids, kinds := f("/ui/services/checkout/charts?range=15m")
	if ids != "traffic errors latency " || kinds != "page page remedy deploy " {
		t.Errorf("charts %q, marks %q", ids, kinds)
	}
	if got := strings.Join(known(sheet.Charts[0].Lines[0].Y), " "); got != strings.TrimSpace(strings.Repeat("20 ", 10)) {
		t.Errorf("traffic of both routes together %s", got)
	}
	if got := strings.Join(known(sheet.Charts[0].Bands[0].High), " "); got != strings.TrimSpace(strings.Repeat("24 ", 10)) {
		t.Errorf("expected of both routes together %s", got)
	}
	if got := known(sheet.Charts[1].Lines[0].Y); got[9] != "0.45" || sheet.Charts[1].Thresholds[0].Y != 0.01 {
		t.Errorf("errors %v, threshold %v", got, sheet.Charts[1].Thresholds)
	}
	if p99 := *sheet.Charts[2].Lines[2].Y[len(sheet.X)-5]; p99 < 98e6 || p99 > 101e6 {
		t.Errorf("p99 %v, want 99 ms within 1.1 %%", p99)
	}
	sheet, ids, _ = f("/ui/slos/availability/charts?entity=checkout&labels=" + url.QueryEscape(`{"service.name":"checkout"}`))
	if got := known(sheet.Charts[1].Lines[0].Y); ids != "budget burn-page_fast sli " || got[len(got)-1] != "18" || sheet.Charts[1].Thresholds[0].Y != 10 {
		t.Errorf("charts %q, burn %v", ids, got)
	}
	sheet, ids, _ = f("/ui/canaries/a1/charts")
	if got := known(sheet.Charts[1].Lines[0].Y); ids != "ratio-errors evidence-errors " || strings.Join(got, " ") != "1 10 100 1000" || sheet.Charts[1].Thresholds[0].Y != 40 {
		t.Errorf("charts %q, evidence %v", ids, got)
	}
}

func TestWhatPeopleSayIsSentAsTheySaidIt(t *testing.T) {
	s := newShop(t)
	var sent *flyball.Control
	var refuse error
	h := s.server(t, func(ctx context.Context, c *flyball.Control) error {
		sent = c
		c.ID = "k1"
		if refuse == nil {
			return s.db.Writer().InsertControls(ctx, []flyball.Control{*c}, "")
		}
		return refuse
	})
	f := func(form string, code int) *httptest.ResponseRecorder {
		t.Helper()
		sent = nil
		r := httptest.NewRequest("POST", "/ui/say", strings.NewReader(form))
		r.Host = "127.0.0.1"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != code {
			t.Errorf("%s: %d %s", form, w.Code, w.Body)
		}
		return w
	}
	w := f("kind=kill&scope=service/cart&who=ann&why=fire&for=30m", 303)
	if at := w.Header().Get("Location"); !strings.HasPrefix(at, "/ui/control?notice=kill+was+said%2C+and") {
		t.Errorf("sent on to %s", at)
	}
	if sent.Kind != flyball.ControlKill || sent.Scope.String() != "service/cart" || sent.Who != "ann" || sent.Why != "fire" || sent.Until.Sub(sent.At) != 30*time.Minute {
		t.Errorf("sent %+v", sent)
	}
	if body := get(t, h, "/ui/control", 200); !strings.Contains(body, "Kill switch is on") || !strings.Contains(body, "fire") {
		t.Errorf("the page does not say so: %s", body)
	}
	if body := get(t, h, "/ui/audit", 200); !strings.Contains(body, "service cart") || !strings.Contains(body, "ann") {
		t.Errorf("the audit does not have it: %s", body)
	}
	refuse = errors.New("no broker")
	if w := f("kind=approve&operation=o1&who=ann&why=yes", 503); !strings.Contains(w.Body.String(), "Kafka does not answer") || sent.Operation != "o1" {
		t.Errorf("%+v %s", sent, w.Body)
	}
	refuse = &automation.UsageError{Err: errors.New("it does not say who and why")}
	if w := f("kind=approve&operation=o1", 422); !strings.Contains(w.Body.String(), "who and why") {
		t.Errorf("%s", w.Body)
	}
	if w := f("kind=pause&why=x&who=y&for=soon", 422); sent != nil || !strings.Contains(w.Body.String(), "a duration such as") {
		t.Errorf("%s", w.Body)
	}
}
