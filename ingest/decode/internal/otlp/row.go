package otlp

import (
	"strings"

	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// Level is where an attribute was found. A sample's own attribute hides the one of
// its scope, and that the one of its resource.
type Level uint8

// The levels.
const (
	ResourceLevel Level = iota
	ScopeLevel
	SampleLevel
	Levels
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
	resourceRank = 2 // + Level
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

// Row builds the rows of a signal, whatever the encoding they came in: it knows
// which attributes feed which columns and remembers, per level, what the levels
// around it gave.
type Row struct {
	rows.Rows
	// Labels and Values hold what each level has given so far.
	Labels [Levels][]rows.Cell
	Values [Levels][]rows.Number
	// Broken is set for a level whose fields do not parse.
	Broken [Levels]bool
	// Identify makes Identity known.
	Identify bool

	identity                [Levels]Identity
	hashed                  []byte
	wanted                  [Levels]wanted
	scopeName, scopeVersion int // columns, or -1
	scratch                 []byte
}

// Fields names the columns that are fields of a signal and not attributes.
type Fields struct {
	// Prefix is the explicit form of an attribute of the sample itself, "span.".
	Prefix string
	// Labels and Values that are fields; "scope.name" and "scope.version" are
	// fields of every signal.
	Labels, Values []string
	// Aliases are labels that are the first of several attributes of the sample that
	// is there.
	Aliases map[string][]string
}

// NewRow returns the rows of a signal.
func NewRow(p ingest.Projection, f Fields) Row {
	r := Row{Rows: rows.New(p), scopeName: p.Label("scope.name"), scopeVersion: p.Label("scope.version")}
	for l := range Levels {
		r.Labels[l] = make([]rows.Cell, len(p.Labels))
		r.Values[l] = make([]rows.Number, len(p.Values))
	}
	fields := map[string]bool{"scope.name": true, "scope.version": true}
	for _, name := range f.Labels {
		fields[name] = true
	}
	for c, name := range p.Labels {
		keys := f.Aliases[name]
		for i, key := range keys {
			r.wanted[SampleLevel].add(key, target{column: c, rank: uint8(len(keys) - i)})
		}
		if !fields[name] && keys == nil {
			r.want(f.Prefix, name, target{column: c})
		}
	}
	clear(fields)
	for _, name := range f.Values {
		fields[name] = true
	}
	for c, name := range p.Values {
		if !fields[name] {
			r.want(f.Prefix, name, target{column: c, value: true})
		}
	}
	return r
}

func (r *Row) want(samplePrefix, name string, t target) {
	prefixes := [Levels]string{"resource.", "scope.", samplePrefix}
	for l := range Levels {
		t.rank = resourceRank + uint8(l)
		r.wanted[l].add(name, t)
		if key, ok := strings.CutPrefix(name, prefixes[l]); ok && key != "" {
			t.rank = prefixRank
			r.wanted[l].add(key, t)
		}
	}
}

// Identity returns the identity of a level and of those around it, without the
// sample's own.
func (r *Row) Identity(l Level) Identity { return r.identity[l] }

// Wanted returns the keys of attributes that a level must look for.
func (r *Row) Wanted(l Level) *rows.Keys { return &r.wanted[l].keys }

// Enter starts a resource, scope or sample with what the level around it gave.
func (r *Row) Enter(l Level) {
	if l == ResourceLevel {
		r.Broken[l] = false
		clear(r.Labels[l])
		clear(r.Values[l])
		r.identity[l] = Identity{}
		return
	}
	if r.Identify {
		r.identity[l] = r.identity[l-1]
	}
	r.Broken[l] = r.Broken[l-1]
	copy(r.Labels[l], r.Labels[l-1])
	copy(r.Values[l], r.Values[l-1])
}

// text takes the value of the key with this number, a string.
func (r *Row) text(l Level, key int, text []byte) {
	targets := r.wanted[l].targets[key]
	if len(targets) != 1 || targets[0].value {
		r.Attribute(l, key, &AnyValue{Kind: String, Bytes: text})
		return
	}
	t := targets[0]
	if c := &r.Labels[l][t.column]; t.rank > c.Rank {
		*c = r.Cell(t.column, text)
		c.Rank = t.rank
	}
}

// Attribute takes the value of the key with this number.
func (r *Row) Attribute(l Level, key int, v *AnyValue) {
	for _, t := range r.wanted[l].targets[key] {
		if t.value {
			if n := &r.Values[l][t.column]; t.rank > n.Rank {
				*n = numberOf(v, t.rank)
			}
			continue
		}
		c := &r.Labels[l][t.column]
		if t.rank <= c.Rank {
			continue
		}
		text := v.Bytes
		if v.Kind != String {
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

func numberOf(v *AnyValue, rank uint8) rows.Number {
	f, ok := v.Number()
	if !ok {
		return rows.Number{Rank: rank, Fault: rows.FaultNumber}
	}
	return rows.Number{V: f, Rank: rank}
}

// SetField sets a label column that is not an attribute; none is column -1.
func (r *Row) SetField(l Level, column int, text []byte) {
	if column >= 0 {
		r.Labels[l][column] = r.Cell(column, text)
	}
}

// ReadAttribute reads one KeyValue of a level, its value only when the key is wanted.
func (r *Row) ReadAttribute(l Level, m []byte) {
	var key, value []byte
	if k := CutKeyValue(m); k > 0 {
		key, value = m[2:k], m[k+2:]
	} else {
		var ok bool
		if key, value, ok = ReadKeyValue(m); !ok {
			r.Broken[l] = true
			return
		}
	}
	n := r.wanted[l].keys.Find(key)
	if n < 0 {
		return
	}
	if len(value) >= 2 && value[0] == StringTag && value[1] < 0x80 && int(value[1]) == len(value)-2 {
		r.text(l, n, value[2:])
		return
	}
	v, ok := ReadAny(value)
	if !ok {
		r.Broken[l] = true
		return
	}
	r.Attribute(l, n, &v)
}
