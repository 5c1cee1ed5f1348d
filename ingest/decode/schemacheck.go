package decode

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
)

// CheckSchema says what of a source's mapping a schema does not have, nothing if it has
// all of it. Of a Protobuf schema with several messages the one that has most counts;
// of a JSON Schema nothing is known. It fails when the schema cannot be used.
func CheckSchema(ctx context.Context, client *sr.Client, src flyball.Source, s sr.Schema) (missing []string, err error) {
	p := ingest.Projection{Labels: slices.Sorted(maps.Keys(src.JSON.Labels)), Values: slices.Sorted(maps.Keys(src.JSON.Values))}
	root, _, err := compilePaths(src.JSON, p)
	if err != nil {
		return nil, err
	}
	compiled, err := compileSchema(ctx, client, s, root)
	if err != nil {
		return nil, err
	}
	return compiled.missing(src.JSON, p)
}

// complaint says in one line what of a mapping a schema does not have, nothing if it has
// all of it.
func (s *wireSchema) complaint(id int, m flyball.JSONMapping, p ingest.Projection) (string, error) {
	missing, err := s.missing(m, p)
	if err != nil || len(missing) == 0 {
		return "", err
	}
	return fmt.Sprintf("schema %d lacks what the mapping wants: %s", id, strings.Join(missing, "; ")), nil
}

// TakeComplaint implements [ingest.Complainer].
func (d *Confluent) TakeComplaint() string {
	text := d.lacks
	d.lacks = ""
	return text
}

// missing says what of a mapping a compiled schema does not have.
func (s *wireSchema) missing(m flyball.JSONMapping, p ingest.Projection) (missing []string, err error) {
	if s.kind == sr.TypeJSON {
		return nil, nil
	}
	if s.avro != nil {
		found := reached{}
		found.avro(s.avro)
		return found.missing(m, p), nil
	}
	for i := range s.count {
		op, err := s.messages([]int{i})
		if err != nil {
			return nil, err
		}
		found := reached{}
		found.message(op)
		if list := found.missing(m, p); i == 0 || len(list) < len(missing) {
			missing = list
		}
	}
	return missing, nil
}

// reached is the steps of a mapping that some field of a schema feeds.
type reached map[*pathStep]bool

func (r reached) avro(op *avroOp) {
	if op == nil || op.step == nil {
		return
	}
	switch op.kind {
	case "record", "array", "map", "null":
	case "union":
	default:
		r[op.step] = true
	}
	for _, list := range [][]*avroOp{op.fields, op.branches, op.wanted} {
		for _, sub := range list {
			r.avro(sub)
		}
	}
}

func (r reached) message(op *protoOp) {
	if op.seconds {
		r[op.step] = true
	}
	for _, f := range op.fields {
		r.field(f)
	}
}

func (r reached) field(f *protoField) {
	switch {
	case f.entry != nil:
		for _, v := range f.entry.values {
			r.field(v)
		}
	case f.message != nil:
		r.message(f.message)
	case !f.list:
		r[f.step] = true
	}
}

// missing says which parts of a mapping are not reached.
func (r reached) missing(m flyball.JSONMapping, p ingest.Projection) (out []string) {
	has := map[fieldKind]map[int]bool{fieldTime: {}, fieldLabel: {}, fieldValue: {}}
	for step := range r {
		for _, f := range step.fields {
			has[f.kind][f.column] = true
		}
	}
	if !has[fieldTime][0] {
		out = append(out, fmt.Sprintf("timestamp: there is no field %q", m.Timestamp))
	}
	for c, name := range p.Labels {
		if !has[fieldLabel][c] {
			out = append(out, fmt.Sprintf("label %q: there is no field %q", name, m.Labels[name]))
		}
	}
	for c, name := range p.Values {
		if !has[fieldValue][c] {
			out = append(out, fmt.Sprintf("value %q: there is no field %q", name, m.Values[name].Path))
		}
	}
	return out
}
