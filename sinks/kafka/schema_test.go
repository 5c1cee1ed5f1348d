package kafka

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/twmb/franz-go/pkg/kgo"
)

// schemaFile is the schema of a record's data.
func schemaFile(r *kgo.Record) string {
	name := strings.Split(strings.TrimPrefix(Header(r, HeaderType), "dev.flyball."), ".")[0]
	return filepath.Join("..", "..", "docs", "schema", name+".v1.json")
}

func compileSchema(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func parse(t *testing.T, data []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestRecordsMatchTheirSchemas(t *testing.T) {
	for _, r := range exampleRecords(t) {
		if err := compileSchema(t, schemaFile(r)).Validate(parse(t, r.Value)); err != nil {
			t.Errorf("%s %s: %v", Header(r, HeaderType), r.Value, err)
		}
	}
}

// TestSchemasDescribeEveryField finds fields that are written and not described.
func TestSchemasDescribeEveryField(t *testing.T) {
	for _, r := range exampleRecords(t) {
		file := schemaFile(r)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var schema map[string]any
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatal(err)
		}
		described(t, file, schema, schema, parse(t, r.Value))
	}
}

// described walks a value along its schema.
func described(t *testing.T, path string, root, schema map[string]any, value any) {
	t.Helper()
	if ref, ok := schema["$ref"].(string); ok {
		schema = root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	switch value := value.(type) {
	case map[string]any:
		if _, ok := schema["additionalProperties"]; ok {
			return // a map by name
		}
		properties, _ := schema["properties"].(map[string]any)
		for k, v := range value {
			p, ok := properties[k].(map[string]any)
			if !ok {
				t.Errorf("%s: field %q is not described", path, k)
				continue
			}
			described(t, path+"."+k, root, p, v)
		}
	case []any:
		for _, v := range value {
			described(t, path, root, schema["items"].(map[string]any), v)
		}
	}
}

func TestSchemasRefuse(t *testing.T) {
	f := func(r *kgo.Record, old, new string) {
		t.Helper()
		changed := strings.Replace(string(r.Value), old, new, 1)
		if changed == string(r.Value) {
			t.Fatalf("%s is not in %s", old, r.Value)
		}
		if compileSchema(t, schemaFile(r)).Validate(parse(t, []byte(changed))) == nil {
			t.Errorf("%s passes", changed)
		}
	}
	e := exampleEncoder(t)
	finding, decision, command := must(t)(e.Finding(exampleFinding())), must(t)(e.Decision(exampleDecision())), must(t)(e.Command(exampleCommand()))
	f(finding, `"state":"updated"`, `"state":"odd"`)
	f(finding, `"revision":2`, `"revision":0`)
	f(finding, `"value":20.5`, `"value":"20.5"`)
	f(finding, `"id":"f-1",`, ``)
	f(finding, `"service":"checkout"`, `"service":1`)
	f(finding, `"at":"2026-01-01`, `"at":"2026-13-01`)
	f(decision, `"verb":"act"`, `"verb":"observe"`) // names a command that it did not send
	f(decision, `,"command":"c-1"`, ``)
	f(decision, `"pass":true`, `"pass":"yes"`)
	f(command, `"target":"deploy/checkout"`, `"target":""`)
	f(command, `"attempt":1`, `"attempt":0`)
	f(command, `"deadline":"2026-01-01T00:02:00.25Z"`, `"deadline":"soon"`)
}
