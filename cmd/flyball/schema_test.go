package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
)

// TestSchemaCheck: a schema that has lost a field is an error of lint, one that the
// registry does not give an error of running.
func TestSchemaCheck(t *testing.T) {
	r := srfake.New()
	defer r.Close()
	order := func(fields string) sr.Schema {
		return sr.Schema{Type: sr.TypeAvro, Schema: `{"type":"record","name":"Order","fields":[{"name":"at","type":"long"}` + fields + `]}`}
	}
	dir := t.TempDir()
	text := fmt.Sprintf(`apiVersion: flyball.dev/v1
kind: Source
metadata: {name: orders}
spec:
  topics: [orders]
  format: confluent
  registry: {url: %q}
  json: {timestamp: at, labels: {service.name: app}, values: {took: {path: took.ms}}}
---
apiVersion: flyball.dev/v1
kind: Indicator
metadata: {name: orders}
spec: {source: orders, value: took}
`, r.URL())
	if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	f := func(wantCode int, want string, args ...string) {
		t.Helper()
		out, talk, code := flyballCommand(t, "", append([]string{"schema", "check", "--config", dir}, args...)...)
		if diff := cmp.Diff(want, out); diff != "" || code != wantCode {
			t.Errorf("%v: exit %d, want %d: %s (−want +got):\n%s", args, code, wantCode, talk, diff)
		}
	}
	f(exitError, "")
	r.SeedSchema("orders-value", 1, 7, order(`,{"name":"app","type":"string"},{"name":"took","type":{"type":"map","values":"double"}}`))
	f(exitOK, "source orders: orders-value version 1 (id 7, AVRO): ok\n")
	r.SeedSchema("orders-value", 2, 8, order(`,{"name":"application","type":"string"}`))
	const lost = "source orders: orders-value version 2 (id 8, AVRO): label \"service.name\": there is no field \"app\"\n" +
		"source orders: orders-value version 2 (id 8, AVRO): value \"took\": there is no field \"took.ms\"\n"
	f(exitLint, lost)
	f(exitLint, "source orders: orders-value version 1 (id 7, AVRO): ok\n"+lost, "--all")
	r.SeedSchema("other", 1, 9, sr.Schema{Type: sr.TypeProtobuf, Schema: `syntax = "proto3"; import "gone.proto";`})
	_, _, code := flyballCommand(t, "", "schema", "check", "--config", dir, "--subject", "other")
	if code != exitLint {
		t.Errorf("exit %d for a schema that does not compile", code)
	}
}
