package decode

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// pathNode is an object on the way to wanted fields.
type pathNode struct {
	keys  rows.Keys
	steps []pathStep // by number of the key
}

// pathStep is what a key leads to: fields wanted, an object, or both.
type pathStep struct {
	fields []jsonField
	child  *pathNode
}

// jsonField is a column that a path feeds. Of several places that fit a path the
// one of the highest rank wins, of equal ones the last.
type jsonField struct {
	kind   fieldKind
	column int
	rank   uint8
}

type fieldKind uint8

const (
	fieldTime fieldKind = iota
	fieldLabel
	fieldValue
	fieldText // for labels that are made of it
)

// maxPathKeys bounds the keys of a path; there are 2^(n−1) ways to cut it.
const maxPathKeys = 8

// compilePaths returns the tree of the fields wanted, and the factor of each
// value column (0 for one without a unit).
func compilePaths(m flyball.JSONMapping, p ingest.Projection) (*pathNode, []float64, error) {
	root := &pathNode{}
	if m.Timestamp == "" {
		return nil, nil, errors.New("the JSON mapping has no path of the timestamp")
	}
	if err := root.want(m.Timestamp, jsonField{kind: fieldTime}); err != nil {
		return nil, nil, fmt.Errorf("timestamp: %w", err)
	}
	for c, name := range p.Labels {
		path, ok := m.Labels[name]
		if !ok {
			return nil, nil, fmt.Errorf("the JSON mapping has no path of label %q", name)
		}
		if err := root.want(path, jsonField{kind: fieldLabel, column: c}); err != nil {
			return nil, nil, fmt.Errorf("label %q: %w", name, err)
		}
	}
	var factors []float64
	for c, name := range p.Values {
		value, ok := m.Values[name]
		if !ok {
			return nil, nil, fmt.Errorf("the JSON mapping has no path of value %q", name)
		}
		if err := root.want(value.Path, jsonField{kind: fieldValue, column: c}); err != nil {
			return nil, nil, fmt.Errorf("value %q: %w", name, err)
		}
		factor, ok := unitFactors[value.Unit]
		if !ok {
			return nil, nil, fmt.Errorf("value %q: unknown unit %q (want s, ms, us, ns or none)", name, value.Unit)
		}
		factors = append(factors, factor)
	}
	return root, factors, nil
}

// unitFactors turn a duration into nanoseconds.
var unitFactors = map[string]float64{"": 0, "s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1}

// want adds every way to cut a path into keys, those with a longer first key
// before those with a shorter one.
func (n *pathNode) want(path string, f jsonField) error {
	if err := checkPath(path); err != nil {
		return err
	}
	f.rank = math.MaxUint8
	n.cut(strings.Split(path, "."), &f)
	return nil
}

func checkPath(path string) error {
	if strings.Count(path, ".") >= maxPathKeys {
		return fmt.Errorf("path %q has more than %d keys", path, maxPathKeys)
	}
	if strings.HasPrefix(path, ".") || strings.HasSuffix(path, ".") || strings.Contains(path, "..") || path == "" {
		return fmt.Errorf("path %q has an empty key", path)
	}
	return nil
}

func (n *pathNode) cut(keys []string, f *jsonField) {
	for k := len(keys); k > 0; k-- {
		step := n.step(strings.Join(keys[:k], "."))
		if k == len(keys) {
			step.fields = append(step.fields, *f)
			f.rank--
			continue
		}
		if step.child == nil {
			step.child = &pathNode{}
		}
		step.child.cut(keys[k:], f)
	}
}

func (n *pathNode) step(key string) *pathStep {
	at := n.keys.Add(key)
	if at == len(n.steps) {
		n.steps = append(n.steps, pathStep{})
	}
	return &n.steps[at]
}
