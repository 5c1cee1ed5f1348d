package ui

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/flyball-io/flyball/internal/ui/query"
)

// serviceData is the page of one service.
type serviceData struct {
	Name  string
	State string
	Range Range
	// Indicators can be chosen from, and Series of the one that is.
	Indicators        []string
	Indicator, Labels string
	Series            []query.Series
	// Sheet is the address of the charts.
	Sheet        string
	Budgets      []query.Status
	Findings     []query.Finding
	Remediations []query.Remediation
	Deployments  []query.Analysis
}

func (s *Server) service(r *http.Request, v *view) error {
	ctx := r.Context()
	d := serviceData{Name: r.PathValue("entity")}
	v.Name, v.Section, v.Title, v.Data = "service", "overview", d.Name, &d
	var err error
	if d.Range, err = s.rangeOf(ctx, r, "1h"); err != nil {
		return err
	}
	if err := s.chooseSeries(ctx, r, &d); err != nil {
		return err
	}
	if d.Budgets, err = s.data.Standings(ctx, d.Name, d.Range.Until.Add(-standing)); err != nil {
		return err
	}
	if d.Findings, err = s.data.FindingsOf(ctx, d.Name, d.Range.From, d.Range.Until); err != nil {
		return err
	}
	if d.Remediations, err = s.data.Remediations(ctx, d.Name, d.Range.From, d.Range.Until); err != nil {
		return err
	}
	if d.Deployments, err = s.data.Analyses(ctx, d.Name, d.Range.From, d.Range.Until); err != nil {
		return err
	}
	if len(d.Indicators)+len(d.Budgets)+len(d.Findings) == 0 {
		return errNotFound
	}
	var open []query.Finding
	for i := range d.Findings {
		if d.Findings[i].State != "resolved" {
			open = append(open, d.Findings[i])
		}
	}
	d.State = stateOf(&Service{Name: d.Name, Budgets: d.Budgets}, open)
	q := url.Values{"range": {d.Range.Name}, "indicator": {d.Indicator}, "series": {d.Labels}}
	d.Sheet = "/ui/services/" + url.PathEscape(d.Name) + "/charts?" + q.Encode()
	return nil
}

// chooseSeries finds out which windows are meant: those asked for, or all series of the
// indicator with the most samples.
func (s *Server) chooseSeries(ctx context.Context, r *http.Request, d *serviceData) error {
	all, err := s.data.SeriesOf(ctx, d.Name, d.Range.From, d.Range.Until)
	if err != nil {
		return err
	}
	samples := map[string]int64{}
	for _, x := range all {
		samples[x.Indicator] += x.Samples
	}
	for name := range samples {
		d.Indicators = append(d.Indicators, name)
	}
	slices.SortFunc(d.Indicators, func(a, b string) int {
		return cmp.Or(cmp.Compare(samples[b], samples[a]), cmp.Compare(a, b))
	})
	d.Indicator = r.URL.Query().Get("indicator")
	if !slices.Contains(d.Indicators, d.Indicator) && len(d.Indicators) > 0 {
		d.Indicator = d.Indicators[0]
	}
	for _, x := range all {
		if x.Indicator != d.Indicator {
			continue
		}
		d.Series = append(d.Series, x)
		if x.Labels == r.URL.Query().Get("series") {
			d.Labels = x.Labels
		}
	}
	return nil
}

// isTargetOf reports whether a target such as deployment/cart is one of an entity.
func isTargetOf(target, entity string) bool {
	return slices.Contains(strings.FieldsFunc(target, func(r rune) bool { return r == '/' || r == ':' }), entity)
}
