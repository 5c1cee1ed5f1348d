package main

import (
	"fmt"
	"html"
	"strings"
)

// style gives both themes: a picture follows the reader's, wherever it is shown.
const style = `<style>
svg { --ground: #ffffff; --text: #17202b; --muted: #54606e; --border: #b9c3ce; --fill: #eef1f5; --main: #1d5bd0; --main-soft: #e3ecfd; --second: #7a3fc4; --bad: #c2281f; --bad-soft: #fde3e0; --good: #17803f; --good-soft: #dcf3e4; --warn: #b26a00; --warn-soft: #fdecc8; --grid: #e2e7ed; }
@media (prefers-color-scheme: dark) {
svg { --ground: #151b23; --text: #e4e9ef; --muted: #9ba8b6; --border: #465361; --fill: #1e2630; --main: #6ea5ff; --main-soft: #1b2c4a; --second: #c39bff; --bad: #ff7a70; --bad-soft: #43191a; --good: #5fce8b; --good-soft: #12331f; --warn: #f0b050; --warn-soft: #3a2a0c; --grid: #2a343f; }
}
text { font: 14px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; fill: var(--text); }
.small { font-size: 12px; } .muted { fill: var(--muted); } .strong { font-weight: 650; }
.mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 12px; }
</style>`

// canvas is a picture that is being drawn.
type canvas struct {
	w, h  int
	title string
	body  strings.Builder
}

func newCanvas(w, h int, title string) *canvas { return &canvas{w: w, h: h, title: title} }

func (c *canvas) add(format string, args ...any) { fmt.Fprintf(&c.body, format+"\n", args...) }

// String returns the file.
func (c *canvas) String() string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">
<title>%s</title>
%s
<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" fill="var(--muted)"/></marker></defs>
<rect width="%d" height="%d" rx="8" fill="var(--ground)"/>
%s</svg>
`, c.w, c.h, c.w, c.h, html.EscapeString(c.title), html.EscapeString(c.title), style, c.w, c.h, c.body.String())
}

// text writes a line; anchor is start, middle or end, class a list of classes.
func (c *canvas) text(x, y float64, anchor, class, text string) {
	c.add(`<text x="%.1f" y="%.1f" text-anchor="%s" class="%s">%s</text>`, x, y, anchor, class, html.EscapeString(text))
}

// box is a rectangle with a title in it and lines below.
func (c *canvas) box(x, y, w, h float64, fill, border, title string, lines ...string) {
	c.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="6" fill="var(--%s)" stroke="var(--%s)"/>`, x, y, w, h, fill, border)
	top := y + h/2 + 5 - float64(len(lines))*8
	c.text(x+w/2, top, "middle", "strong", title)
	for i, l := range lines {
		c.text(x+w/2, top+float64(i+1)*16, "middle", "small muted", l)
	}
}

// arrow is a line through points with a head at the last.
func (c *canvas) arrow(points ...float64) { c.line("muted", `marker-end="url(#arrow)"`, points...) }

// line goes through points.
func (c *canvas) line(color, more string, points ...float64) {
	var p strings.Builder
	for i := 0; i+1 < len(points); i += 2 {
		fmt.Fprintf(&p, "%.1f,%.1f ", points[i], points[i+1])
	}
	if !strings.Contains(more, "stroke-width") {
		more = strings.TrimSpace(`stroke-width="1.6" ` + more)
	}
	c.add(`<polyline points="%s" fill="none" stroke="var(--%s)" %s/>`, strings.TrimSpace(p.String()), color, more)
}

// area fills a rectangle without a border.
func (c *canvas) area(x, y, w, h float64, fill string) {
	c.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="var(--%s)"/>`, x, y, w, h, fill)
}

// plot is a pair of axes on a canvas.
type plot struct {
	*canvas
	x, y, w, h float64
	// toX and toY are the values at the right and at the top; both begin at fromX and fromY.
	fromX, toX, fromY, toY float64
}

func (p plot) at(x, y float64) (float64, float64) {
	return p.x + (x-p.fromX)/(p.toX-p.fromX)*p.w, p.y + p.h - (min(y, p.toY)-p.fromY)/(p.toY-p.fromY)*p.h
}

// ticks writes labels and lines across the plot.
func (p plot) ticks(xs map[float64]string, ys map[float64]string) {
	for _, y := range sorted(ys) {
		_, v := p.at(p.fromX, y)
		p.line("grid", "", p.x, v, p.x+p.w, v)
		p.text(p.x-8, v+4, "end", "small muted", ys[y])
	}
	for _, x := range sorted(xs) {
		u, _ := p.at(x, p.fromY)
		p.line("border", "", u, p.y+p.h, u, p.y+p.h+5)
		p.text(u, p.y+p.h+20, "middle", "small muted", xs[x])
	}
	p.line("border", "", p.x, p.y+p.h, p.x+p.w, p.y+p.h)
}

// curve draws values over x.
func (p plot) curve(color, more string, xs, ys []float64) {
	var points []float64
	for i := range xs {
		u, v := p.at(xs[i], ys[i])
		points = append(points, u, v)
	}
	p.line(color, `stroke-linejoin="round" `+more, points...)
}
