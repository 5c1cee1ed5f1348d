package decode

import (
	"math"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/otlp"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
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
	keys    rows.Keys
	targets [][]target // by number of the key
}

func (w *wanted) add(key string, t target) {
	n := w.keys.Add(key)
	if n == len(w.targets) {
		w.targets = append(w.targets, nil)
	}
	w.targets[n] = append(w.targets[n], t)
}

// spanRow builds the rows of spans, whatever the encoding they came in: it knows
// which attributes feed which columns and remembers, per level, what the levels
// around it gave.
type spanRow struct {
	rows.Rows
	wanted   [levels]wanted
	labels   [levels][]rows.Cell
	values   [levels][]rows.Number
	broken   [levels]bool // its fields do not parse
	column   columns      // of the fields that are not attributes
	kinds    rows.Enum
	statuses rows.Enum
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
		Rows: rows.New(p),
		column: columns{
			spanName: p.Label("span.name"), spanKind: p.Label("span.kind"),
			statusCode: p.Label("status.code"),
			scopeName:  p.Label("scope.name"), scopeVersion: p.Label("scope.version"),
			duration: p.Value("duration"),
		},
		kinds:    rows.Enum{Texts: []string{"UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"}},
		statuses: rows.Enum{Texts: []string{"UNSET", "OK", "ERROR"}},
	}
	for l := range levels {
		r.labels[l] = make([]rows.Cell, len(p.Labels))
		r.values[l] = make([]rows.Number, len(p.Values))
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

// begin starts a record. It reports whether codes known so far are void.
func (r *spanRow) begin(b *ingest.Builder) bool {
	if !r.Rows.Begin(b) {
		return false
	}
	if c := r.column.spanKind; c >= 0 {
		r.kinds.Intern(b.Dictionary(), c)
	}
	if c := r.column.statusCode; c >= 0 {
		r.statuses.Intern(b.Dictionary(), c)
	}
	return true
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
		r.attribute(l, key, &otlp.AnyValue{Kind: otlp.String, Bytes: text})
		return
	}
	t := targets[0]
	if c := &r.labels[l][t.column]; t.rank > c.Rank {
		*c = r.Cell(t.column, text)
		c.Rank = t.rank
	}
}

// attribute takes the value of the key with this number.
func (r *spanRow) attribute(l level, key int, v *otlp.AnyValue) {
	for _, t := range r.wanted[l].targets[key] {
		if t.value {
			if n := &r.values[l][t.column]; t.rank > n.Rank {
				*n = numberOf(v, t.rank)
			}
			continue
		}
		c := &r.labels[l][t.column]
		if t.rank <= c.Rank {
			continue
		}
		text := v.Bytes
		if v.Kind != otlp.String {
			r.scratch = v.AppendText(r.scratch[:0])
			text = r.scratch
		}
		*c = r.Cell(t.column, text)
		c.Rank = t.rank
		if v.BadText {
			c.Fault = rows.FaultUTF8
		}
	}
}

func numberOf(v *otlp.AnyValue, rank uint8) rows.Number {
	f, ok := v.Number()
	if !ok {
		return rows.Number{Rank: rank, Fault: rows.FaultNumber}
	}
	return rows.Number{V: f, Rank: rank}
}

// setField sets a label column that is not an attribute.
func (r *spanRow) setField(l level, column int, text []byte) {
	if column >= 0 {
		r.labels[l][column] = r.Cell(column, text)
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
		r.labels[spanLevel][c].Code = r.kinds.Code(s.kind)
	}
	if c := r.column.statusCode; c >= 0 {
		r.labels[spanLevel][c].Code = r.statuses.Code(s.status)
	}
	f := r.times(s)
	if r.broken[spanLevel] {
		f = rows.FaultFraming
	}
	if c := r.column.duration; c >= 0 {
		r.values[spanLevel][c] = rows.Number{V: float64(s.end - s.start), Rank: 1}
	}
	r.Rows.Append(b, flyball.Time(s.end), f, r.labels[spanLevel], r.values[spanLevel])
}

// times returns what is wrong with the times; the start matters only for the
// duration.
func (r *spanRow) times(s *spanFields) rows.Fault {
	switch {
	case s.end == 0:
		return rows.FaultNoTime
	case s.end > math.MaxInt64:
		return rows.FaultTimeRange
	case r.column.duration < 0:
		return rows.NoFault
	case s.start == 0:
		return rows.FaultNoStart
	case s.end < s.start:
		return rows.FaultEndsBeforeStart
	}
	return rows.NoFault
}
