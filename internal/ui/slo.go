package ui

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/ui/chart"
	"github.com/flyball-io/flyball/internal/ui/query"
)

// slosData is the list of budgets.
type slosData struct {
	Budgets []query.Status
	// Silent are SLOs of the configuration without a budget yet.
	Silent []string
}

func (s *Server) slos(r *http.Request, v *view) error {
	d := slosData{}
	v.Name, v.Section, v.Title, v.Data = "slos", "slos", "SLOs", &d
	span, err := s.rangeOf(r.Context(), r, "1h")
	if err != nil {
		return err
	}
	all, err := s.data.Standings(r.Context(), "", span.Until.Add(-standing))
	d.Budgets = slices.Clone(all)
	slices.SortStableFunc(d.Budgets, func(a, b query.Status) int { return cmp.Compare(sortable(a.Remaining), sortable(b.Remaining)) })
	for i := range s.Config.SLOs {
		name := s.Config.SLOs[i].Name
		if !slices.ContainsFunc(d.Budgets, func(b query.Status) bool { return b.SLO == name }) {
			d.Silent = append(d.Silent, name)
		}
	}
	return err
}

// sortable puts what is not known last.
func sortable(x float64) float64 {
	if math.IsNaN(x) {
		return math.Inf(1)
	}
	return x
}

// sloData is the page of one budget.
type sloData struct {
	query.Status
	Config  *flyball.SLO
	Range   Range
	Sheet   string
	Others  []query.Status
	Tiers   []Tier
	Outlook query.Outlook
	// Forecasts say when the budget will be gone, by what.
	Forecasts []Forecast
	Held      []string
}

// Tier is a burn-rate tier with where it stands.
type Tier struct {
	flyball.BurnRateTier
	Factor      float64
	Now, Recent float64 // long and short window
	Firing      bool
}

// Forecast is when a budget is gone, if it goes on as it did.
type Forecast struct {
	By      string
	Seconds float64
}

func (s *Server) slo(r *http.Request, v *view) error {
	ctx := r.Context()
	d := sloData{}
	v.Name, v.Section, v.Data = "slo", "slos", &d
	var err error
	if d.Range, err = s.rangeOf(ctx, r, "1h"); err != nil {
		return err
	}
	name := r.PathValue("slo")
	all, err := s.data.Standings(ctx, "", d.Range.Until.Add(-standing))
	if err != nil {
		return err
	}
	asked := r.URL.Query()
	found := false
	for i := range all {
		if all[i].SLO != name {
			continue
		}
		d.Others = append(d.Others, all[i])
		fits := (asked.Get("entity") == "" || asked.Get("entity") == all[i].Entity) && (asked.Get("labels") == "" || asked.Get("labels") == all[i].Labels)
		if fits && !found {
			d.Status, found = all[i], true
		}
	}
	if !found {
		return errNotFound
	}
	v.Title = d.SLO + " of " + d.Entity
	d.Config = s.sloOf(name)
	d.Tiers = tiersOf(d.Config, &d.Status)
	if d.Outlook, _, err = s.data.Outlook(ctx, s.budgetOf(&d.Status), d.Range.Until.Add(-standing)); err != nil {
		return err
	}
	o := &d.Outlook
	d.Forecasts = []Forecast{{"at the burn of the last hour", o.Hour}, {"at that of the last 6 hours", o.SixHours}, {"at that of the last 3 days", o.ThreeDays}, {"by the trend", o.Trend}}
	q := url.Values{"range": {d.Range.Name}, "entity": {d.Entity}, "labels": {d.Labels}}
	d.Sheet = "/ui/slos/" + url.PathEscape(name) + "/charts?" + q.Encode()
	return nil
}

func (s *Server) budgetOf(b *query.Status) query.Budget {
	return query.Budget{SLO: b.SLO, Entity: b.Entity, Labels: b.Labels}
}

// sloOf returns an SLO of the configuration; nil when it is there no more.
func (s *Server) sloOf(name string) *flyball.SLO {
	for i := range s.Config.SLOs {
		if s.Config.SLOs[i].Name == name {
			return &s.Config.SLOs[i]
		}
	}
	return nil
}

func tiersOf(c *flyball.SLO, b *query.Status) []Tier {
	var out []Tier
	if c == nil {
		return nil
	}
	for _, t := range c.Tiers {
		x := Tier{BurnRateTier: t, Factor: float64(t.FactorNum) / float64(t.FactorDen), Now: math.NaN(), Recent: math.NaN(), Firing: slices.Contains(b.Firing, t.Name)}
		if i := slices.Index(b.Tiers, t.Name); i >= 0 && i < len(b.Long) && i < len(b.Short) {
			x.Now, x.Recent = b.Long[i], b.Short[i]
		}
		out = append(out, x)
	}
	return out
}

// sloCharts answers the charts of a budget.
func (s *Server) sloCharts(w http.ResponseWriter, r *http.Request) {
	sheet, err := s.sloSheet(r)
	s.sheet(w, r, sheet, err)
}

func (s *Server) sloSheet(r *http.Request) (*chart.Sheet, error) {
	ctx := r.Context()
	span, err := s.rangeOf(ctx, r, "1h")
	if err != nil {
		return nil, err
	}
	b := query.Budget{SLO: r.PathValue("slo"), Entity: r.URL.Query().Get("entity"), Labels: r.URL.Query().Get("labels")}
	step := span.step(max(s.Config.Pipeline.SLO.StatusInterval.Std(), time.Second))
	from := span.From.Truncate(step)
	rows, err := s.data.Courses(ctx, b, from, span.Until, step)
	if err != nil {
		return nil, err
	}
	axis := chart.NewAxis(from, span.Until, step)
	sheet := &chart.Sheet{From: chart.At(span.From), Until: chart.At(span.Until), X: axis.Times(), Charts: []chart.Chart{}}
	if sheet.Marks, err = s.marks(ctx, b.Entity, &span); err != nil || len(rows) == 0 {
		return sheet, err
	}
	left, sli := axis.Blank(), axis.Blank()
	for _, x := range rows {
		axis.Set(left, x.At, x.Remaining)
		axis.Set(sli, x.At, x.SLI)
	}
	sheet.Charts = append(sheet.Charts, chart.Chart{ID: "budget", Title: "Budget left", Unit: chart.Share, Summary: summaryLow(left, chart.Share, axis),
		Lines:      []chart.Line{{Label: "left", Role: chart.Main, Y: left, Fill: true, Step: true}},
		Thresholds: []chart.Threshold{{Label: "gone", Role: chart.Bad, Y: 0}}})
	config := s.sloOf(b.SLO)
	if config == nil {
		return sheet, nil
	}
	for _, t := range config.Tiers {
		sheet.Charts = append(sheet.Charts, burnChart(t, rows, axis))
	}
	objective := float64(config.TargetPPB) / 1e9
	sheet.Charts = append(sheet.Charts, chart.Chart{ID: "sli", Title: "Good share over the period", Unit: chart.Share, Summary: summaryLow(sli, chart.Share, axis),
		Lines:      []chart.Line{{Label: "good", Role: chart.Good, Y: sli, Step: true}},
		Thresholds: []chart.Threshold{{Label: "objective " + chart.Percent(objective), Role: chart.Warn, Y: objective}}})
	sheet.Trim()
	return sheet, nil
}

// burnChart draws one tier: both windows must burn faster than the threshold.
func burnChart(t flyball.BurnRateTier, rows []query.Course, axis chart.Axis) chart.Chart {
	long, short := axis.Blank(), axis.Blank()
	for _, x := range rows {
		if i := slices.Index(x.Tiers, t.Name); i >= 0 && i < len(x.Long) && i < len(x.Short) {
			axis.Set(long, x.At, x.Long[i])
			axis.Set(short, x.At, x.Short[i])
		}
	}
	factor := float64(t.FactorNum) / float64(t.FactorDen)
	role := chart.Warn
	if t.Severity == "page" {
		role = chart.Bad
	}
	return chart.Chart{ID: "burn-" + t.Name, Title: "Burn rate, tier " + t.Name, Unit: chart.Times, FromZero: true, Summary: summary(long, chart.Times, axis),
		Lines:      []chart.Line{{Label: "over " + brief(t.Long), Role: chart.Main, Y: long, Step: true}, {Label: "over " + brief(t.Short), Role: chart.Second, Y: short, Dash: true, Step: true}},
		Thresholds: []chart.Threshold{{Label: fmt.Sprintf("%s from %s on, in both", t.Severity, chart.Format(factor, chart.Times)), Role: role, Y: factor}}}
}

// brief writes a round duration without its zeros: 1h and not 1h0m0s.
func brief(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// summaryLow says the course of a line of which the low values matter.
func summaryLow(v chart.Values, unit string, axis chart.Axis) string {
	negated := make(chart.Values, len(v))
	for i := range v {
		negated[i] = -v[i]
	}
	low, at := negated.Highest()
	if at < 0 {
		return "no samples in this range"
	}
	return fmt.Sprintf("now %s, lowest %s at %s", chart.Format(v.Last(), unit), chart.Format(-low, unit), axis.Times()[at].UTC().Format("15:04:05"))
}
