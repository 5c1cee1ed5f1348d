package decode

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/references"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// Confluent decodes records that begin with the id of a schema in a Schema Registry, as
// Confluent's serializers write them: Avro, Protobuf or JSON. A mapping says where the
// parts of a sample are, as in [JSON]; it is compiled for each schema once. One record
// is one sample, and with JSON as many as that has.
//
// Of Avro, a union is what it holds, a map has its keys as fields, enums are their
// symbols and decimals numbers. Of Protobuf, fields have their names or their JSON
// names, those without presence their defaults, enums are names, a map with text as
// keys has them as fields, Timestamps and Durations are numbers of seconds, and
// wrappers are what they hold. Of both, a wanted array is a fault, as in JSON.
//
// A schema is looked up when a record names it that is not known yet, and then kept.
// While the registry cannot be reached, records of schemas that are known are read as
// ever; others are rejected.
type Confluent struct {
	JSON
	fetch   func(ctx context.Context, id int) (*wireSchema, error)
	schemas map[int]*wireSchema
	failed  map[int]failedSchema
	now     func() time.Time
	avro    avroReader
	proto   protoReader
	lacks   string // of the schemas of records since TakeComplaint
}

// wireSchema is a schema compiled against the mapping.
type wireSchema struct {
	kind     sr.SchemaType
	avro     *avroOp
	messages func(index []int) (*protoOp, error)
	count    int    // of messages at the top
	lacks    string // what of the mapping it does not have
}

// failedSchema is one that could not be had, and when it is tried again.
type failedSchema struct {
	err   error
	again time.Time
}

const (
	// maxSchemas bounds the schemas that are kept; beyond, all are looked up anew.
	maxSchemas = 10_000
	// lookUpTimeout bounds how long a record waits for its schema.
	lookUpTimeout = 2 * time.Second
	// tryAgain is how long a schema that could not be had is not asked for.
	tryAgain = 5 * time.Second
)

// NewConfluent returns a decoder that keeps the columns of p.
func NewConfluent(src flyball.Source, p ingest.Projection) (*Confluent, error) {
	mapped, err := NewJSON(src.JSON, p)
	if err != nil {
		return nil, err
	}
	client, err := RegistryClient(src.Registry)
	if err != nil {
		return nil, err
	}
	d := &Confluent{JSON: *mapped, schemas: map[int]*wireSchema{}, failed: map[int]failedSchema{}, now: time.Now}
	d.avro.d, d.proto.d = &d.JSON, &d.JSON
	d.fetch = func(ctx context.Context, id int) (*wireSchema, error) {
		s, err := client.SchemaByID(ctx, id)
		if err != nil {
			return nil, err
		}
		out, err := compileSchema(ctx, client, s, d.root)
		if err == nil {
			out.lacks, err = out.complaint(id, src.JSON, p)
		}
		return out, err
	}
	return d, nil
}

// RegistryClient returns a client of a Schema Registry.
func RegistryClient(r flyball.SchemaRegistry) (*sr.Client, error) {
	opts := []sr.ClientOpt{sr.URLs(r.URL)}
	if r.Username != "" {
		opts = append(opts, sr.BasicAuth(r.Username, r.Password))
	}
	client, err := sr.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("cannot use schema registry %q: %w", r.URL, err)
	}
	return client, nil
}

// compileSchema compiles a schema and what it refers to.
func compileSchema(ctx context.Context, client *sr.Client, s sr.Schema, root *pathNode) (*wireSchema, error) {
	out := &wireSchema{kind: s.Type}
	if s.Type == sr.TypeJSON {
		return out, nil
	}
	imports, texts, err := references.Get(ctx, client, s.References)
	if err != nil {
		return nil, err
	}
	switch s.Type {
	case sr.TypeAvro:
		out.avro, err = compileAvro(s.Schema, texts, root)
		return out, err
	case sr.TypeProtobuf:
		file, err := compileProto(ctx, s.Schema, imports)
		if err != nil {
			return nil, err
		}
		known := map[string]*protoOp{}
		out.count = file.Messages().Len()
		out.messages = func(index []int) (*protoOp, error) {
			key := fmt.Sprint(index)
			if op := known[key]; op != nil {
				return op, nil
			}
			m, err := messageAt(file, index)
			if err != nil {
				return nil, err
			}
			known[key] = compileMessage(m, &pathStep{child: root})
			return known[key], nil
		}
		return out, nil
	}
	return nil, fmt.Errorf("cannot use schema: its type %v is not Avro, Protobuf or JSON", s.Type)
}

// Decode implements [ingest.Decoder].
func (d *Confluent) Decode(value []byte, b *ingest.Builder) error {
	start := b.Len()
	var header sr.ConfluentHeader
	id, rest, err := header.DecodeID(value)
	if err != nil {
		return rows.Malformed(b, start, "the record does not begin with 0 and the id of a schema")
	}
	s, err := d.schema(id)
	if err != nil {
		return &ingest.Rejection{Reason: ingest.ReasonNoSchema, Detail: fmt.Sprintf("schema %d: %v", id, err)}
	}
	if s.lacks != "" {
		d.lacks = s.lacks
	}
	switch {
	case s.kind == sr.TypeJSON:
		return d.JSON.Decode(rest, b)
	case s.avro != nil:
		return d.one(b, func() bool {
			d.avro.m, d.avro.budget = rest, len(rest)+avroBudget
			return d.avro.read(s.avro, 0) == len(rest)
		})
	}
	index, rest, err := header.DecodeIndex(rest, maxSchemaDepth)
	if err != nil {
		return rows.Malformed(b, start, "the indexes of the message do not parse")
	}
	op, err := s.messages(index)
	if err != nil {
		return &ingest.Rejection{Reason: ingest.ReasonNoSchema, Detail: fmt.Sprintf("schema %d: %v", id, err)}
	}
	return d.one(b, func() bool { return d.proto.message(op, rest) })
}

// avroBudget is how many values a record may have beyond its bytes: fields that are
// null, or records without any.
const avroBudget = 10_000

// one reads a record that is one sample.
func (d *Confluent) one(b *ingest.Builder, read func() bool) error {
	start := b.Len()
	d.rows.Begin(b)
	d.begin()
	if !read() {
		return rows.Malformed(b, start, "the record is not what its schema says")
	}
	d.end(b)
	return d.rows.Err()
}

// schema returns the schema with an id.
func (d *Confluent) schema(id int) (*wireSchema, error) {
	if s := d.schemas[id]; s != nil {
		return s, nil
	}
	now := d.now()
	if f, ok := d.failed[id]; ok && now.Before(f.again) {
		return nil, f.err
	}
	if down, ok := d.failed[unreachable]; ok && now.Before(down.again) {
		return nil, down.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookUpTimeout)
	defer cancel()
	s, err := d.fetch(ctx, id)
	if len(d.schemas)+len(d.failed) >= maxSchemas {
		clear(d.schemas)
		clear(d.failed)
	}
	if err == nil {
		d.schemas[id] = s
		delete(d.failed, id)
		return s, nil
	}
	// Without an answer others are not asked for either, so that records do not wait
	// one by one.
	key := id
	if references.Unanswered(err) {
		key = unreachable
	}
	d.failed[key] = failedSchema{err, d.now().Add(tryAgain)}
	return nil, err
}

// unreachable is the id under which it is noted that the registry gives no answer.
const unreachable = -1
