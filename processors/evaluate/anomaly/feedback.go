package anomaly

import (
	"slices"

	"github.com/flyball-io/flyball"
)

// past is a finding that is over.
type past struct {
	ID   string `json:"id"`
	Lead place  `json:"lead"`
	// Rarity that its most unusual series reached, and the threshold then.
	Rarity    float64 `json:"rarity"`
	Threshold float64 `json:"threshold"`
}

// margin is what labels have added to the threshold of a series, in digits.
type margin struct {
	place
	Digits float64 `json:"digits"`
	// Labelled holds the findings that it comes from, latest last: each counts once.
	Labelled []string `json:"labelled"`
}

const (
	// noiseMargin is what noise adds to a threshold at least, realMargin what a real
	// finding takes from it.
	noiseMargin, realMargin = 0.5, 0.25
	// mostMargin and leastMargin bound the sum. A label must not blind a detector, nor
	// make it cry.
	mostMargin, leastMargin = 3, -1
	// marginsKept is of how many series of an entity labels are remembered.
	marginsKept = 32
)

// Learn takes in what a person said, and reports whether the finding is known: it is
// open, or one of the last of its entity, and was not labelled so before. Noise moves
// the threshold of its most unusual series just beyond what it reached, so that the
// same does not come again.
func (m *Machine) Learn(l flyball.FindingLabel) (known bool) {
	for _, w := range m.watches {
		e := m.entities[entityKey{w.detector.Name, w.spec.Source, l.Entity}]
		if e == nil || e.now == nil {
			continue
		}
		p, ok := e.found(l.Finding)
		if !ok {
			continue
		}
		m.learn(e, p, l)
		return true
	}
	return false
}

// found returns a finding of an entity.
func (e *entity) found(id string) (past, bool) {
	if open := e.now.Open; open != nil && open.ID == id {
		lead := open.ranked()[0]
		return past{id, lead.place, lead.Rarity, lead.Threshold}, true
	}
	at := slices.IndexFunc(e.now.Recent, func(p past) bool { return p.ID == id })
	if at < 0 {
		return past{}, false
	}
	return e.now.Recent[at], true
}

func (m *Machine) learn(e *entity, p past, l flyball.FindingLabel) {
	mark := string(l.Verdict) + " " + l.Finding
	next := m.change(e)
	next.Margins = slices.Clone(next.Margins)
	at := slices.IndexFunc(next.Margins, func(g margin) bool { return g.place == p.Lead })
	if at < 0 {
		if len(next.Margins) >= marginsKept {
			next.Margins = slices.Delete(next.Margins, 0, 1)
		}
		next.Margins = append(next.Margins, margin{place: p.Lead})
		at = len(next.Margins) - 1
	}
	g := &next.Margins[at]
	if slices.Contains(g.Labelled, mark) {
		return
	}
	if l.Verdict == flyball.LabelNoise {
		g.Digits = max(g.Digits+noiseMargin, min(p.Rarity-p.Threshold, mostMargin)+0.01)
	} else {
		g.Digits -= realMargin
	}
	g.Digits = max(leastMargin, min(mostMargin, g.Digits))
	g.Labelled = append(slices.Clone(g.Labelled[max(0, len(g.Labelled)-2*recentKept+1):]), mark)
}

// margin returns what labels have added to the threshold of a series.
func (e *entity) margin(p place) float64 {
	if e.now == nil {
		return 0
	}
	for i := range e.now.Margins {
		if e.now.Margins[i].place == p {
			return e.now.Margins[i].Digits
		}
	}
	return 0
}
