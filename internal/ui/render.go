package ui

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/ui/chart"
)

//go:embed templates
var templates embed.FS

// view is what every page has, and Data what it alone has.
type view struct {
	Title string
	// Section is the place in the navigation that is highlighted.
	Section string
	// Name of the template; the handler of a page may change it.
	Name    string
	Visitor Visitor
	Version string
	Assets  string
	Now     time.Time
	Notice  string
	// Kills are kill switches that are on, and Waiting how many operations wait for a person:
	// every page shows them.
	Kills   []Hold
	Waiting int
	Data    any
	// Code is the status of the answer; 0 is 200.
	Code int
}

var errNotFound = errors.New("there is no such page")

// parsePages makes a template of every page: the layout with what the page defines.
func parsePages() map[string]*template.Template {
	layout := template.Must(template.New("layout.html").Funcs(functions()).ParseFS(templates, "templates/layout.html", "templates/parts.html"))
	names, err := templates.ReadDir("templates")
	if err != nil {
		panic("BUG: embedded templates cannot be read: " + err.Error())
	}
	pages := map[string]*template.Template{}
	for _, n := range names {
		if n.Name() == "layout.html" || n.Name() == "parts.html" {
			continue
		}
		copied := template.Must(layout.Clone())
		pages[strings.TrimSuffix(n.Name(), path.Ext(n.Name()))] = template.Must(copied.ParseFS(templates, "templates/"+n.Name()))
	}
	return pages
}

// page makes a handler of what fills a page.
func (s *Server) page(fill func(*http.Request, *view) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := s.newView(r)
		err := s.alerts(r.Context(), v)
		if err == nil {
			err = fill(r, v)
		}
		s.answer(w, r, v, err)
	}
}

func (s *Server) newView(r *http.Request) *view {
	return &view{Visitor: visitorOf(r), Version: s.Version, Assets: assetVersion, Now: time.Now().UTC(), Notice: r.URL.Query().Get("notice")}
}

// answer writes a page, or why there is none.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, v *view, err error) {
	code := cmp.Or(v.Code, http.StatusOK)
	switch {
	case errors.Is(err, context.Canceled):
		return // the browser went away
	case errors.Is(err, errNotFound):
		code, v.Name, v.Title, v.Data = http.StatusNotFound, "problem", "Not found", "There is nothing at this address. What was recorded may be older than it is kept for."
	case err != nil:
		s.Log.Warn("cannot show page", "path", r.URL.Path, "error", err)
		code, v.Name, v.Title, v.Data = http.StatusServiceUnavailable, "problem", "ClickHouse does not answer", err.Error()
		if strings.Contains(err.Error(), "code: 60,") || strings.Contains(err.Error(), "code: 81,") { // no such table, no such database
			v.Title, v.Data = "The tables are not there yet", "The role record makes them when it starts: run it in at least one process, in this version. "+err.Error()
		}
	}
	v.Code = code
	var page bytes.Buffer
	if err := s.pages[v.Name].ExecuteTemplate(&page, "layout.html", v); err != nil {
		s.Log.Error("cannot write page", "path", r.URL.Path, "error", err)
		http.Error(w, "cannot write this page; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = page.WriteTo(w) // the browser may have gone away
}

// sheet writes charts.
func (s *Server) sheet(w http.ResponseWriter, r *http.Request, sheet *chart.Sheet, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	var body []byte
	if err == nil {
		body, err = json.Marshal(sheet)
	}
	if err != nil {
		s.Log.Warn("cannot show charts", "path", r.URL.Path, "error", err)
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // the browser may have gone away
}

// unrecorded answers everything while there is no ClickHouse.
func (s *Server) unrecorded(w http.ResponseWriter, r *http.Request) {
	v := s.newView(r)
	v.Name, v.Title = "unrecorded", "Nothing is recorded"
	s.answer(w, r, v, nil)
}

// functions are those that templates call.
func functions() template.FuncMap {
	return template.FuncMap{
		"percent":  chart.Percent,
		"times":    func(x float64) string { return chart.Format(x, chart.Times) },
		"count":    func(n int64) string { return grouped(n) },
		"number":   func(x float64) string { return chart.Format(x, chart.Plain) },
		"measure":  measure,
		"known":    func(x float64) bool { return !math.IsNaN(x) },
		"clock":    func(t time.Time) string { return t.UTC().Format("15:04:05") },
		"iso":      func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"datetime": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
		"span":     chart.Span,
		"seconds": func(x float64) string {
			if math.IsNaN(x) {
				return chart.None
			}
			return chart.Span(time.Duration(x * float64(time.Second)))
		},
		"since":  func(now, t time.Time) string { return chart.Span(now.Sub(t).Truncate(time.Second)) },
		"short":  func(id string) string { return id[:min(len(id), 10)] },
		"words":  func(s string) string { return strings.ReplaceAll(s, "_", " ") },
		"join":   strings.Join,
		"path":   url.PathEscape,
		"mul":    func(a, b float64) float64 { return a * b },
		"labels": labelText,
		"ratio":  func(x flyball.Number) string { return chart.Format(float64(x), chart.Times) },
		"cohort": cohortMean,
	}
}

// grouped writes 1234567 as 1,234,567.
func grouped(n int64) string {
	text := fmt.Sprint(n)
	sign := ""
	if n < 0 {
		sign, text = "−", text[1:]
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return sign + text
}

// measure writes a number of some evidence, whose unit may be missing.
func measure(x *float64, unit string) string {
	if x == nil {
		return chart.None
	}
	return chart.Format(*x, unit)
}

// cohortMean writes the mean of a cohort: counts are bad shares, and latencies durations.
func cohortMean(kind string, x flyball.Number) string {
	switch kind {
	case "count":
		return chart.Percent(float64(x))
	case "latency":
		return chart.Format(float64(x), chart.Duration)
	}
	return chart.Format(float64(x), chart.Plain)
}

// labelText writes labels in canonical JSON for people.
func labelText(canonical string) string {
	var labels map[string]string
	if json.Unmarshal([]byte(canonical), &labels) != nil {
		return canonical
	}
	parts := make([]string, 0, len(labels))
	for k, v := range labels {
		parts = append(parts, k+"="+v)
	}
	sortText(parts)
	return strings.Join(parts, " ")
}
