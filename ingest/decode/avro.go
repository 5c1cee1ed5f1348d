package decode

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"strconv"

	"github.com/go-faster/jx"
	"github.com/twmb/avro"

	"github.com/flyball-io/flyball/ingest/decode/internal/otlp"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// avroOp reads one Avro value (https://avro.apache.org/docs/1.12.0/specification): it
// feeds what the mapping wants and steps over all else. A schema is compiled into a
// tree of them once; recursive types that nobody wants make it a graph.
type avroOp struct {
	kind     string // Avro's name of the type
	step     *pathStep
	fields   []*avroOp // of a record
	items    *avroOp   // of an array, and of a map the values that are not wanted
	wanted   []*avroOp // of a map, by number of the key in step.child
	branches []*avroOp // of a union
	symbols  []string
	size     int
	decimal  bool
	scale    int
}

// avroCompiler compiles one schema.
type avroCompiler struct {
	namespace string // of the record around
	named     map[string]*avro.SchemaNode
	skipped   map[string]*avroOp // by full name: those that nothing is wanted of
}

// compileAvro compiles a schema against the wanted paths. References are schemas that
// it names types of.
func compileAvro(text string, references []string, root *pathNode) (*avroOp, error) {
	cache := &avro.SchemaCache{}
	c := avroCompiler{named: map[string]*avro.SchemaNode{}, skipped: map[string]*avroOp{}}
	for _, r := range references {
		s, err := cache.Parse(r)
		if err != nil {
			return nil, fmt.Errorf("cannot parse referenced Avro schema: %w", err)
		}
		c.define(s.Root())
	}
	s, err := cache.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("cannot parse Avro schema: %w", err)
	}
	node := s.Root()
	c.define(node)
	if node.Type != "record" {
		return nil, fmt.Errorf("cannot use Avro schema: it is a %s, want a record", node.Type)
	}
	return c.compile(node, &pathStep{child: root}, 0)
}

func fullName(n *avro.SchemaNode) string {
	if n.Namespace == "" {
		return n.Name
	}
	return n.Namespace + "." + n.Name
}

// define notes the named types in a schema.
func (c *avroCompiler) define(n *avro.SchemaNode) {
	if n == nil {
		return
	}
	switch n.Type {
	case "record", "error", "enum", "fixed":
		c.named[fullName(n)] = n
	}
	for i := range n.Fields {
		c.define(&n.Fields[i].Type)
	}
	c.define(n.Items)
	c.define(n.Values)
	for i := range n.Branches {
		c.define(&n.Branches[i])
	}
}

// maxSchemaDepth bounds the types in types on a wanted path.
const maxSchemaDepth = 64

func (c *avroCompiler) compile(n *avro.SchemaNode, step *pathStep, depth int) (*avroOp, error) {
	if depth > maxSchemaDepth {
		return nil, fmt.Errorf("cannot use Avro schema: its types are nested more than %d deep", maxSchemaDepth)
	}
	if def := c.named[n.Type]; def != nil {
		n = def
	} else if def := c.named[c.namespace+"."+n.Type]; def != nil {
		n = def
	}
	op := &avroOp{kind: n.Type, step: step, symbols: n.Symbols, size: n.Size, decimal: n.LogicalType == "decimal", scale: n.Scale}
	name := fullName(n)
	if step == nil && n.Name != "" {
		if known := c.skipped[name]; known != nil {
			return known, nil
		}
		c.skipped[name] = op
	}
	var err error
	switch n.Type {
	case "null", "boolean", "int", "long", "float", "double", "bytes", "string", "enum", "fixed":
	case "record", "error":
		op.kind = "record"
		outer := c.namespace
		c.namespace = n.Namespace
		for i := range n.Fields {
			f := &n.Fields[i]
			sub, e := c.compile(&f.Type, step.to(f.Name), c.deeper(step, depth))
			op.fields = append(op.fields, sub)
			err = firstError(err, e)
		}
		c.namespace = outer
	case "array":
		op.items, err = c.compile(n.Items, nil, depth)
	case "map":
		err = c.compileMap(op, n, step, depth)
	case "union":
		for i := range n.Branches {
			sub, e := c.compile(&n.Branches[i], step, c.deeper(step, depth))
			op.branches = append(op.branches, sub)
			err = firstError(err, e)
		}
	default:
		return nil, fmt.Errorf("cannot use Avro schema: unknown type %q", n.Type)
	}
	return op, err
}

// deeper counts the depth on wanted paths alone: others end at names known.
func (c *avroCompiler) deeper(step *pathStep, depth int) int {
	if step == nil {
		return depth
	}
	return depth + 1
}

func (c *avroCompiler) compileMap(op *avroOp, n *avro.SchemaNode, step *pathStep, depth int) (err error) {
	if op.items, err = c.compile(n.Values, nil, depth); err != nil || step == nil || step.child == nil {
		return err
	}
	for i := range step.child.steps {
		sub, e := c.compile(n.Values, &step.child.steps[i], depth+1)
		op.wanted = append(op.wanted, sub)
		err = firstError(err, e)
	}
	return err
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// to returns the step that a key leads to, nil for one that is not wanted.
func (s *pathStep) to(key string) *pathStep {
	if s == nil || s.child == nil {
		return nil
	}
	if n := s.child.keys.Find([]byte(key)); n >= 0 {
		return &s.child.steps[n]
	}
	return nil
}

// avroReader reads one record.
type avroReader struct {
	d      *JSON
	m      []byte
	budget int // how many more values may be read, so that empty ones end, too
	text   []byte
}

// read reads the value at m[i] and returns the next place, or -1 when it does not
// parse.
func (r *avroReader) read(op *avroOp, i int) int {
	if r.budget--; r.budget < 0 {
		return -1
	}
	switch op.kind {
	case "null":
		return i
	case "record":
		r.emit(op.step, jx.Object, nil)
		for _, f := range op.fields {
			if i = r.read(f, i); i < 0 {
				return -1
			}
		}
		return i
	case "union":
		n, i := zigzagLong(r.m, i)
		if i < 0 || n < 0 || n >= int64(len(op.branches)) {
			return -1
		}
		return r.read(op.branches[n], i)
	case "array", "map":
		return r.blocks(op, i)
	}
	return r.scalar(op, i)
}

func (r *avroReader) scalar(op *avroOp, i int) int {
	switch op.kind {
	case "boolean":
		if i >= len(r.m) {
			return -1
		}
		r.text = strconv.AppendBool(r.text[:0], r.m[i] == 1) // as Avro's own readers do
		r.emit(op.step, jx.Bool, r.text)
		return i + 1
	case "int", "long":
		n, i := zigzagLong(r.m, i)
		if i >= 0 && op.step != nil {
			r.text = strconv.AppendInt(r.text[:0], n, 10)
			r.emit(op.step, jx.Number, r.text)
		}
		return i
	case "enum":
		n, i := zigzagLong(r.m, i)
		if i < 0 || n < 0 || n >= int64(len(op.symbols)) {
			return -1
		}
		r.text = append(r.text[:0], op.symbols[n]...)
		r.emit(op.step, jx.String, r.text)
		return i
	case "float":
		if i+4 > len(r.m) {
			return -1
		}
		r.double(op, float64(math.Float32frombits(binary.LittleEndian.Uint32(r.m[i:]))))
		return i + 4
	case "double":
		n, next := otlp.Fixed64(r.m, i)
		if next >= 0 {
			r.double(op, math.Float64frombits(n))
		}
		return next
	}
	return r.bytes(op, i)
}

func (r *avroReader) double(op *avroOp, v float64) {
	if op.step != nil {
		r.text = rows.AppendDouble(r.text[:0], v)
		r.emit(op.step, jx.Number, r.text)
	}
}

// bytes reads a string, bytes or fixed.
func (r *avroReader) bytes(op *avroOp, i int) int {
	n := int64(op.size)
	if op.kind != "fixed" {
		if n, i = zigzagLong(r.m, i); i < 0 {
			return -1
		}
	}
	if n < 0 || n > int64(len(r.m)-i) {
		return -1
	}
	part := r.m[i : i+int(n)]
	if op.decimal && op.step != nil {
		r.text = appendDecimal(r.text[:0], part, op.scale)
		r.emit(op.step, jx.Number, r.text)
	} else {
		r.emit(op.step, jx.String, part)
	}
	return i + int(n)
}

// appendDecimal writes a big-endian two's complement number × 10^-scale.
func appendDecimal(dst, b []byte, scale int) []byte {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	dst = n.Append(dst, 10)
	if scale != 0 {
		dst = append(dst, 'e')
		dst = strconv.AppendInt(dst, int64(-scale), 10)
	}
	return dst
}

// blocks reads an array or a map.
func (r *avroReader) blocks(op *avroOp, i int) int {
	r.emit(op.step, jx.Array, nil)
	for {
		n, next := zigzagLong(r.m, i)
		if i = next; i < 0 || n == 0 {
			return i
		}
		if n < 0 { // the size of the block follows
			size, next := zigzagLong(r.m, i)
			if i = next; i < 0 || size < 0 || size > int64(len(r.m)-i) || n == math.MinInt64 {
				return -1
			}
			if n = -n; op.wanted == nil {
				i += int(size)
				continue
			}
		}
		for ; n > 0; n-- {
			if i = r.item(op, i); i < 0 {
				return -1
			}
		}
	}
}

func (r *avroReader) item(op *avroOp, i int) int {
	value := op.items
	if op.kind == "map" {
		n, next := zigzagLong(r.m, i)
		if i = next; i < 0 || n < 0 || n > int64(len(r.m)-i) {
			return -1
		}
		if op.wanted != nil {
			if at := op.step.child.keys.Find(r.m[i : i+int(n)]); at >= 0 {
				value = op.wanted[at]
			}
		}
		i += int(n)
	}
	return r.read(value, i)
}

// emit hands a value to the columns that want it.
func (r *avroReader) emit(step *pathStep, kind jx.Type, text []byte) {
	if step == nil {
		return
	}
	for f := range step.fields {
		r.d.field(&step.fields[f], kind, text)
	}
}

// zigzagLong reads a long at m[i].
func zigzagLong(m []byte, i int) (int64, int) {
	n, next := otlp.Uvarint(m, i)
	return int64(n>>1) ^ -int64(n&1), next
}
