package main

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"math"
	"strings"

	"github.com/flyball-io/flyball/detectors/anomaly"
	"github.com/flyball-io/flyball/detectors/anomaly/phrase"
	"github.com/flyball-io/flyball/detectors/anomaly/scenes"
)

const (
	width, left, right  = 760, 52, 12
	valueTop, valueHigh = 34, 170
	digitTop, digitHigh = 226, 60
	height              = 350
	before, after       = 170, 110 // points shown around where the anomaly begins
)

// panel maps values to places.
type panel struct {
	top, high float64
	low, most float64
}

func (p panel) y(v float64) float64 {
	v = max(p.low, min(p.most, v))
	return p.top + p.high*(1-(v-p.low)/(p.most-p.low))
}

// view is the part of a scene that is shown.
type view struct {
	readings    []anomaly.Reading
	begins      int // where the anomaly begins, in it
	found       int
	value, size panel
}

func (v *view) x(i int) float64 {
	return left + float64(width-left-right)*float64(i)/float64(len(v.readings)-1)
}

// draw returns a picture.
func draw(s *scenes.Scene) ([]byte, error) {
	all, err := s.Readings()
	if err != nil {
		return nil, err
	}
	found := s.Found(all)
	if found < 0 {
		return nil, errors.New("it does not find its anomaly")
	}
	from, to := max(s.Begins-before, 0), min(s.Begins+after, len(all))
	v := &view{readings: all[from:to], begins: s.Begins - from, found: found - from}
	v.value = v.valuePanel()
	v.size = panel{digitTop, digitHigh, 0, 8}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s">`+"\n", width, height,
		html.EscapeString(s.Kind.String()+": "+s.Title))
	b.WriteString(style)
	fmt.Fprintf(&b, `<text class="title" x="%d" y="18">%s: %s</text>`+"\n", left, s.Kind, html.EscapeString(s.Title))
	v.axes(&b)
	v.band(&b)
	v.line(&b, "expected", v.value, func(r *anomaly.Reading) float64 { return r.Course.Expected })
	v.line(&b, "value", v.value, func(r *anomaly.Reading) float64 { return r.Value })
	v.line(&b, "digits", v.size, func(r *anomaly.Reading) float64 { return min(r.Digits, 8) })
	v.finding(&b)
	b.WriteString("</svg>\n")
	return b.Bytes(), nil
}

const style = `<style>
svg{font:12px system-ui,sans-serif;--ink:#1f2328;--soft:#59636e;--grid:#d1d9e0;--value:#0969da;--band:#0969da;--bad:#cf222e}
@media(prefers-color-scheme:dark){svg{--ink:#f0f6fc;--soft:#9198a1;--grid:#3d444d;--value:#58a6ff;--band:#58a6ff;--bad:#ff7b72}}
text{fill:var(--ink)}.soft{fill:var(--soft)}.title{font-weight:600}.grid{stroke:var(--grid)}
.value,.expected,.digits{fill:none;stroke:var(--value);stroke-width:1.3}.expected{stroke:var(--soft);stroke-dasharray:4 3;stroke-width:1}
.digits{stroke:var(--bad)}.band{fill:var(--band);opacity:.16}.mark{stroke:var(--bad);stroke-dasharray:3 3}.dot{fill:var(--bad)}
</style>
`

// valuePanel spans the values shown, and what was expected of them as far as it is near.
func (v *view) valuePanel() panel {
	low, high := math.Inf(1), math.Inf(-1)
	for i := range v.readings {
		if x := v.readings[i].Value; !math.IsNaN(x) {
			low, high = min(low, x), max(high, x)
		}
	}
	room := 0.15 * (high - low)
	return panel{valueTop, valueHigh, low - room, high + room}
}

func (v *view) axes(b *bytes.Buffer) {
	for _, p := range []struct {
		panel
		ticks []float64
	}{{v.value, ticks(v.value.low, v.value.most)}, {v.size, []float64{0, 4, 8}}} {
		for _, t := range p.ticks {
			y := p.y(t)
			fmt.Fprintf(b, `<path class="grid" d="M%d %.1fH%d"/><text class="soft" x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
				left, y, width-right, left-6, y+4, phrase.Number(t))
		}
	}
	fmt.Fprintf(b, `<text class="soft" x="%d" y="%d">digits of surprise</text>`+"\n", left, digitTop-6)
	for i := range v.readings {
		if at := v.readings[i].At.Std(); at.Minute() == 0 && at.Hour()%4 == 0 {
			fmt.Fprintf(b, `<text class="soft" x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", v.x(i), digitTop+digitHigh+16, at.Format("15:04"))
		}
	}
}

// ticks returns round numbers between two, five at most.
func ticks(low, high float64) []float64 {
	unit := math.Pow(10, math.Floor(math.Log10(high-low))-1)
	for i := 0; (high-low)/unit > 5; i++ {
		unit *= []float64{2, 2.5, 2}[i%3]
	}
	var list []float64
	for t := math.Ceil(low/unit) * unit; t <= high; t += unit {
		list = append(list, t)
	}
	return list
}

// line draws what is a number.
func (v *view) line(b *bytes.Buffer, class string, p panel, of func(*anomaly.Reading) float64) {
	var path strings.Builder
	down := false
	for i := range v.readings {
		x := of(&v.readings[i])
		if !phrase.Finite(x) {
			down = false
			continue
		}
		verb := "L"
		if !down {
			verb, down = "M", true
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", verb, v.x(i), p.y(x))
	}
	if path.Len() > 0 {
		fmt.Fprintf(b, `<path class="%s" d="%s"/>`+"\n", class, path.String())
	}
}

// band draws between which values there is no alarm.
func (v *view) band(b *bytes.Buffer) {
	var top, bottom []string
	flush := func() {
		if len(top) > 1 {
			for i, j := 0, len(bottom)-1; i < j; i, j = i+1, j-1 {
				bottom[i], bottom[j] = bottom[j], bottom[i]
			}
			fmt.Fprintf(b, `<path class="band" d="M%sL%sZ"/>`+"\n", strings.Join(top, "L"), strings.Join(bottom, "L"))
		}
		top, bottom = nil, nil
	}
	for i := range v.readings {
		c := v.readings[i].Course
		if !phrase.Finite(c.Low) || !phrase.Finite(c.High) {
			flush()
			continue
		}
		top = append(top, fmt.Sprintf("%.1f %.1f", v.x(i), v.value.y(c.High)))
		bottom = append(bottom, fmt.Sprintf("%.1f %.1f", v.x(i), v.value.y(c.Low)))
	}
	flush()
}

// finding marks where it is found, and says what is said.
func (v *view) finding(b *bytes.Buffer) {
	r := &v.readings[v.found]
	fmt.Fprintf(b, `<path class="mark" d="M%.1f %dV%d"/>`+"\n", v.x(v.found), valueTop, digitTop+digitHigh)
	if phrase.Finite(r.Value) {
		fmt.Fprintf(b, `<circle class="dot" cx="%.1f" cy="%.1f" r="4"/>`+"\n", v.x(v.found), v.value.y(r.Value))
	}
	what, rare, _ := strings.Cut(r.Explain(), "; by chance ")
	fmt.Fprintf(b, `<text x="%d" y="%d">%s  %s</text>`+"\n", left, height-26, r.At.Std().Format("15:04"), html.EscapeString(what))
	fmt.Fprintf(b, `<text class="soft" x="%d" y="%d">by chance %s</text>`+"\n", left, height-10, html.EscapeString(rare))
}
