package decode

import (
	"math"
	"strings"

	"github.com/go-faster/jx"

	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// document decodes JSON objects of a known schema: the names of labels and numbers say
// where they are. Each may have several places, of which the first that is there, and
// not empty, counts.
type document struct {
	JSON
	derived []derivedLabel
}

// capture is a text that derived labels are made of, as far as it was found.
type capture struct {
	text []byte
	rank uint8
}

// schema says what documents of a kind have.
type schema struct {
	// times are the places of the event time.
	times []string
	// labels are the places of labels by name.
	labels map[string][]string
	// place returns the place of any other label or number, "" for nowhere.
	place func(name string) string
	// texts are the places of what derived labels are made of.
	texts [][]string
	// derived labels are made of texts.
	derived map[string]func(texts [][]byte) []byte
}

// derivedLabel is a label column that is made of texts.
type derivedLabel struct {
	column int
	make   func(texts [][]byte) []byte
}

func newDocument(s *schema, p ingest.Projection) (*document, error) {
	times, err := rows.NewTimeReader("auto")
	if err != nil {
		return nil, err
	}
	d := &document{JSON: JSON{
		rows: rows.New(p), root: &pathNode{}, factors: make([]float64, len(p.Values)), time: times, skipEmpty: true,
		labels: make([]rows.Cell, len(p.Labels)), values: make([]rows.Number, len(p.Values)), texts: make([]capture, len(s.texts)),
	}}
	d.finish = d.derive
	err = d.root.wantFirst(s.times, jsonField{kind: fieldTime})
	for c, name := range p.Labels {
		places := s.labels[name]
		if f := s.derived[name]; f != nil {
			d.derived = append(d.derived, derivedLabel{c, f})
		} else if places == nil {
			places = []string{s.place(name)}
		}
		if err == nil {
			err = d.root.wantFirst(places, jsonField{kind: fieldLabel, column: c})
		}
	}
	for c, name := range p.Values {
		if err == nil {
			err = d.root.wantFirst([]string{s.place(name)}, jsonField{kind: fieldValue, column: c})
		}
	}
	for n, places := range s.texts {
		if len(d.derived) > 0 && err == nil {
			err = d.root.wantFirst(places, jsonField{kind: fieldText, column: n})
		}
	}
	return d, err
}

// wantFirst wants a field at the first of several places.
func (n *pathNode) wantFirst(places []string, f jsonField) error {
	rank := uint8(math.MaxUint8)
	for _, path := range places {
		if path == "" {
			continue
		}
		if err := checkPath(path); err != nil {
			return err
		}
		f.rank = rank
		n.cut(strings.Split(path, "."), &f)
		rank = f.rank
	}
	return nil
}

// take takes a text from a place of a rank.
func (c *capture) take(rank uint8, kind jx.Type, s []byte) {
	if kind == jx.String && rank >= c.rank {
		c.text, c.rank = append(c.text[:0], s...), rank
	}
}

// derive sets the derived labels of the sample at hand.
func (d *document) derive() {
	var texts [4][]byte
	for i := range d.texts {
		if d.texts[i].rank > 0 {
			texts[i] = d.texts[i].text
		}
	}
	for _, l := range d.derived {
		d.labels[l.column] = d.rows.Cell(l.column, l.make(texts[:len(d.texts)]))
	}
}
