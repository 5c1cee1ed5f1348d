package scenario

import (
	"fmt"
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// outcome is all that came out of a run, without when.
type outcome struct {
	exact, loose []string // lines, sorted
	broken       []string // promises that do not hold
}

func (o outcome) lines(loose bool) []string {
	if loose {
		return o.loose
	}
	return o.exact
}

type windowKey struct {
	indicator, labels string
	start, end        flyball.Time
}

// outcome sums up a run.
func (r *run) outcome() outcome {
	var o outcome
	last := map[windowKey]*processors.WindowRow{}
	late := map[string][2]int64{}
	findings := map[string]flyball.Finding{}
	ids := map[string]bool{}
	add := func(text string) {
		o.exact = append(o.exact, text)
		o.loose = append(o.loose, text)
	}
	for i := range r.results {
		x := &r.results[i]
		text := r.printer.line(x).text()
		switch {
		case x.Window != nil:
			o.exact = append(o.exact, text)
			o.window(text, x.Window, last)
		case x.Finding != nil:
			add(text + " id=" + x.Finding.ID)
			o.finding(text, *x.Finding, findings)
		case x.Verdict != nil:
			add(fmt.Sprintf("%s id=%s revision=%d %+v", text, x.Verdict.ID, x.Verdict.Revision, *x.Verdict))
			o.once("verdict", fmt.Sprintf("%s/%d", x.Verdict.ID, x.Verdict.Revision), ids, text)
		case x.Decision != nil:
			add(fmt.Sprintf("%s id=%s gates=%v", text, x.Decision.ID, x.Decision.Gates))
			o.once("decision", x.Decision.ID, ids, text)
		case x.Command != nil:
			add(text + " id=" + x.Command.ID)
			o.once("command", x.Command.ID, ids, text)
		case x.SLO != nil:
			add(text)
		case x.Dead != nil && x.Dead.Indicator != "":
			d := x.Dead
			key := fmt.Sprintf("late %s %s %d", d.Indicator, d.Labels.JSON(), d.Start)
			n := late[key]
			late[key] = [2]int64{n[0] + d.Samples, n[1] + d.Bad}
		default:
			add(text)
		}
	}
	for key, n := range late {
		add(fmt.Sprintf("%s samples=%d bad=%d", key, n[0], n[1]))
	}
	for _, w := range last {
		final := *w
		final.Revision = 1
		o.loose = append(o.loose, r.printer.window(&final).text())
	}
	slices.Sort(o.exact)
	slices.Sort(o.loose)
	return o
}

// window checks that the revisions of a window come one after the other, each
// once. One that closed without samples begins with its first correction.
func (o *outcome) window(text string, w *processors.WindowRow, last map[windowKey]*processors.WindowRow) {
	k := windowKey{w.Indicator, w.Labels, w.Start, w.End}
	next := uint32(1)
	if last[k] != nil {
		next = last[k].Revision + 1
	}
	if w.Revision != next && (last[k] != nil || w.Revision != 2) {
		o.broken = append(o.broken, fmt.Sprintf("revision %d of a window came when revision %d was due: %s", w.Revision, next, text))
	}
	last[k] = w
}

// finding checks that a finding opens once, is updated, and is resolved once.
func (o *outcome) finding(text string, f flyball.Finding, last map[string]flyball.Finding) {
	before, known := last[f.ID]
	ok := f.Revision == before.Revision+1
	switch f.State {
	case flyball.FindingOpened:
		ok = ok && !known
	case flyball.FindingUpdated, flyball.FindingResolved:
		ok = ok && known && before.State != flyball.FindingResolved
	}
	if !ok {
		o.broken = append(o.broken, fmt.Sprintf("a finding came after revision %d (%s): %s", before.Revision, before.State, text))
	}
	last[f.ID] = f
}

// once checks that an id is given out once.
func (o *outcome) once(kind, id string, ids map[string]bool, text string) {
	if ids[id] {
		o.broken = append(o.broken, fmt.Sprintf("a %s came twice: %s", kind, text))
	}
	ids[id] = true
}
