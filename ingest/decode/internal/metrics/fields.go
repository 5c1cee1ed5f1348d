package metrics

import (
	"math"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// fieldRow builds the rows of formats that have a name, tags and fields: Influx line
// protocol and Telegraf's JSON. Tags are labels; fields are numbers, or labels where no
// tag has their name.
type fieldRow struct {
	rows.Rows
	labels, values rows.Keys // their numbers are columns
	cells          []rows.Cell
	numbers        []rows.Number
	name           int // column of metric.name, or -1
	only           map[string]bool
	scratch        []byte
}

// Ranks: of tag and field with one name the tag is the label.
const (
	fieldRank = 1
	tagRank   = 2
	nameRank  = 3
)

func newFieldRow(p ingest.Projection) fieldRow {
	r := fieldRow{
		Rows: rows.New(p), cells: make([]rows.Cell, len(p.Labels)), numbers: make([]rows.Number, len(p.Values)),
		name: p.Label("metric.name"), only: onlyNames(p),
	}
	for _, name := range p.Labels {
		r.labels.Add(name)
	}
	for _, name := range p.Values {
		r.values.Add(name)
	}
	return r
}

// onlyNames returns the names of metrics that are wanted, nil for all.
func onlyNames(p ingest.Projection) map[string]bool {
	names, ok := p.Only["metric.name"]
	if !ok {
		return nil
	}
	only := map[string]bool{}
	for _, name := range names {
		only[name] = true
	}
	return only
}

// enter starts a sample.
func (r *fieldRow) enter() {
	clear(r.cells)
	clear(r.numbers)
}

// label sets a label; of equal ranks the last counts.
func (r *fieldRow) label(key, text []byte, rank uint8) {
	c := r.labels.Find(key)
	if c < 0 || r.cells[c].Rank > rank || c == r.name && rank != nameRank {
		return
	}
	r.cells[c] = r.Cell(c, text)
	r.cells[c].Rank = rank
}

// number sets a numeric field.
func (r *fieldRow) number(key []byte, v float64, ok bool) {
	c := r.values.Find(key)
	if c < 0 {
		return
	}
	r.numbers[c] = rows.Number{V: v, Rank: 1}
	if !ok || math.IsNaN(v) || math.IsInf(v, 0) {
		r.numbers[c].Fault = rows.FaultNumber
	}
}

// end ends the sample at hand.
func (r *fieldRow) end(b *ingest.Builder, name []byte, at flyball.Time, fault rows.Fault) {
	if r.only != nil && !r.only[string(name)] && fault == rows.NoFault {
		b.Pass(at)
		return
	}
	r.label(metricName, name, nameRank)
	r.Append(b, at, fault, r.cells, r.numbers)
}

var metricName = []byte("metric.name")
