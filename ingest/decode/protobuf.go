package decode

import (
	"context"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/go-faster/jx"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/flyball-io/flyball/ingest/decode/internal/otlp"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// protoOp reads one message of a type that is known only as text: it feeds what the
// mapping wants and steps over all else.
type protoOp struct {
	fields map[uint64]*protoField // by tag
	absent []*protoField          // that have a value where the message says nothing
	// seconds is set for google.protobuf.Timestamp and Duration, which are numbers of
	// seconds, and wrapped for the wrappers of scalars.
	seconds, wrapped bool
	step             *pathStep // of those
}

// protoField is a field that is wanted.
type protoField struct {
	kind    protoreflect.Kind
	list    bool
	enum    protoreflect.EnumDescriptor
	step    *pathStep
	message *protoOp
	entry   *protoEntry // of a map
}

// protoEntry is how the entries of a map are read, whose keys must be strings.
type protoEntry struct {
	values []*protoField // by number of the key in the step's child
}

// compileProto parses a file and its imports and returns it.
func compileProto(ctx context.Context, text string, imports map[string]string) (protoreflect.FileDescriptor, error) {
	const name = "__schema__.proto"
	resolver := &protocompile.SourceResolver{Accessor: func(path string) (io.ReadCloser, error) {
		if path == name {
			return io.NopCloser(strings.NewReader(text)), nil
		}
		if source, ok := imports[path]; ok {
			return io.NopCloser(strings.NewReader(source)), nil
		}
		return nil, fmt.Errorf("the schema does not refer to %q", path)
	}}
	c := protocompile.Compiler{Resolver: protocompile.WithStandardImports(resolver), MaxParallelism: 1}
	files, err := c.Compile(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("cannot compile Protobuf schema: %w", err)
	}
	return files[0], nil
}

// messageAt returns the message that the indexes of the wire format lead to.
func messageAt(file protoreflect.FileDescriptor, index []int) (protoreflect.MessageDescriptor, error) {
	list := file.Messages()
	var m protoreflect.MessageDescriptor
	for _, i := range index {
		if i < 0 || i >= list.Len() {
			return nil, fmt.Errorf("cannot find message %v: the schema has not so many", index)
		}
		m = list.Get(i)
		list = m.Messages()
	}
	if m == nil {
		return nil, fmt.Errorf("cannot find message %v", index)
	}
	return m, nil
}

// compileMessage compiles a message against the wanted paths; those bound its depth.
func compileMessage(m protoreflect.MessageDescriptor, step *pathStep) *protoOp {
	op := &protoOp{fields: map[uint64]*protoField{}, step: step}
	switch name := m.FullName(); {
	case name == "google.protobuf.Timestamp" || name == "google.protobuf.Duration":
		op.seconds = true
		return op
	case m.ParentFile().Path() == "google/protobuf/wrappers.proto":
		op.wrapped = true
		f := m.Fields().ByNumber(1)
		p := &protoField{kind: f.Kind(), step: step}
		op.fields[tagOf(f)] = p
		op.absent = append(op.absent, p)
		return op
	}
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		to := step.to(string(f.Name()))
		if to == nil {
			to = step.to(f.JSONName())
		}
		if to == nil {
			continue
		}
		p := compileField(f, to)
		op.fields[tagOf(f)] = p
		if p.list && f.IsPacked() {
			op.fields[uint64(f.Number())<<3|otlp.WireBytes] = p
		}
		if !f.HasPresence() && !p.list && p.entry == nil {
			op.absent = append(op.absent, p)
		}
	}
	return op
}

func compileField(f protoreflect.FieldDescriptor, step *pathStep) *protoField {
	p := &protoField{kind: f.Kind(), list: f.IsList(), step: step, enum: f.Enum()}
	switch {
	case f.IsMap():
		p.entry = &protoEntry{}
		if f.MapKey().Kind() == protoreflect.StringKind && step.child != nil {
			for i := range step.child.steps {
				p.entry.values = append(p.entry.values, compileField(f.MapValue(), &step.child.steps[i]))
			}
		}
	case f.Kind() == protoreflect.MessageKind && !p.list:
		p.message = compileMessage(f.Message(), step)
	}
	return p
}

// tagOf returns the tag that a single value of a field has.
func tagOf(f protoreflect.FieldDescriptor) uint64 {
	wire := uint64(otlp.WireVarint)
	switch f.Kind() {
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		wire = otlp.WireFixed32
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		wire = otlp.WireFixed64
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		wire = otlp.WireBytes
	case protoreflect.GroupKind:
		wire = otlp.WireStartGroup
	}
	return uint64(f.Number())<<3 | wire
}

// protoReader reads one record.
type protoReader struct {
	d    *JSON
	text []byte
	zero bool // the value at hand is the default of an absent one
}

// message reads a message; it reports false when its fields do not parse.
func (r *protoReader) message(op *protoOp, m []byte) bool {
	if op.seconds {
		return r.seconds(op, m)
	}
	for _, f := range op.absent {
		r.absent(f)
	}
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(m, i); i < 0 {
			return false
		}
		if f := op.fields[t]; f != nil && !r.field(f, m[:i], from) {
			return false
		}
	}
	return true
}

// field reads a value at m[from:].
func (r *protoReader) field(f *protoField, m []byte, from int) bool {
	switch {
	case f.entry != nil:
		r.emit(f.step, jx.Object, nil)
		return r.entry(f, m[from:])
	case f.list || f.kind == protoreflect.GroupKind:
		r.emit(f.step, jx.Array, nil)
		return true
	case f.message != nil:
		if !f.message.seconds && !f.message.wrapped {
			r.emit(f.step, jx.Object, nil)
		}
		return r.message(f.message, m[from:])
	}
	r.scalar(f, m, from)
	return true
}

// entry reads one entry of a map: key 1, value 2.
func (r *protoReader) entry(f *protoField, m []byte) bool {
	var key, value []byte
	at, tag := -1, uint64(0)
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(m, i); i < 0 {
			return false
		}
		switch t >> 3 {
		case 1:
			key = m[from:i]
		case 2:
			value, at, tag = m[:i], from, t
		}
	}
	if f.entry.values == nil {
		return true
	}
	n := f.step.child.keys.Find(key)
	if n < 0 {
		return true
	}
	v := f.entry.values[n]
	switch {
	case at < 0 && v.message != nil:
		return r.message(v.message, nil)
	case at < 0:
		r.absent(v)
		return true
	case tag&7 != wireOf(v.kind):
		return true
	}
	return r.field(v, value, at)
}

func wireOf(kind protoreflect.Kind) uint64 {
	switch kind {
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		return otlp.WireFixed32
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		return otlp.WireFixed64
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return otlp.WireBytes
	case protoreflect.GroupKind:
		return otlp.WireStartGroup
	}
	return otlp.WireVarint
}

// seconds reads a Timestamp or Duration: seconds 1, nanos 2.
func (r *protoReader) seconds(op *protoOp, m []byte) bool {
	var whole, nanos int64
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(m, i); i < 0 {
			return false
		}
		n, _ := otlp.Uvarint(m, from)
		switch t {
		case 1<<3 | otlp.WireVarint:
			whole = int64(n)
		case 2<<3 | otlp.WireVarint:
			nanos = int64(int32(n))
		}
	}
	if nanos < 0 || nanos > 999_999_999 { // of a Duration below 0, or malformed
		r.text = rows.AppendDouble(r.text[:0], float64(whole)+float64(nanos)/1e9)
		r.emit(op.step, jx.Number, r.text)
		return true
	}
	r.text = strconv.AppendInt(r.text[:0], whole, 10)
	if nanos > 0 {
		r.text = append(r.text, '.')
		digits := strconv.FormatInt(1_000_000_000+nanos, 10)
		r.text = append(r.text, digits[1:]...)
	}
	r.emit(op.step, jx.Number, r.text)
	return true
}

// absent hands on the default of a field that has no presence.
func (r *protoReader) absent(f *protoField) {
	r.zero = true
	r.scalar(f, nil, 0)
	r.zero = false
}

// scalar hands on a value at m[from:], or the default where m is nil.
func (r *protoReader) scalar(f *protoField, m []byte, from int) {
	var n uint64
	switch wireOf(f.kind) {
	case otlp.WireVarint:
		n, _ = otlp.Uvarint(m, from)
	case otlp.WireFixed64:
		n, _ = otlp.Fixed64(m, from)
	case otlp.WireFixed32:
		for k := 0; k < 4 && from+k < len(m); k++ {
			n |= uint64(m[from+k]) << (8 * k)
		}
	}
	kind := jx.Number
	switch f.kind {
	case protoreflect.StringKind, protoreflect.BytesKind:
		r.emit(f.step, jx.String, m[from:])
		return
	case protoreflect.BoolKind:
		kind, r.text = jx.Bool, strconv.AppendBool(r.text[:0], n != 0)
	case protoreflect.EnumKind:
		kind = jx.String
		if v := f.enum.Values().ByNumber(protoreflect.EnumNumber(int32(n))); v != nil {
			r.text = append(r.text[:0], v.Name()...)
		} else {
			r.text = strconv.AppendInt(r.text[:0], int64(int32(n)), 10)
		}
	case protoreflect.FloatKind:
		r.text = rows.AppendDouble(r.text[:0], float64(math.Float32frombits(uint32(n))))
	case protoreflect.DoubleKind:
		r.text = rows.AppendDouble(r.text[:0], math.Float64frombits(n))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		r.text = strconv.AppendUint(r.text[:0], uint64(uint32(n)), 10)
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		r.text = strconv.AppendUint(r.text[:0], n, 10)
	case protoreflect.Sint32Kind:
		r.text = strconv.AppendInt(r.text[:0], int64(int32(uint32(n)>>1)^-int32(n&1)), 10)
	case protoreflect.Sint64Kind:
		r.text = strconv.AppendInt(r.text[:0], int64(n>>1)^-int64(n&1), 10)
	case protoreflect.Int32Kind, protoreflect.Sfixed32Kind:
		r.text = strconv.AppendInt(r.text[:0], int64(int32(n)), 10)
	default:
		r.text = strconv.AppendInt(r.text[:0], int64(n), 10)
	}
	r.emit(f.step, kind, r.text)
}

func (r *protoReader) emit(step *pathStep, kind jx.Type, text []byte) {
	for f := range step.fields {
		if r.zero && step.fields[f].kind == fieldTime {
			continue // a time that is not there is not 1970
		}
		r.d.field(&step.fields[f], kind, text)
	}
}
