package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sloCase is one published or computed fact; the shape of given and expect
// depends on the family.
type sloCase struct {
	ID, Family    string
	Given, Expect map[string]any
}

func (c *sloCase) given(name string) float64 { return c.Given[name].(float64) }
func (c *sloCase) seconds(name string) time.Duration {
	return time.Duration(math.Round(c.given(name) * 1e9))
}

// target returns the objective as it is written in decimal.
func (c *sloCase) target(name string) string {
	return strconv.FormatFloat(c.given(name), 'f', -1, 64)
}

// notApplicable says of what slo replay cannot show why.
var notApplicable = map[string]string{
	"counter-otlp-start": "about cumulative counters; slices hold counts",
	"pyrra-windows-28d":  "Pyrra's own set of tiers, with durations (for) that Flyball does without",
	"pyrra-windows-7d":   "Pyrra's own set of tiers, with durations (for) that Flyball does without",
	"pyrra-windows-30d":  "Pyrra's own set of tiers, with durations (for) that Flyball does without",
	"pyrra-absent-0.99":  "Pyrra's rule, rounded to minutes and with the duration (for) of a tier",
	"pyrra-absent-0.9":   "Pyrra's rule, rounded to minutes and with the duration (for) of a tier",
}

// sloFamilies shows cases through the command line.
var sloFamilies = map[string]func(*testing.T, *sloCase){
	"burn_rate_threshold":     showThreshold,
	"time_to_exhaustion":      showExhaustion,
	"detection_single_window": showDetection,
	"budget_consumed":         showConsumed,
	"mwmbr_step_incident":     showIncident,
	"mwmbr_pulse":             showPulse,
	"tier_feasibility":        showFeasibility,
	"low_traffic":             showLowTraffic,
	"budget_accounting":       showAccounting,
	"anti_case":               showAntiCase,
	"aggregation":             showAggregation,
	"no_data":                 showNoData,
	"validation":              showValidation,
	"float":                   showFloat,
	"timeslices":              showTimeslices,
	"calendar_window":         showCalendar,
	"exhaustion_forecast":     showForecast,
}

// TestSLOCases shows the shared cases through flyball slo replay, to one
// evaluation.
func TestSLOCases(t *testing.T) {
	shared := os.Getenv("FLYBALL_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	data, err := os.ReadFile(filepath.Join(shared, "data", "slo_cases.json"))
	if err != nil {
		t.Skipf("needs the shared data: set FLYBALL_SHARED: %v", err)
	}
	var file struct{ Cases []sloCase }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) == 0 {
		t.Fatal("there is no case")
	}
	for _, c := range file.Cases {
		t.Run(c.ID, func(t *testing.T) {
			if why, ok := notApplicable[c.ID]; ok {
				t.Skip("not applicable: " + why)
			}
			if why, ok := notApplicable[c.Family]; ok {
				t.Skip("not applicable: " + why)
			}
			show := sloFamilies[c.Family]
			if show == nil {
				t.Fatalf("nothing shows cases of the family %s", c.Family)
			}
			show(t, &c)
		})
	}
}

// epoch is when the cases' time 0 is: a round one, aligned to every step.
const epoch = 1_700_006_400

// series writes slices of one width.
type series struct {
	strings.Builder
	width time.Duration
	at    time.Duration // from the epoch
}

func newSeries(width, from time.Duration) *series { return &series{width: width, at: from} }

// until appends slices up to a time.
func (s *series) until(end time.Duration, total, bad int64) *series {
	for ; s.at < end; s.at += s.width {
		s.slice(total, bad)
	}
	return s
}

// before appends good slices until the epoch: one by one where windows begin in the
// time up to end, and all the others of a stretch as one.
func (s *series) before(windows []time.Duration, end time.Duration) *series {
	for s.at < 0 {
		next := time.Duration(0) // where a window begins first
		for _, w := range windows {
			if s.at < -w+end+s.width {
				next = min(next, max(-w, s.at))
			}
		}
		if next == s.at {
			s.slice(perSlice, 0)
			s.at += s.width
			continue
		}
		n := (next - s.at) / s.width
		s.slice(perSlice*int64(n), 0)
		s.at += n * s.width
	}
	return s
}

func (s *series) slice(total, bad int64) {
	ns := epoch*int64(time.Second) + int64(s.at)
	fmt.Fprintf(s, "%d.%09d,%d,%d\n", ns/1e9, ns%1e9, total, bad)
}

// sinceEpoch is the time of a transition as the cases count it.
func sinceEpoch(t time.Time) time.Duration { return t.Sub(time.Unix(epoch, 0)) }

// find returns when a tier first comes into a state.
func find(list []transition, tier, state string) (transition, bool) {
	i := slices.IndexFunc(list, func(tr transition) bool { return tr.Tier == tier && tr.State == state })
	if i < 0 {
		return transition{}, false
	}
	return list[i], true
}

// within reports whether got is the first evaluation after want.
func within(got, want, step time.Duration) bool { return got >= want && got <= want+step }

func near(t *testing.T, what string, got *float64, want, relative float64) {
	t.Helper()
	if got == nil || math.Abs(*got-want) > relative*math.Abs(want)+1e-12 {
		t.Errorf("%s is %v, want %v", what, deref(got), want)
	}
}

func deref(f *float64) any {
	if f == nil {
		return nil
	}
	return *f
}

// perSlice is the samples of a slice, so many that the error ratios of all cases
// are whole numbers of them.
const perSlice = 1_000_000

func showIncident(t *testing.T, c *sloCase) {
	bad := int64(math.Round(c.given("error_ratio") * perSlice))
	var tiers []string
	var windows []time.Duration
	longest := time.Duration(0)
	for _, x := range c.Given["tiers"].([]any) {
		tier := x.(map[string]any)
		long := time.Duration(tier["long_s"].(float64)) * time.Second
		longest = max(longest, long)
		windows = append(windows, long, time.Duration(tier["short_s"].(float64))*time.Second)
		tiers = append(tiers, fmt.Sprintf("%s=%gx%v/%vs:ticket", tier["name"], tier["burn_rate"], long, tier["short_s"]))
	}
	last := time.Duration(0) // that anything is expected to fire
	fires := map[string]float64{}
	for name, x := range c.Expect["per_tier"].(map[string]any) {
		if m, ok := x.(map[string]any); ok {
			fires[name] = m["fire_s"].(float64)
			last = max(last, time.Duration(fires[name]*1e9))
		}
	}
	step, end := 10*time.Second, last+time.Minute
	if len(fires) < 4 { // watch for as long as a tier could take
		step, end = time.Minute, longest+time.Hour
	} else if last > 2*time.Hour {
		step = time.Minute
	}
	period := c.seconds("slo_period_s")
	slices := newSeries(step, -longest).before(windows, end).until(end, perSlice, bad).String()
	got, _ := replay(t, sloDoc{target: c.target("slo"), window: rolling(period), annotations: []string{tiersAnnotation(tiers...)}}, slices)
	for name := range c.Expect["per_tier"].(map[string]any) {
		tr, fired := find(got, name, "firing")
		want, ok := fires[name]
		if fired != ok {
			t.Errorf("%s fires: %v, want %v", name, fired, ok)
		}
		if !fired || !ok {
			continue
		}
		if at := sinceEpoch(tr.At); !within(at, time.Duration(want*1e9), step) {
			t.Errorf("%s fires after %v, want %v s", name, at, want)
		}
		// The budget is that of the traffic seen: a part of the period's.
		consumed := c.Expect["per_tier"].(map[string]any)[name].(map[string]any)["budget_consumed"].(float64)
		at := sinceEpoch(tr.At)
		consumed *= at.Seconds() / want * period.Seconds() / (longest + at).Seconds()
		near(t, name+"'s budget consumed", tr.BudgetConsumed, consumed, 1e-6)
	}
}

func showPulse(t *testing.T, c *sloCase) {
	const step = 800 * time.Millisecond // divides all times of the case
	bad := int64(math.Round(c.given("error_ratio") * perSlice))
	long, end := c.seconds("long_s"), c.seconds("incident_s")
	doc := sloDoc{target: c.target("slo"), window: rolling(30 * 24 * time.Hour), annotations: []string{
		tiersAnnotation(fmt.Sprintf("p=%gx%v/%v:page", c.given("burn_rate"), long, c.seconds("short_s")))}}
	at := func(upTo time.Duration) summary {
		s := newSeries(step, -long).until(0, perSlice, 0).until(min(upTo, end), perSlice, bad).until(upTo, perSlice, 0)
		_, sum := replay(t, doc, s.String(), "--step", "10m")
		return sum
	}
	expect := func(name string) time.Duration { return time.Duration(c.Expect[name].(float64) * 1e9) }
	limit := c.given("burn_rate")
	// crosses checks the rate just before and just after a time.
	crosses := func(what string, when time.Duration, rate func(summary) float64, rising bool) {
		t.Helper()
		before, after := rate(at(when-step)), rate(at(when+step))
		if rising && !(before <= limit && after > limit) || !rising && !(before > limit && after <= limit) {
			t.Errorf("%s: %v before %v and %v after", what, before, when, after)
		}
	}
	longRate := func(s summary) float64 { return *s.Burn["p"].Long }
	shortRate := func(s summary) float64 { return *s.Burn["p"].Short }
	crosses("the short window", expect("short_crosses_s"), shortRate, true)
	crosses("the long window", expect("long_crosses_s"), longRate, true)
	crosses("the long window after the incident", end+expect("long_only_clears_after_incident_end_s"), longRate, false)

	s := newSeries(step, -long).until(0, perSlice, 0).until(end, perSlice, bad).until(end+10*time.Minute, perSlice, 0)
	got, _ := replay(t, doc, s.String())
	fired, _ := find(got, "p", "firing")
	resolved, _ := find(got, "p", "resolved")
	if len(got) != 2 || !within(sinceEpoch(fired.At), expect("alert_fires_s"), step) ||
		!within(sinceEpoch(resolved.At)-end, expect("alert_clears_after_incident_end_s"), step) {
		t.Errorf("got %+v", got)
	}
}

func showDetection(t *testing.T, c *sloCase) {
	const step = 600 * time.Millisecond // divides all times of the cases
	window, detect := c.seconds("window_s"), time.Duration(c.Expect["detect_s"].(float64)*1e9)
	doc := sloDoc{target: c.target("slo"), window: rolling(30 * 24 * time.Hour), annotations: []string{
		tiersAnnotation(fmt.Sprintf("p=%gx%v/%v:page", c.given("burn_rate"), window, step))}}
	s := newSeries(step, -window).until(0, perSlice, 0).until(detect+time.Minute, perSlice, perSlice)
	got, _ := replay(t, doc, s.String())
	fired, _ := find(got, "p", "firing")
	if !within(sinceEpoch(fired.At), detect, step) {
		t.Errorf("fires after %v, want %v", sinceEpoch(fired.At), detect)
	}
	if want, ok := c.Expect["budget_consumed_at_fire"].(float64); ok {
		scale := sinceEpoch(fired.At).Seconds() / detect.Seconds() * (30 * 24 * time.Hour).Seconds() / (window + sinceEpoch(fired.At)).Seconds()
		near(t, "the budget consumed", fired.BudgetConsumed, want*scale, 1e-6)
	}
	reset, ok := c.Expect["reset_s_if_outage_ends_at_fire"].(float64)
	if !ok {
		return
	}
	for _, after := range []time.Duration{-step, step} { // the rate of the one window, around the reset
		end := detect + time.Duration(reset*1e9) + after
		s := newSeries(step, -window).until(0, perSlice, 0).until(detect, perSlice, perSlice).until(end, perSlice, 0)
		_, sum := replay(t, doc, s.String(), "--step", "10m")
		if rate := *sum.Burn["p"].Long; (rate >= c.given("burn_rate")) != (after < 0) {
			t.Errorf("%v from the reset the rate is %v", after, rate)
		}
	}
}

// showThreshold has a total outage use up the share of the budget that the
// threshold stands for.
func showThreshold(t *testing.T, c *sloCase) {
	const step = time.Second
	period, long := c.seconds("slo_period_s"), c.seconds("long_window_s")
	share := c.given("budget_pct") / 100
	doc := sloDoc{target: "0.999", window: rolling(period), annotations: []string{
		tiersAnnotation(fmt.Sprintf("p=%gx%v/10s:page", c.Expect["burn_rate"].(float64), long))}}
	incident := time.Duration(share * 0.001 * float64(period))
	// What was before the long window is in one slice.
	s := newSeries(step, incident-period+10*step)
	s.slice(perSlice*int64((period-long-incident)/step), 0)
	s.at = -long
	s.until(0, perSlice, 0).until(incident+time.Minute, perSlice, perSlice)
	got, _ := replay(t, doc, s.String(), "--slice", "1s")
	fired, _ := find(got, "p", "firing")
	if !within(sinceEpoch(fired.At), incident, step) {
		t.Errorf("fires after %v, want %v", sinceEpoch(fired.At), incident)
	}
	near(t, "the budget consumed", fired.BudgetConsumed, share, 1/incident.Seconds())
}

func showExhaustion(t *testing.T, c *sloCase) {
	target, ratio := "0.999", 0.0
	if _, ok := c.Given["slo"]; ok {
		target, ratio = c.target("slo"), c.given("error_ratio")
	} else {
		ratio = c.given("burn_rate") / 1000
	}
	period, left := c.seconds("slo_period_s"), time.Duration(c.Expect["seconds"].(float64)*1e9)
	step := 10 * time.Second
	if left < time.Minute {
		step = 10 * time.Millisecond
	}
	for _, late := range []bool{false, true} { // one step before and after the last of the budget
		end := left.Truncate(step)
		if late {
			end += 2 * step
		}
		if end > period { // a burn of 1 never uses up more than the budget
			continue
		}
		// The good part of the period is one slice, the bad one another.
		s := newSeries(step, -step)
		s.slice(int64(period/step)*perSlice-int64(end/step)*perSlice, 0)
		s.slice(int64(end/step)*perSlice, int64(math.Round(float64(end/step)*perSlice*ratio)))
		_, sum := replay(t, sloDoc{target: target, window: rolling(period)}, s.String())
		if exhausted := *sum.BudgetRemaining < 0; exhausted != late {
			t.Errorf("after %v of %v the budget remaining is %v", end, left, *sum.BudgetRemaining)
		}
		if (sum.State == "EXHAUSTED") != late && *sum.BudgetRemaining != 0 {
			t.Errorf("the state is %s", sum.State)
		}
		near(t, "the budget remaining", sum.BudgetRemaining, 1-end.Seconds()/left.Seconds(), 1e-6)
	}
}

func showConsumed(t *testing.T, c *sloCase) {
	period, outage := c.seconds("slo_period_s"), c.seconds("duration_s")
	s := newSeries(time.Hour, outage-period).until(0, 60, 0).until(outage, 60, int64(60*c.given("error_ratio")))
	_, sum := replay(t, sloDoc{target: c.target("slo"), window: rolling(period)}, s.String())
	near(t, "the budget consumed", sum.BudgetConsumed, c.Expect["consumed"].(float64), 1e-9)
}

// showFeasibility has everything fail at the lowest target and just above.
func showFeasibility(t *testing.T, c *sloCase) {
	least := c.Expect["min_slo_for_tier"].(float64)
	tier := tiersAnnotation(fmt.Sprintf("x=%gx1h/5m:ticket", c.given("burn_rate")))
	for _, above := range []bool{false, true} {
		target := strconv.FormatFloat(least-1e-6, 'f', 6, 64)
		if above {
			target = strconv.FormatFloat(least+1e-6, 'f', 6, 64)
		}
		doc := sloDoc{target: target, window: rolling(30 * 24 * time.Hour), annotations: []string{tier}}
		got, _ := replay(t, doc, newSeries(time.Minute, 0).until(2*time.Hour, 100, 100).String())
		if _, fires := find(got, "x", "firing"); fires != above {
			t.Errorf("at %s the tier fires: %v", target, fires)
		}
		_, talk, _ := flyballCommand(t, "0,1,1\n", "slo", "replay", "--slices", "-", "--slo", doc.write(t))
		if warned := strings.Contains(talk, "unreachable_tier"); warned == above {
			t.Errorf("at %s there is a warning: %v (%s)", target, warned, talk)
		}
	}
}

func showLowTraffic(t *testing.T, c *sloCase) {
	perHour, failed := int64(c.given("requests_per_hour")), int64(c.given("failed"))
	s := newSeries(time.Hour, time.Hour-c.seconds("slo_period_s")).until(0, perHour, 0).until(time.Hour, perHour, failed)
	got, sum := replay(t, sloDoc{target: c.target("slo"), window: rolling(c.seconds("slo_period_s"))}, s.String())
	near(t, "the budget consumed", sum.BudgetConsumed, c.Expect["budget_consumed"].(float64), 1e-9)
	if want := int64(c.Expect["allowed_failures"].(float64)); sum.Allowed != want {
		t.Errorf("%d failures are allowed, want %d", sum.Allowed, want)
	}
	fired, ok := find(got, "page_fast", "firing")
	if !ok {
		t.Fatal("page_fast does not fire")
	}
	near(t, "the hourly burn rate", fired.BurnLong, c.Expect["hourly_burn_rate"].(float64), 1e-9)
}

func showAccounting(t *testing.T, c *sloCase) {
	field := "target"
	if _, ok := c.Given["goal"]; ok {
		field = "goal"
	}
	window := 30 * 24 * time.Hour
	if _, ok := c.Given["window_s"]; ok {
		window = c.seconds("window_s")
	}
	var total, bad int64
	switch {
	case c.Given["sli"] != nil:
		total, bad = perSlice, int64(math.Round((1-c.given("sli"))*perSlice))
	case c.Given["good"] != nil:
		bad = int64(c.given("bad"))
		total = bad + int64(c.given("good"))
	default:
		total, bad = int64(c.given("total")), int64(c.given("bad"))
	}
	s := newSeries(time.Hour, 0)
	s.slice(total, bad)
	_, sum := replay(t, sloDoc{target: c.target(field), window: rolling(window)}, s.String())
	allowed, budgetMinutes := float64(sum.Allowed), sum.BudgetSeconds/60
	remainingMinutes := *sum.RemainingSeconds / 60
	errorMinutes := budgetMinutes - remainingMinutes
	got := map[string]*float64{
		"sli": sum.SLI, "gap": sum.Gap, "burn_rate": sum.BurnRate, "allowed": &allowed,
		"consumed": sum.BudgetConsumed, "remaining": sum.BudgetRemaining,
		"budget_minutes": &budgetMinutes, "remaining_minutes": &remainingMinutes, "error_minutes": &errorMinutes,
	}
	for name, want := range c.Expect {
		if got[name] == nil {
			t.Errorf("nothing shows %s", name)
			continue
		}
		near(t, name, got[name], want.(float64), 1e-9)
	}
}

func showAntiCase(t *testing.T, c *sloCase) {
	s := newSeries(time.Minute, 0)
	switch c.ID {
	case "round-trap-slogen":
		s.until(2*time.Hour, 100_000, int64(math.Round(c.given("burn_rate")*1000)))
		doc := sloDoc{target: "0.99", window: rolling(30 * 24 * time.Hour),
			annotations: []string{tiersAnnotation(fmt.Sprintf("x=%gx1h/5m:page", c.given("threshold")))}}
		got, _ := replay(t, doc, s.String())
		if _, fires := find(got, "x", "firing"); fires != c.Expect["alert"].(bool) {
			t.Errorf("it fires: %v", fires)
		}
	case "occ-openslo-2w":
		s.slice(int64(c.given("requests")), 0)
		_, sum := replay(t, sloDoc{target: c.target("target"), window: rolling(14 * 24 * time.Hour)}, s.String())
		if want := int64(c.Expect["allowed_failures"].(float64)); sum.Allowed != want {
			t.Errorf("%d failures are allowed, want %d", sum.Allowed, want)
		}
	default:
		t.Fatal("nothing shows this case")
	}
}

func showAggregation(t *testing.T, c *sloCase) {
	s := newSeries(5*time.Minute, 0)
	for _, x := range c.Given["slots"].([]any) {
		slot := x.(map[string]any)
		for range int(slot["n"].(float64)) {
			s.until(s.at+s.width, int64(slot["total"].(float64)), int64(slot["bad"].(float64)))
		}
	}
	_, sum := replay(t, sloDoc{target: "0.999", window: rolling(24 * time.Hour)}, s.String())
	ratio := 1 - *sum.SLI
	near(t, "the error ratio", &ratio, c.Expect["event_weighted"].(float64), 1e-9)
}

func showNoData(t *testing.T, c *sloCase) {
	s := newSeries(time.Minute, 0)
	s.slice(int64(c.given("total")), int64(c.given("bad")))
	got, sum := replay(t, sloDoc{target: "0.999", window: rolling(24 * time.Hour)}, s.String())
	if sum.SLI != nil || sum.BurnRate != nil || sum.BudgetRemaining != nil || sum.State != c.Expect["state"] || len(got) > 0 {
		t.Errorf("got %+v, %v", sum, got)
	}
}

func showValidation(t *testing.T, c *sloCase) {
	doc := sloDoc{target: "0.999", window: rolling(24 * time.Hour)}
	line := fmt.Sprintf("0,%d,%d\n", int64(c.given("total")), int64(c.given("bad")))
	out, talk, code := flyballCommand(t, line, "slo", "replay", "--slices", "-", "--slo", doc.write(t))
	if valid := code == exitOK; valid != c.Expect["valid"].(bool) || out != "" || !strings.Contains(talk, "stdin:1:bad") {
		t.Errorf("exit %d: %s%s", code, out, talk)
	}
}

func showFloat(t *testing.T, c *sloCase) {
	s := newSeries(time.Minute, 0)
	if percent, ok := c.Given["objective_percent"].(float64); ok { // the naive figures are what is not to be seen
		s.slice(1_000_000, 1000)
		target := strconv.FormatFloat(percent/100, 'f', 3, 64)
		_, sum := replay(t, sloDoc{target: target, window: rolling(1000 * time.Hour)}, s.String())
		if sum.Allowed != 1000 || sum.BudgetSeconds != 3600 || *sum.BudgetConsumed != 1 || *sum.BudgetRemaining != 0 {
			t.Errorf("got %+v", sum)
		}
		return
	}
	total, bad := int64(c.given("total")), int64(c.given("bad"))
	s.until(2*time.Hour, total, bad)
	doc := sloDoc{target: c.target("slo"), window: rolling(30 * 24 * time.Hour),
		annotations: []string{tiersAnnotation(fmt.Sprintf("x=%gx1h/5m:page", c.given("burn_rate_threshold")))}}
	got, sum := replay(t, doc, s.String())
	if _, fires := find(got, "x", "firing"); fires != c.Expect["fires_strict_gt"].(bool) {
		t.Errorf("it fires: %v", fires)
	}
	if *sum.Burn["x"].Long != c.Expect["exact_burn"] || *sum.BurnRate != c.Expect["exact_burn"] {
		t.Errorf("the burn rate is %v over an hour and %v over the period", *sum.Burn["x"].Long, *sum.BurnRate)
	}
}

func showTimeslices(t *testing.T, c *sloCase) {
	slice := c.seconds("slice_s")
	doc := sloDoc{target: c.target("target"), method: "Timeslices", objective: fmt.Sprintf(", timeSliceTarget: 0.95, timeSliceWindow: %v", minutes(slice))}
	if c.Given["window"] == nil { // rolling: which slices are bad
		doc.window = rolling(c.seconds("window_s"))
		s, bad := newSeries(slice, 0), int64(0)
		for _, x := range c.Expect["slice_bad"].([]any) {
			one := x.(map[string]any)
			s.until(s.at+slice, int64(one["total"].(float64)), int64(one["bad"].(float64)))
			if one["is_bad"].(bool) {
				bad++
			}
			_, sum := replay(t, doc, s.String(), "--slice", slice.String())
			if sum.Total != int64(s.at/slice) || sum.Bad != bad {
				t.Errorf("after %v: %d of %d slices are bad, want %d", one, sum.Bad, sum.Total, bad)
			}
		}
		_, sum := replay(t, doc, s.String())
		near(t, "the budget", &sum.BudgetSeconds, c.Expect["budget_seconds"].(float64), 1e-12)
		return
	}
	doc.window = `{duration: 1w, calendar: {startTime: "2023-11-13 00:00:00", timeZone: UTC}, isRolling: false}`
	monday := time.Date(2023, 11, 13, 0, 0, 0, 0, time.UTC)
	s := newSeries(slice, sinceEpoch(monday))
	good := int64(c.given("good"))
	for i := range int64(c.given("elapsed_slices")) {
		s.until(s.at+slice, 100, 100*min(max(i-good+1, 0), 1))
	}
	_, sum := replay(t, doc, s.String())
	if sum.Total != int64(c.Expect["total_slices"].(float64)) {
		t.Errorf("the period has %d slices", sum.Total)
	}
	if sum.SLI == nil {
		t.Fatalf("nothing is known: %+v", sum)
	}
	rate := 1 - *sum.SLI
	near(t, "the error rate", &rate, c.Expect["error_rate"].(float64), 1e-9)
	near(t, "the budget consumed", sum.BudgetConsumed, c.Expect["consumed"].(float64), 1e-9)
}

func minutes(d time.Duration) string { return fmt.Sprintf("%dm", int(d.Minutes())) }

func showCalendar(t *testing.T, c *sloCase) {
	zone := c.Given["tz"].(string)
	at, err := time.Parse("2006-01", c.Given["month"].(string))
	if err != nil {
		t.Fatal(err)
	}
	doc := sloDoc{target: c.target("slo"), window: fmt.Sprintf(
		`{duration: 1M, calendar: {startTime: "2026-01-01 00:00:00", timeZone: %s}, isRolling: false}`, zone)}
	s := newSeries(time.Hour, sinceEpoch(at.AddDate(0, 0, 10)))
	s.slice(1000, 1)
	_, sum := replay(t, doc, s.String())
	near(t, "the period", &sum.PeriodSeconds, c.Expect["period_s"].(float64), 1e-12)
	near(t, "the budget", &sum.BudgetSeconds, c.Expect["budget_s"].(float64), 1e-12)
}

// showForecast runs the incident until the budget is to be gone within the time of
// the case, from a lookback of a quarter of it.
func showForecast(t *testing.T, c *sloCase) {
	const step = 10 * time.Second
	period, within := c.seconds("slo_period_s"), c.seconds("exhaustion_s")
	fires := time.Duration(c.Expect["fires_s_projection_on_remaining"].(float64) * 1e9)
	bad := int64(math.Round(c.given("error_ratio") * perSlice))
	// What was before the lookback is in one slice.
	s := newSeries(step, fires-period+10*step)
	s.slice(perSlice*int64((period-2*within-fires)/step), 0)
	s.at = -2 * within
	s.until(0, perSlice, 0).until(fires+time.Minute, perSlice, bad)
	doc := sloDoc{target: c.target("slo"), window: rolling(period)}
	out, talk, code := flyballCommand(t, s.String(), "slo", "forecast", "--slices", "-", "--slice", "10s", "--within", within.String(), "--slo", doc.write(t))
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, talk)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var first struct {
		Event, State string
		At           time.Time
		ExhaustsIn   *float64 `json:"exhausts_in"`
	}
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil || len(lines) != 2 {
		t.Fatalf("%v: %s", err, out)
	}
	if first.Event != "exhausts_within" || first.State != "firing" || !around(sinceEpoch(first.At), fires, step) {
		t.Errorf("got %+v at %v, want it at %v", first, sinceEpoch(first.At), fires)
	}
	near(t, "the time left", first.ExhaustsIn, within.Seconds(), 0.01)
	if !strings.HasPrefix(lines[1], `{"forecast":{"slo":"x",`) {
		t.Errorf("it ends with %s", lines[1])
	}
}

// around reports whether got is within a step of want, on either side: the cases
// step by the traffic of a whole period, which grows with the incident here.
func around(got, want, step time.Duration) bool { return got >= want-step && got <= want+step }
