package ui

import (
	"context"
	"fmt"
	"math"
	"net/http"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/ui/chart"
	"github.com/flyball-io/flyball/internal/ui/query"
)

// serviceCharts answers the charts of a service.
func (s *Server) serviceCharts(w http.ResponseWriter, r *http.Request) {
	sheet, err := s.serviceSheet(r)
	s.sheet(w, r, sheet, err)
}

func (s *Server) serviceSheet(r *http.Request) (*chart.Sheet, error) {
	ctx := r.Context()
	d := serviceData{Name: r.PathValue("entity")}
	var err error
	if d.Range, err = s.rangeOf(ctx, r, "1h"); err != nil {
		return nil, err
	}
	if err := s.chooseSeries(ctx, r, &d); err != nil {
		return nil, err
	}
	step := d.Range.step(s.every(d.Indicator))
	scope := query.Scope{Indicator: d.Indicator, Entity: d.Name, Labels: d.Labels, From: d.Range.From.Truncate(step), Until: d.Range.Until, Step: step}
	axis := chart.NewAxis(scope.From, scope.Until, step)
	sheet := &chart.Sheet{From: chart.At(d.Range.From), Until: chart.At(d.Range.Until), X: axis.Times(), Charts: []chart.Chart{}}
	if sheet.Marks, err = s.marks(ctx, d.Name, &d.Range); err != nil || d.Indicator == "" {
		return sheet, err
	}
	bands, err := s.bands(ctx, scope, axis, len(d.Series))
	if err != nil {
		return nil, err
	}
	traffic, errors, err := s.traffic(ctx, scope, axis)
	if err != nil {
		return nil, err
	}
	traffic.Bands, errors.Bands = bands["rate"], bands["error_ratio"]
	errors.Thresholds = s.objectives(d.Indicator)
	sheet.Charts = append(sheet.Charts, traffic, errors)
	latency, err := s.latency(ctx, scope, axis)
	if err == nil && latency.Lines[0].Y.Known() {
		for _, value := range []string{"p99", "p95", "p50"} {
			if b := bands[value]; len(b) > 0 {
				b[0].Label = "expected " + value
				latency.Bands = b
				break
			}
		}
		sheet.Charts = append(sheet.Charts, latency)
	}
	sheet.Trim()
	return sheet, err
}

func (s *Server) traffic(ctx context.Context, scope query.Scope, axis chart.Axis) (traffic, errors chart.Chart, err error) {
	windows, err := s.data.Windows(ctx, scope)
	rate, share := axis.Blank(), axis.Blank()
	for _, w := range windows {
		axis.Set(rate, w.At, w.Rate)
		axis.Set(share, w.At, w.ErrorRatio)
	}
	traffic = chart.Chart{ID: "traffic", Title: "Traffic", Unit: chart.PerSecond, FromZero: true,
		Lines: []chart.Line{{Label: "samples per second", Role: chart.Main, Y: rate}}, Summary: summary(rate, chart.PerSecond, axis)}
	errors = chart.Chart{ID: "errors", Title: "Share of bad samples", Unit: chart.Share, FromZero: true,
		Lines: []chart.Line{{Label: "bad", Role: chart.Bad, Y: share, Fill: true}}, Summary: summary(share, chart.Share, axis)}
	return traffic, errors, err
}

// latency is the chart of the indicator's value.
func (s *Server) latency(ctx context.Context, scope query.Scope, axis chart.Axis) (chart.Chart, error) {
	quantiles, err := s.data.Quantiles(ctx, scope)
	p50, p95, p99 := axis.Blank(), axis.Blank(), axis.Blank()
	for _, q := range quantiles {
		if len(q.Values) == 4 {
			axis.Set(p50, q.At, q.Values[0])
			axis.Set(p95, q.At, q.Values[2])
			axis.Set(p99, q.At, q.Values[3])
		}
	}
	unit, title := s.unit(scope.Indicator)
	return chart.Chart{ID: "latency", Title: title, Unit: unit, FromZero: true, Lines: []chart.Line{
		{Label: "p50", Role: chart.Third, Y: p50}, {Label: "p95", Role: chart.Main, Y: p95}, {Label: "p99", Role: chart.Second, Y: p99},
	}, Summary: "p99 " + summary(p99, unit, axis)}, err
}

// unit returns the unit of an indicator's value, and what it is called.
func (s *Server) unit(indicator string) (unit, title string) {
	for i := range s.Config.Indicators {
		if in := &s.Config.Indicators[i]; in.Name == indicator {
			if in.Unit == chart.Duration {
				return chart.Duration, "Latency"
			}
			return in.Unit, "Values of " + in.Value
		}
	}
	return chart.Plain, "Values"
}

// bands returns what was expected, by the number of the windows.
func (s *Server) bands(ctx context.Context, scope query.Scope, axis chart.Axis, series int) (map[string][]chart.Band, error) {
	rows, err := s.data.Bands(ctx, scope)
	if err != nil {
		return nil, err
	}
	single := scope.Labels != "" || series == 1
	low, high := map[string]chart.Values{}, map[string]chart.Values{}
	for _, b := range rows {
		if !single && b.Value != string(flyball.ValueRate) && b.Value != string(flyball.ValueErrorRatio) {
			continue // quantiles of several series have no band together
		}
		if low[b.Value] == nil {
			low[b.Value], high[b.Value] = axis.Blank(), axis.Blank()
		}
		if math.IsNaN(b.High) {
			continue // nothing is too high: there is no area to draw
		}
		if b.Value == string(flyball.ValueErrorRatio) {
			b.High = math.Min(b.High, 1)
		}
		axis.Set(low[b.Value], b.At, math.Max(b.Low, 0))
		axis.Set(high[b.Value], b.At, b.High)
	}
	out := map[string][]chart.Band{}
	for value := range low {
		if high[value].Known() {
			out[value] = []chart.Band{{Label: "expected", Role: chart.Expected, Low: low[value], High: high[value]}}
		}
	}
	return out, nil
}

// objectives are the bad shares that SLOs on an indicator leave.
func (s *Server) objectives(indicator string) []chart.Threshold {
	var out []chart.Threshold
	for i := range s.Config.SLOs {
		o := &s.Config.SLOs[i]
		if o.Indicator != indicator || o.Threshold != nil || len(o.Parts) > 0 || o.Method != flyball.Occurrences || len(out) == 3 {
			continue
		}
		left := float64(1e9-o.TargetPPB) / 1e9
		out = append(out, chart.Threshold{Label: fmt.Sprintf("%s allows %s", o.Name, chart.Percent(left)), Role: chart.Warn, Y: left})
	}
	return out
}

// summary says the course of a line in a sentence.
func summary(v chart.Values, unit string, axis chart.Axis) string {
	high, at := v.Highest()
	if at < 0 {
		return "no samples in this range"
	}
	return fmt.Sprintf("now %s, highest %s at %s", chart.Format(v.Last(), unit), chart.Format(high, unit), axis.Times()[at].UTC().Format("15:04:05"))
}

// marks is what happened to a service: findings, deployments, remediations and changes.
func (s *Server) marks(ctx context.Context, entity string, span *Range) ([]chart.Mark, error) {
	marks := []chart.Mark{}
	findings, err := s.data.FindingsOf(ctx, entity, span.From, span.Until)
	if err != nil {
		return nil, err
	}
	for i := range findings {
		f := &findings[i]
		m := chart.Mark{Kind: f.Severity, At: chart.At(f.OpenedAt), Until: chart.At(span.Until), Label: f.Summary, Href: "/ui/findings/" + f.ID}
		if f.ResolvedAt != nil {
			m.Until = chart.At(*f.ResolvedAt)
			m.Label = fmt.Sprintf("%s of %s, open for %s", f.Kind, f.Detector, chart.Span(f.ResolvedAt.Sub(f.OpenedAt)))
		}
		marks = append(marks, m)
	}
	remedies, err := s.data.Remediations(ctx, entity, span.From, span.Until)
	if err != nil {
		return nil, err
	}
	for _, x := range remedies {
		marks = append(marks, chart.Mark{Kind: "remedy", At: chart.At(x.SentAt), Label: fmt.Sprintf("%s %s by %s: %s", x.Action, x.Target, x.Rule, x.LastVerb), Href: "/ui/operations/" + x.Operation})
	}
	analyses, err := s.data.Analyses(ctx, entity, span.From, span.Until)
	if err != nil {
		return nil, err
	}
	for i := range analyses {
		a := &analyses[i]
		marks = append(marks, chart.Mark{Kind: "deploy", At: chart.At(a.Started), Label: fmt.Sprintf("version %s appeared: %s", a.Version, a.Verdict), Href: "/ui/canaries/" + a.ID})
	}
	changes, err := s.data.Changes(ctx, span.From, span.Until)
	for i := range changes {
		if c := &changes[i]; isTargetOf(c.Target, entity) {
			marks = append(marks, chart.Mark{Kind: "change", At: chart.At(c.At), Label: fmt.Sprintf("%s changed %s: %s", c.Who, c.Target, c.Why), Href: "/ui/audit"})
		}
	}
	return marks, err
}
