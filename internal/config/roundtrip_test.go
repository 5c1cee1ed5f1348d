package config

import (
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/objective"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
	"github.com/flyball-io/flyball/processors/remediation/gate"
)

func diffConfigs(a, b *Config) string {
	return cmp.Diff(a, b, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(flyball.SLO{}, "Revision"), cmpopts.IgnoreFields(flyball.Canary{}, "Revision"),
		cmpopts.IgnoreFields(flyball.Detector{}, "Revision"), cmp.Comparer(func(x, y flyball.Matcher) bool {
			return x.String() == y.String() && x.Number == y.Number
		}))
}

// TestRoundTrip: what Marshal writes, Read reads as the same configuration.
func TestRoundTrip(t *testing.T) {
	o := Options{CheckExpr: noIssues, CheckTemplate: noIssues}
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		text, err := Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		got, problems := o.Read([]File{{Name: "config.yaml", Text: text}})
		if strictyaml.HasErrors(problems) {
			t.Fatalf("%v\nin:\n%s", &Error{problems}, text)
		}
		if diff := diffConfigs(c, got); diff != "" {
			t.Fatalf("(-written +read):\n%s\nin:\n%s", diff, text)
		}
	})
}

const day = 24 * time.Hour

func noIssues(string) []ExprIssue { return nil }

// awkward draws text that YAML may read as something else.
func awkward() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{"yes", "null", "~", "007", "1e3", "2024-01-01", "a: b", "- x", "#x", " x ", "x\ny\n",
			"${env:HOME}", "$${env:HOME}", "${file:/etc/passwd}", "é\u2028x", "\u0085", "\u2029 \r", "\"q\" 'q'", "\t", "a\\b", "---", "...", "!x", "&x *x", "x\r\ny"}),
		rapid.StringMatching(`[ -~]{1,40}`))
}

func name(t *rapid.T, kind string, i int) string {
	return fmt.Sprintf("%02d-%s", i, rapid.StringMatching(`[A-Za-z0-9._/-]{0,8}x`).Draw(t, kind+" name"))
}

func seconds(t *rapid.T, label string, low, high int) time.Duration {
	return time.Duration(rapid.IntRange(low, high).Draw(t, label)) * time.Second
}

func drawConfig(t *rapid.T) *Config {
	c := &Config{Pipeline: drawPipeline(t)}
	for i := range rapid.IntRange(0, 3).Draw(t, "sources") {
		c.Sources = append(c.Sources, drawSource(t, i))
	}
	if len(c.Sources) > 0 {
		for i := range rapid.IntRange(0, 3).Draw(t, "indicators") {
			c.Indicators = append(c.Indicators, drawIndicator(t, i, rapid.SampledFrom(c.Sources).Draw(t, "source")))
		}
	}
	var measurable []flyball.Indicator
	for _, i := range c.Indicators {
		if len(i.Bad) > 0 {
			measurable = append(measurable, i)
		}
	}
	if len(measurable) > 0 {
		for i := range rapid.IntRange(0, 3).Draw(t, "slos") {
			c.SLOs = append(c.SLOs, drawSLO(t, i, rapid.SampledFrom(measurable).Draw(t, "indicator")))
		}
	}
	if len(c.Indicators) > 0 {
		for i := range rapid.IntRange(0, 2).Draw(t, "detectors") {
			c.Detectors = append(c.Detectors, drawDetector(t, i, c.Indicators))
		}
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "rules") {
		c.Rules = append(c.Rules, drawRule(t, i))
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "guardrails") {
		c.Guardrails = append(c.Guardrails, drawGuardrail(t, i))
	}
	if rapid.Bool().Draw(t, "topology") {
		c.Topology.Needs = map[string][]string{"shop": {"db", "pay"}, "pay": {"db"}}
	}
	return c
}

// drawDetector draws a detector whose values are those that suit its indicators.
func drawDetector(t *rapid.T, i int, indicators []flyball.Indicator) flyball.Detector {
	d := flyball.Detector{
		Name: name(t, "detector", i), FalseAlarms: rapid.SampledFrom([]float64{0.000001, 0.1, 3, 1000}).Draw(t, "alarms"),
		Direction:  rapid.SampledFrom([]flyball.Direction{"both", "up", "down"}).Draw(t, "direction"),
		MinSamples: int64(rapid.IntRange(0, 100).Draw(t, "samples")), Horizon: seconds(t, "horizon", 60, 86400),
		Severity: rapid.SampledFrom([]string{"info", "ticket", "page"}).Draw(t, "severity"), SeriesLimit: rapid.IntRange(1, 100_000).Draw(t, "limit"),
		Algorithms: rapid.SampledFrom([][]string{nil, {"season"}, {"spike", "drift"}}).Draw(t, "algorithms"),
		Periods:    rapid.SampledFrom([][]time.Duration{nil, {time.Hour}, {time.Minute, day, 7 * day}}).Draw(t, "periods"),
	}
	wanted := rapid.SampledFrom([][]flyball.WindowValue{{"rate"}, {"rate", "error_ratio", "p99"}, {"rate", "mean", "p50"}}).Draw(t, "values")
	for _, ind := range indicators {
		w := flyball.Watch{Indicator: ind.Name}
		for _, v := range wanted {
			if v == flyball.ValueRate || v == flyball.ValueErrorRatio && len(ind.Bad) > 0 || v != flyball.ValueErrorRatio && ind.Value != "" {
				w.Values = append(w.Values, v)
			}
		}
		d.Watches = append(d.Watches, w)
	}
	if rapid.Bool().Draw(t, "declared") {
		d.Range = &flyball.ValueRange{Min: -1.25, Max: rapid.Float64Range(0, 1e12).Draw(t, "max")}
	}
	return d
}

func drawPipeline(t *rapid.T) Pipeline {
	p := DefaultPipeline()
	p.Name = name(t, "pipeline", 0)
	p.Kafka.Brokers = rapid.SliceOfN(rapid.SampledFrom([]string{"a:1", "[::1]:9092", "b.example:65535"}), 1, 3).Draw(t, "brokers")
	p.Kafka.TopicPrefix = rapid.SampledFrom([]string{"", "flyball.", "x_y-"}).Draw(t, "prefix")
	p.Kafka.Group = rapid.StringMatching(`[ -~]{1,9}`).Draw(t, "group")
	p.Partitions.Panes = rapid.IntRange(1, 1024).Draw(t, "panes")
	p.CommitInterval = Duration(rapid.IntRange(10, 5000).Draw(t, "commit")) * Duration(time.Millisecond)
	p.Workers = rapid.IntRange(0, 1024).Draw(t, "workers")
	p.SLO.StatusInterval = Duration(seconds(t, "status", 1, 3600))
	p.Limits.SeriesPerIndicator = rapid.IntRange(1, 10_000_000).Draw(t, "series")
	if rapid.Bool().Draw(t, "signs") {
		p.Signing = spec.Signing{KeyFile: awkward().Draw(t, "file"), KeyID: awkward().Draw(t, "id")}
	}
	return p
}

func drawSource(t *rapid.T, i int) flyball.Source {
	s := flyball.Source{Name: name(t, "source", i), Topics: []string{fmt.Sprintf("topic%d", i), fmt.Sprintf("%d.5", i)},
		Format: spec.FormatOTLPSpans, Encoding: rapid.SampledFrom([]string{"proto", "json"}).Draw(t, "encoding"),
		OutOfOrderness: seconds(t, "order", 0, 3600), IdleTimeout: seconds(t, "idle", 1, 3600),
		StallTimeout: seconds(t, "stall", 1, 86400), MaxAhead: seconds(t, "ahead", 0, 86400)}
	if rapid.Bool().Draw(t, "json") {
		s.Format, s.Encoding = spec.FormatJSON, ""
		s.JSON = flyball.JSONMapping{Timestamp: awkward().Draw(t, "timestamp"),
			TimestampFormat: rapid.SampledFrom([]string{"auto", "unix_ms", "2006-01-02", "02/01/06 15:04"}).Draw(t, "format"),
			Labels:          map[string]string{"service": "svc", "a.b/c d": awkward().Draw(t, "path")},
			Values: map[string]flyball.JSONValue{"took": {Path: awkward().Draw(t, "path"), Unit: "ms"},
				"500": {Path: "n"}}}
	}
	return s
}

func drawIndicator(t *rapid.T, i int, s flyball.Source) flyball.Indicator {
	in := flyball.Indicator{Name: name(t, "indicator", i), Source: s.Name, Entity: "service", GroupBy: []string{"service"},
		Pane:     rapid.SampledFrom([]time.Duration{time.Second, 10 * time.Second, 15 * time.Second, time.Minute}).Draw(t, "pane"),
		Lateness: seconds(t, "lateness", 0, 86400), SeriesLimit: rapid.IntRange(1, 10_000_000).Draw(t, "limit")}
	in.Window = in.Pane * time.Duration(rapid.IntRange(1, 24*60).Draw(t, "panes"))
	value, label := "took", "service"
	if s.Format == spec.FormatOTLPSpans {
		value = "duration"
		if rapid.Bool().Draw(t, "grouped") {
			label = "http.route"
			in.GroupBy = append(in.GroupBy, label)
		}
	}
	if rapid.Bool().Draw(t, "valued") {
		in.Value, in.Unit = value, "ns"
	}
	in.Filter = drawMatchers(t, "filter", label, value)
	in.Bad = drawMatchers(t, "bad", label, value)
	return in
}

func drawMatchers(t *rapid.T, what, label, value string) []flyball.Matcher {
	var out []flyball.Matcher
	for range rapid.IntRange(0, 3).Draw(t, what) {
		m := flyball.Matcher{Name: label, Op: rapid.SampledFrom([]flyball.MatchOp{"=", "!="}).Draw(t, "op"), Value: awkward().Draw(t, "value")}
		text := m.String()
		switch {
		case value != "" && rapid.Bool().Draw(t, "numeric"):
			text = value + rapid.SampledFrom([]string{" > 5", " <= 300ms", " < 1e3", ">=0.25"}).Draw(t, "comparison")
		case rapid.Bool().Draw(t, "regexp"):
			text = label + rapid.SampledFrom([]string{`=~"/a/.*"`, `!~"[^\\d]+|x"`, "=~`a\\.b`"}).Draw(t, "pattern")
		}
		parsed, err := flyball.ParseMatcher(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, parsed)
	}
	return out
}

func drawSLO(t *rapid.T, i int, in flyball.Indicator) flyball.SLO {
	s := flyball.SLO{Name: name(t, "slo", i), Service: awkward().Draw(t, "service"), Indicator: in.Name,
		Selector:  drawMatchers(t, "selector", in.GroupBy[len(in.GroupBy)-1], ""),
		TargetPPB: rapid.Int64Range(950_000_000, 999_999_999).Draw(t, "target"),
		Period:    time.Duration(rapid.IntRange(3, 366).Draw(t, "days")) * day}
	if rapid.Bool().Draw(t, "guards") {
		s.MinTotal, s.MinBad = rapid.Int64Range(0, 1e15).Draw(t, "min total"), rapid.Int64Range(0, 100).Draw(t, "min bad")
		s.NoData = rapid.SampledFrom([]flyball.NoDataPolicy{flyball.NoDataAlert, flyball.NoDataGood, flyball.NoDataBad}).Draw(t, "no data")
	}
	if rapid.Bool().Draw(t, "extensions") {
		s.ExhaustsWithin, s.GroupTTL = seconds(t, "within", 0, 86400), seconds(t, "ttl", 0, 86400)
		s.GroupLimit = rapid.IntRange(0, 1000).Draw(t, "group limit")
		s.Notify = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"oncall", "mail", "a/b c"}), 0, 2, rapid.ID).Draw(t, "notify")
		if other := in.GroupBy[len(in.GroupBy)-1]; other != in.Entity && !strings.ContainsAny(other, ", ") {
			s.GroupBy = []string{other}
		}
		for n := range rapid.IntRange(0, 2).Draw(t, "exclusions") {
			e := flyball.Exclusion{Name: fmt.Sprintf("%02d-x%d", i, n), Start: drawCalendar(t).Anchor, Length: seconds(t, "length", 1, 86400)}
			e.Rule = rapid.SampledFrom([]string{"", "FREQ=WEEKLY;BYDAY=SU,MO", "FREQ=MONTHLY;BYDAY=-1FR;COUNT=3"}).Draw(t, "rule")
			s.Exclusions = append(s.Exclusions, e)
		}
	}
	unit := in.Pane
	if rapid.Bool().Draw(t, "slices") {
		unit = rapid.SampledFrom([]time.Duration{in.Pane, time.Minute}).Draw(t, "slice")
		s.Slice, s.Method = unit, flyball.RatioTimeslices
		if rapid.Bool().Draw(t, "good or bad") {
			s.Method, s.SliceTargetPPB = flyball.Timeslices, rapid.Int64Range(1, 1e9).Draw(t, "slice target")
		}
	}
	if rapid.Bool().Draw(t, "calendar") {
		s.Calendar = drawCalendar(t)
		s.Period = s.Calendar.Nominal()
	}
	if rapid.Bool().Draw(t, "default tiers") || s.Period < 3*day {
		s.Tiers = objective.DefaultTiers(s.Period, unit)
		return s
	}
	s.Tiers = []flyball.BurnRateTier{
		{Name: "a_1", Severity: "page", FactorNum: 72, FactorDen: 5, Long: time.Hour, Short: time.Minute},
		{Name: "b", Severity: "ticket", FactorNum: 20, FactorDen: rapid.SampledFrom([]int64{3, 7, 9, 1_000_003}).Draw(t, "den"),
			Long: 25 * time.Hour, Short: 90 * time.Minute},
		{Name: "c", Severity: "ticket", FactorNum: 2, FactorDen: 1, OrEqual: true, Long: time.Hour, Short: time.Hour, After: 5 * time.Minute}}
	objective.SortTiers(s.Tiers)
	return s
}

func drawCalendar(t *rapid.T) *flyball.Calendar {
	place, err := time.LoadLocation(rapid.SampledFrom([]string{"UTC", "America/New_York", "Asia/Kathmandu"}).Draw(t, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	c := &flyball.Calendar{Anchor: time.Date(2026, time.Month(rapid.IntRange(1, 12).Draw(t, "month")), 1, 12, 30, 15, 0, place)}
	switch rapid.IntRange(0, 2).Draw(t, "unit") {
	case 0:
		c.Months = rapid.IntRange(1, 12).Draw(t, "months")
	case 1:
		c.Days = rapid.IntRange(1, 366).Draw(t, "days")
	default:
		c.Fixed = 5 * time.Hour
	}
	return c
}

func drawRule(t *rapid.T, i int) flyball.Rule {
	text := func(label string) string {
		return rapid.StringMatching(`[!-~]`).Draw(t, label) + awkward().Draw(t, label)
	}
	r := flyball.Rule{Name: name(t, "rule", i), When: text("when"), Target: text("target"),
		Action:   flyball.Action{Name: strings.ReplaceAll(text("action"), "{", "(")}, // no places in names
		Mode:     rapid.SampledFrom(flyball.Modes()).Draw(t, "mode"),
		Cooldown: seconds(t, "cooldown", 0, 30*86400), Deadline: seconds(t, "deadline", 1, 86400),
		Owner: rapid.OneOf(rapid.Just(""), awkward()).Draw(t, "owner")}
	for _, key := range rapid.SliceOfDistinct(awkward(), rapid.ID[string]).Draw(t, "params") {
		if r.Action.Params == nil {
			r.Action.Params = map[string]string{}
		}
		r.Action.Params[key] = text("param")
	}
	if rapid.Bool().Draw(t, "after") {
		r.For, r.Priority, r.Approval = seconds(t, "for", 0, 86400), rapid.IntRange(-1000, 1000).Draw(t, "priority"), seconds(t, "approval", 0, 86400)
		r.Verify = flyball.Verify{Recovered: text("recovered"), Worse: text("worse"), Within: seconds(t, "within", 1, 86400), Stabilisation: seconds(t, "stabilisation", 0, 86400)}
		r.Compensation = flyball.Action{Name: "undo", Params: map[string]string{"to": text("param")}}
		r.EscalateAfter, r.Escalate = seconds(t, "escalate", 0, 86400), []flyball.Action{{Name: "restart"}, {Name: "replace", Params: map[string]string{"a": "b"}}}
		r.Notify, r.Essential, r.Redirect = []string{"oncall"}, rapid.Bool().Draw(t, "essential"), rapid.Bool().Draw(t, "redirect")
	}
	r.Revision = revision(r)
	return r
}

func drawGuardrail(t *rapid.T, i int) gate.Guardrail {
	g := gate.Guardrail{Name: name(t, "guardrail", i), Select: drawMatchers(t, "select", "service", ""),
		Mode: rapid.SampledFrom(flyball.Modes()).Draw(t, "mode"), Widespread: rapid.IntRange(0, 1000).Draw(t, "widespread")}
	if len(g.Select) == 0 {
		m, err := flyball.ParseMatcher(`entity=~".*"`)
		if err != nil {
			t.Fatal(err)
		}
		g.Select = append(g.Select, m)
	}
	if rapid.Bool().Draw(t, "limits") {
		from := flyball.Time(rapid.Int64Range(0, 2e18).Draw(t, "from"))
		g.Freezes = []gate.Freeze{{Name: awkward().Draw(t, "freeze"), From: from, To: from.Add(seconds(t, "length", 1, 86400))}}
		g.Limits = []gate.RateLimit{{Per: gate.PerAction, Max: 1, Window: time.Hour}, {Per: gate.PerService, Max: 2, Window: time.Minute}, {Per: gate.PerGuardrail, Max: 3, Window: day}}
		g.Concurrent = gate.Concurrency{Action: 1, Service: 2, Total: rapid.IntRange(0, 9).Draw(t, "total")}
		g.Blast = &gate.BlastRadius{Fleet: rapid.IntRange(0, 1000).Draw(t, "fleet"), Percent: rapid.SampledFrom([]float64{0.5, 10, 33.3, 100}).Draw(t, "percent"), Window: time.Hour}
	}
	return g
}
