package main

import (
	"bytes"
	"fmt"
	"html"
)

// Sizes of the plot: a panel for each dimension, in a row.
const (
	panelWidth  = 190
	panelHeight = 150
	margin      = 34
	gap         = 24
)

// draw makes an SVG of the throughput over each dimension, relative to its first value.
// The values stand side by side, as in the table.
func draw(curves []Curve) []byte {
	var b bytes.Buffer
	width, height := margin+len(curves)*(panelWidth+gap), panelHeight+2*margin+16
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">`+"\n", width, height)
	fmt.Fprintf(&b, `<title>Throughput of the aggregate role as its input grows, relative to the first value of each panel</title>`+"\n")
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	for i, c := range curves {
		c.panel(&b, margin+i*(panelWidth+gap))
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// panel draws one curve with its axes.
func (c Curve) panel(b *bytes.Buffer, left int) {
	top, bottom := float64(margin), float64(margin+panelHeight)
	y := func(share float64) float64 { return bottom - share/1.25*panelHeight }
	x := func(i int) float64 {
		return float64(left) + (float64(i)+0.5)*panelWidth/float64(len(c.Points))
	}
	fmt.Fprintf(b, `<text x="%d" y="%.0f" font-weight="bold" fill="#222">%s</text>`+"\n", left, top-12, html.EscapeString(c.Name))
	for _, share := range []float64{0, 0.25, 0.5, 0.75, 1} {
		fmt.Fprintf(b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ddd"/>`+"\n", left, left+panelWidth, y(share), y(share))
		fmt.Fprintf(b, `<text x="%d" y="%.1f" text-anchor="end" fill="#666">%g</text>`+"\n", left-4, y(share)+4, share)
	}
	var line bytes.Buffer
	for i, p := range c.Points {
		fmt.Fprintf(&line, "%.1f,%.1f ", x(i), y(min(c.relative(p), 1.25)))
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle" fill="#666">%g</text>`+"\n", x(i), bottom+16, p.X)
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle" fill="#222">%.0f ns</text>`+"\n", x(i), y(min(c.relative(p), 1.25))-8, p.Nanos)
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="#0b6"/>`+"\n", x(i), y(min(c.relative(p), 1.25)))
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="#0b6" stroke-width="1.5"/>`+"\n", bytes.TrimSpace(line.Bytes()))
}
