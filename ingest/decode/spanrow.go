package decode

import (
	"math"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
)

// level is where an attribute was found. A span's own attribute hides the one of
// its scope, and that the one of its resource.
type level uint8

const (
	resourceLevel level = iota
	scopeLevel
	spanLevel
	levels
)

// target is a column that a key feeds. Of several keys that feed one column the
// one with the highest rank wins, of equal ones the first.
type target struct {
	value  bool // a numeric column, not a label
	column int
	rank   uint8
}

// Ranks: the prefix form of a name ("resource.x" for the attribute x of the
// resource) is tried after the whole name at every level.
const (
	prefixRank   = 1
	resourceRank = 2 // + level
)

// wanted is what one level must look for.
type wanted struct {
	keys    keyTable
	targets [][]target // by number of the key
}

func (w *wanted) add(key string, t target) {
	n := w.keys.add(key)
	if n == len(w.targets) {
		w.targets = append(w.targets, nil)
	}
	w.targets[n] = append(w.targets[n], t)
}

// spanRow builds the rows of spans, whatever the encoding they came in: it knows
// which attributes feed which columns and remembers, per level, what the levels
// around it gave.
type spanRow struct {
	rows
	wanted   [levels]wanted
	labels   [levels][]cell
	values   [levels][]number
	broken   [levels]bool // its fields do not parse
	column   columns      // of the fields that are not attributes
	kinds    enum
	statuses enum
	scratch  []byte
}

// columns holds the column of each field that is not an attribute, or -1.
type columns struct {
	spanName, spanKind, statusCode, scopeName, scopeVersion, duration int
}

// prefixes are the explicit forms of an attribute's level.
var prefixes = [levels]string{resourceLevel: "resource.", scopeLevel: "scope.", spanLevel: "span."}

func newSpanRow(p ingest.Projection) spanRow {
	r := spanRow{
		rows: newRows(p),
		column: columns{
			spanName: p.Label("span.name"), spanKind: p.Label("span.kind"),
			statusCode: p.Label("status.code"),
			scopeName:  p.Label("scope.name"), scopeVersion: p.Label("scope.version"),
			duration: p.Value("duration"),
		},
		kinds:    enum{texts: []string{"UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"}},
		statuses: enum{texts: []string{"UNSET", "OK", "ERROR"}},
	}
	for l := range levels {
		r.labels[l] = make([]cell, len(p.Labels))
		r.values[l] = make([]number, len(p.Values))
	}
	for c, name := range p.Labels {
		if !r.column.isField(c) {
			r.want(name, target{column: c})
		}
	}
	for c, name := range p.Values {
		if c != r.column.duration {
			r.want(name, target{column: c, value: true})
		}
	}
	return r
}

// isField reports whether a label column holds a field and not an attribute.
func (c *columns) isField(label int) bool {
	return label == c.spanName || label == c.spanKind || label == c.statusCode ||
		label == c.scopeName || label == c.scopeVersion
}

func (r *spanRow) want(name string, t target) {
	for l := range levels {
		t.rank = resourceRank + uint8(l)
		r.wanted[l].add(name, t)
		if key, ok := strings.CutPrefix(name, prefixes[l]); ok && key != "" {
			t.rank = prefixRank
			r.wanted[l].add(key, t)
		}
	}
}

// begin starts a record.
func (r *spanRow) begin(b *ingest.Builder) {
	if !r.rows.begin(b) {
		return
	}
	if c := r.column.spanKind; c >= 0 {
		r.kinds.intern(b.Dictionary(), c)
	}
	if c := r.column.statusCode; c >= 0 {
		r.statuses.intern(b.Dictionary(), c)
	}
}

// enter starts a resource, scope or span with what the level around it gave.
func (r *spanRow) enter(l level) {
	if l == resourceLevel {
		r.broken[l] = false
		clear(r.labels[l])
		clear(r.values[l])
		return
	}
	r.broken[l] = r.broken[l-1]
	copy(r.labels[l], r.labels[l-1])
	copy(r.values[l], r.values[l-1])
}

// text takes the value of the key with this number, a string.
func (r *spanRow) text(l level, key int, text []byte) {
	targets := r.wanted[l].targets[key]
	if len(targets) != 1 || targets[0].value {
		r.attribute(l, key, &anyValue{kind: anyString, bytes: text}, noFault)
		return
	}
	t := targets[0]
	if c := &r.labels[l][t.column]; t.rank > c.rank {
		*c = r.cell(t.column, text)
		c.rank = t.rank
	}
}

// attribute takes the value of the key with this number, f being what is wrong
// with it.
func (r *spanRow) attribute(l level, key int, v *anyValue, f fault) {
	for _, t := range r.wanted[l].targets[key] {
		if t.value {
			if n := &r.values[l][t.column]; t.rank > n.rank {
				*n = numberOf(v)
				n.rank = t.rank
			}
			continue
		}
		c := &r.labels[l][t.column]
		if t.rank <= c.rank {
			continue
		}
		text := v.bytes
		if v.kind != anyString {
			r.scratch = v.appendText(r.scratch[:0])
			text = r.scratch
		}
		*c = r.cell(t.column, text)
		c.rank = t.rank
		c.fault = max(c.fault, f)
	}
}

func numberOf(v *anyValue) number {
	f, absent, flt := v.number()
	if absent {
		f = math.NaN()
	}
	return number{v: f, fault: flt}
}

// setField sets a label column that is not an attribute.
func (r *spanRow) setField(l level, column int, text []byte) {
	if column >= 0 {
		r.labels[l][column] = r.cell(column, text)
	}
}

// spanFields are the fields of a span that are not attributes.
type spanFields struct {
	start, end   uint64
	kind, status int32
	name         []byte
}

// append ends the span at hand: a row, or a rejection.
func (r *spanRow) append(s *spanFields, b *ingest.Builder) {
	r.setField(spanLevel, r.column.spanName, s.name)
	if c := r.column.spanKind; c >= 0 {
		r.labels[spanLevel][c].code = r.kinds.code(s.kind)
	}
	if c := r.column.statusCode; c >= 0 {
		r.labels[spanLevel][c].code = r.statuses.code(s.status)
	}
	f := r.times(s)
	if r.broken[spanLevel] {
		f = faultFraming
	}
	if c := r.column.duration; c >= 0 {
		r.values[spanLevel][c] = number{v: float64(s.end - s.start), rank: 1}
	}
	r.rows.append(b, flyball.Time(s.end), f, r.labels[spanLevel], r.values[spanLevel])
}

// times returns what is wrong with the times; the start matters only for the
// duration.
func (r *spanRow) times(s *spanFields) fault {
	switch {
	case s.end == 0:
		return faultNoTime
	case s.end > math.MaxInt64:
		return faultTimeRange
	case r.column.duration < 0:
		return noFault
	case s.start == 0:
		return faultNoStart
	case s.end < s.start:
		return faultEndsBeforeStart
	}
	return noFault
}
