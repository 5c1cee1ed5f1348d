package survey

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
)

// Unframe takes the frames off records that begin with the id of a schema, and gives back
// their values as JSON, by the schemas of a registry. Protobuf cannot be told without its
// code: it is an error that says so.
func Unframe(ctx context.Context, registry *sr.Client, records []*kgo.Record) ([]*kgo.Record, error) {
	schemas := map[int]func([]byte) ([]byte, error){}
	var header sr.ConfluentHeader
	var out []*kgo.Record
	for _, r := range records {
		if Recognise(r).Name != "confluent" {
			continue
		}
		id, message, err := header.DecodeID(r.Value)
		if err != nil {
			continue
		}
		if schemas[id] == nil {
			if schemas[id], err = reader(ctx, registry, id); err != nil {
				return nil, err
			}
		}
		value, err := schemas[id](message)
		if err != nil {
			continue // the decoder says what is wrong with it
		}
		out = append(out, &kgo.Record{Value: value})
	}
	return out, nil
}

func reader(ctx context.Context, registry *sr.Client, id int) (func([]byte) ([]byte, error), error) {
	s, err := registry.SchemaByID(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("cannot get schema %d from the registry: %w", id, err)
	}
	switch {
	case s.Type == sr.TypeJSON:
		return func(m []byte) ([]byte, error) { return m, nil }, nil
	case s.Type == sr.TypeAvro && len(s.References) == 0:
		schema, err := avro.Parse(s.Schema)
		if err != nil {
			return nil, fmt.Errorf("cannot read schema %d: %w", id, err)
		}
		return func(m []byte) ([]byte, error) {
			var v any
			if _, err := schema.Decode(m, &v); err != nil {
				return nil, err
			}
			text, err := schema.EncodeJSON(v)
			if err != nil {
				return nil, err
			}
			return text, check(text)
		}, nil
	}
	return nil, fmt.Errorf("cannot propose a mapping for schema %d: it is %v, and only JSON and Avro without references can be looked into; write it by hand: docs/formats/confluent.md", id, s.Type)
}

func check(text []byte) error {
	var o map[string]any
	return json.Unmarshal(text, &o)
}
