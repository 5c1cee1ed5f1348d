package report

import (
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
)

// HTML writes one page that needs nothing else: no scripts, no fonts, no requests.
func (r *Report) HTML(w io.Writer) error {
	p := page{Report: r, Last: r.last()}
	for i := range p.Last.Metrics {
		m := &p.Last.Metrics[i]
		s := section{MetricVerdict: m, Distribution: distribution(m), Ratio: span(m, m.Interval), Mean: [2]string{figure(m, m.Canary.Mean), figure(m, m.Baseline.Mean)}}
		s.Evidence = r.evidence(m.Name)
		s.Intervals = r.intervals(m.Name)
		p.Metrics = append(p.Metrics, s)
	}
	return layout().Execute(w, p)
}

type page struct {
	*Report
	Last    *flyball.Verdict
	Metrics []section
}

type section struct {
	*flyball.MetricVerdict
	Ratio                             string
	Mean                              [2]string
	Distribution, Evidence, Intervals template.HTML
}

// Size of a chart and of its margins, in pixels.
const (
	width, height = 420, 150
	left, right   = 52, 10
	top, bottom   = 10, 22
)

// chart is an SVG drawing with a horizontal and a vertical axis.
type chart struct {
	strings.Builder
	minX, maxX, minY, maxY float64
}

func newChart(xs, ys []float64) *chart {
	c := &chart{minX: math.Inf(1), maxX: math.Inf(-1), minY: math.Inf(1), maxY: math.Inf(-1)}
	for _, x := range xs {
		c.minX, c.maxX = math.Min(c.minX, x), math.Max(c.maxX, x)
	}
	for _, y := range ys {
		c.minY, c.maxY = math.Min(c.minY, y), math.Max(c.maxY, y)
	}
	if !(c.maxX > c.minX) {
		c.maxX = c.minX + 1
	}
	if !(c.maxY > c.minY) {
		c.minY, c.maxY = c.minY-0.5, c.maxY+0.5
	}
	fmt.Fprintf(c, `<svg viewBox="0 0 %d %d" width="%d" height="%d" role="img">`, width, height, width, height)
	fmt.Fprintf(c, `<path d="M%d %dV%dH%d" class="axis"/>`, left, top, height-bottom, width-right)
	return c
}

func (c *chart) x(v float64) float64 {
	return left + (v-c.minX)/(c.maxX-c.minX)*(width-left-right)
}

func (c *chart) y(v float64) float64 {
	v = math.Max(c.minY, math.Min(c.maxY, v))
	return top + (c.maxY-v)/(c.maxY-c.minY)*(height-top-bottom)
}

func (c *chart) line(class string, xs, ys []float64) {
	var d strings.Builder
	pen := "M"
	for i := range xs {
		if math.IsNaN(ys[i]) {
			pen = "M"
			continue
		}
		fmt.Fprintf(&d, "%s%.1f %.1f", pen, c.x(xs[i]), c.y(ys[i]))
		pen = "L"
	}
	fmt.Fprintf(c, `<path d="%s" class="%s"/>`, d.String(), class)
}

// level draws a horizontal line where a value is in sight.
func (c *chart) level(class string, v float64) {
	if v >= c.minY && v <= c.maxY {
		fmt.Fprintf(c, `<path d="M%d %.1fH%d" class="%s"/>`, left, c.y(v), width-right, class)
	}
}

// band shades what lies between two lines.
func (c *chart) band(xs, low, high []float64) {
	var d strings.Builder
	for i := range xs {
		fmt.Fprintf(&d, "%s%.1f %.1f", map[bool]string{true: "M", false: "L"}[i == 0], c.x(xs[i]), c.y(number64(low[i], math.Inf(-1))))
	}
	for i := len(xs) - 1; i >= 0; i-- {
		fmt.Fprintf(&d, "L%.1f %.1f", c.x(xs[i]), c.y(number64(high[i], math.Inf(1))))
	}
	fmt.Fprintf(c, `<path d="%sZ" class="band"/>`, d.String())
}

// number64 is a number, or what stands for none.
func number64(v, otherwise float64) float64 {
	if math.IsNaN(v) {
		return otherwise
	}
	return v
}

// mark names a value on the vertical axis, where there is room for it.
func (c *chart) mark(v float64, text string) {
	if y := c.y(v); y > top+24 && y < height-bottom-12 {
		fmt.Fprintf(c, `<text x="%d" y="%.0f" text-anchor="end">%s</text>`, left-4, y+4, template.HTMLEscapeString(text))
	}
}

func (c *chart) labels(x0, x1, y0, y1 string) {
	text := func(x, y int, anchor, s string) {
		fmt.Fprintf(c, `<text x="%d" y="%d" text-anchor="%s">%s</text>`, x, y, anchor, template.HTMLEscapeString(s))
	}
	text(left, height-6, "start", x0)
	text(width-right, height-6, "end", x1)
	text(left-4, height-bottom, "end", y0)
	text(left-4, top+8, "end", y1)
}

func (c *chart) done() template.HTML {
	c.WriteString("</svg>")
	return template.HTML(c.String()) //nolint: all text in it is escaped
}

// distribution draws what share of both cohorts lies below every value.
func distribution(m *flyball.MetricVerdict) template.HTML {
	canary, baseline := floats(m.Canary.Quantiles), floats(m.Baseline.Quantiles)
	if len(canary)+len(baseline) == 0 {
		return "<p>Neither cohort has any values.</p>"
	}
	c := newChart(append(append([]float64{}, canary...), baseline...), []float64{0, 1})
	share := func(n int) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = float64(i) / float64(max(n-1, 1))
		}
		return out
	}
	c.line("baseline", baseline, share(len(baseline)))
	c.line("canary", canary, share(len(canary)))
	c.labels(figure(m, flyball.Number(c.minX)), figure(m, flyball.Number(c.maxX)), "0 %", "100 %")
	return c.done()
}

func floats(in []flyball.Number) []float64 {
	out := make([]float64, len(in))
	for i, n := range in {
		out[i] = float64(n)
	}
	return out
}

// course returns the minutes at which a metric was reported, and figures of it.
func (r *Report) course(metric string, f func(*flyball.MetricVerdict) []flyball.Number) (minutes []float64, lines [][]float64) {
	for i := range r.Verdicts {
		v := &r.Verdicts[i]
		for k := range v.Metrics {
			if v.Metrics[k].Name != metric {
				continue
			}
			minutes = append(minutes, v.At.Sub(v.StartedAt).Minutes())
			for n, x := range f(&v.Metrics[k]) {
				if n == len(lines) {
					lines = append(lines, nil)
				}
				lines[n] = append(lines[n], float64(x))
			}
		}
	}
	return minutes, lines
}

// evidence draws the e-values for harm and for safety over time, by their size.
func (r *Report) evidence(metric string) template.HTML {
	minutes, lines := r.course(metric, func(m *flyball.MetricVerdict) []flyball.Number {
		return []flyball.Number{m.EHarm, m.ESafe, m.EFail, m.EPass}
	})
	if len(minutes) == 0 || math.IsNaN(lines[0][0]) {
		return "<p>The judge weighs no evidence over time.</p>"
	}
	for _, l := range lines {
		for i := range l {
			l[i] = math.Log10(math.Max(1e-3, math.Min(l[i], 1e9)))
		}
	}
	c := newChart(minutes, append(append([]float64{-3, lines[2][0], lines[3][0]}, lines[0]...), lines[1]...))
	c.level("fail", lines[2][len(lines[2])-1])
	c.level("pass", lines[3][len(lines[3])-1])
	c.line("harm", minutes, lines[0])
	c.line("safe", minutes, lines[1])
	c.labels(fmt.Sprintf("%.0f min", c.minX), fmt.Sprintf("%.0f min", c.maxX), power(c.minY), power(c.maxY))
	c.mark(0, "1")
	return c.done()
}

// power writes a power of ten as a number.
func power(exponent float64) string { return number(flyball.Number(math.Pow(10, exponent))) }

// intervals draws the ratios, or differences, that the data leave over time.
func (r *Report) intervals(metric string) template.HTML {
	minutes, lines := r.course(metric, func(m *flyball.MetricVerdict) []flyball.Number {
		return []flyball.Number{m.Interval[0], m.Interval[1], m.Effect, m.Allowed[1], m.Allowed[0]}
	})
	if len(minutes) == 0 {
		return ""
	}
	m := r.metric(metric)
	low, high := sight(m, lines)
	if !m.Absolute {
		for _, l := range lines {
			for i := range l {
				l[i] = math.Log2(math.Max(1.0/64, math.Min(l[i], 64)))
			}
		}
	}
	c := newChart(minutes, []float64{low, high})
	c.level("one", 0)
	c.level("fail", lines[3][len(minutes)-1])
	if m.Absolute || m.Allowed[0] > 0 {
		c.level("fail", lines[4][len(minutes)-1])
	}
	c.band(minutes, lines[0], lines[1])
	c.line("bound", minutes, lines[0])
	c.line("bound", minutes, lines[1])
	c.line("canary", minutes, lines[2])
	y0, y1, at := flyball.Number(math.Exp2(low)), flyball.Number(math.Exp2(high)), "1×"
	if m.Absolute {
		y0, y1, at = flyball.Number(low), flyball.Number(high), "0"
	}
	c.labels(fmt.Sprintf("%.0f min", c.minX), fmt.Sprintf("%.0f min", c.maxX), effect(m, y0), effect(m, y1))
	c.mark(0, at)
	return c.done()
}

// metric returns the last verdict on a metric.
func (r *Report) metric(name string) *flyball.MetricVerdict {
	v := r.last()
	i := slices.IndexFunc(v.Metrics, func(m flyball.MetricVerdict) bool { return m.Name == name })
	return &v.Metrics[i]
}

// sight is the range of effects that is drawn: what is allowed, and what the data left
// in the end; ratios by their logarithms.
func sight(m *flyball.MetricVerdict, lines [][]float64) (low, high float64) {
	for i, l := range lines {
		v := l[len(l)-1]
		if !m.Absolute && i > 2 && v == 0 {
			continue // any decrease is allowed
		}
		if !m.Absolute {
			v = math.Log2(math.Max(1.0/64, math.Min(v, 64)))
		}
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			low, high = math.Min(low, v), math.Max(high, v)
		}
	}
	if m.Absolute {
		room := math.Max(high-low, 1e-9) / 4
		return low - room, high + room
	}
	return math.Max(-6, math.Floor(low-0.5)), math.Min(6, math.Ceil(high+0.5))
}

func layout() *template.Template { return template.Must(template.New("report").Parse(pageText)) }

const pageText = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Headline}}</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1a1a1a;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin:2rem 0 .3rem}
.v{display:inline-block;padding:.1rem .6rem;border-radius:.3rem;color:#fff;background:#777}
.v.pass{background:#1a7f37}.v.fail{background:#b42318}.v.marginal{background:#b25e09}
figure{display:inline-block;width:27rem;max-width:100%;vertical-align:top;margin:.5rem 1rem .5rem 0}figcaption{font-size:.85rem;color:#555}
svg text{font-size:11px;fill:#555}path{fill:none;stroke-width:1.6}
.band{fill:#0969da;fill-opacity:.12;stroke:none}.axis{stroke:#999;stroke-width:1}.baseline{stroke:#555}.canary{stroke:#0969da}.harm{stroke:#b42318}.safe{stroke:#1a7f37}
.bound{stroke:#0969da;stroke-dasharray:4 3}.fail{stroke:#b42318;stroke-dasharray:2 3}.pass{stroke:#1a7f37;stroke-dasharray:2 3}.one{stroke:#999;stroke-dasharray:1 3}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#111}svg text,figcaption{fill:#aaa;color:#aaa}.baseline{stroke:#bbb}}
</style></head><body>
<h1><span class="v {{.Last.Verdict}}">{{.Last.Verdict}}</span> {{.Last.Entity}}: {{if .Last.Version}}{{.Last.Version}}{{else}}newest{{end}} against {{if .Last.Baseline}}{{.Last.Baseline}}{{else}}all others{{end}}</h1>
<p>Score {{printf "%.4g" .Last.Score}}, {{.Last.Phase}}. {{.Span}}</p>
<p>{{.Sentence}}{{if .Last.Needs}}. Needs {{.Last.Needs}}{{end}}.</p>
{{range .Metrics}}<section><h2><span class="v {{.Verdict}}">{{.Verdict}}</span> {{.Name}}{{if .Critical}}, critical{{end}}{{if .Muted}}, muted{{end}}</h2>
<p>{{.Reason}}.</p>
<figure>{{.Distribution}}<figcaption>Share of the {{if eq .Kind "latency"}}samples{{else}}looks{{end}} below a value: canary (blue, mean {{index .Mean 0}}), baseline (grey, {{index .Mean 1}})</figcaption></figure>
<figure>{{.Evidence}}<figcaption>Evidence for harm (red) and for safety (green), and what each must reach (dotted)</figcaption></figure>
<figure>{{.Intervals}}<figcaption>{{if .Absolute}}Difference of{{else}}Ratio of{{end}} the canary to the baseline (line), what the data leave (band, {{.Ratio}} at the end), and the margins (red, dotted)</figcaption></figure>
{{range .Notes}}<p><small>{{.}}.</small></p>{{end}}</section>
{{end}}<p><small>Analysis {{.Last.ID}} of canary {{.Last.Canary}}.</small></p>
</body></html>
`
