package e2e

import (
	endian "encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

const (
	orderSchema   = `{"type":"record","name":"Order","fields":[{"name":"at","type":"long"},{"name":"app","type":"string"}]}`
	renamedSchema = `{"type":"record","name":"Order","fields":[{"name":"at","type":"long"},{"name":"application","type":"string"}]}`
)

// A producer's new schema that has lost a field makes a finding about the source, and
// costs nothing but that field; with the registry away what is known is read on.
func TestSchemasThatDoNotFit(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	db := embeddedtest.ClickHouse(t)
	registry := srfake.New()
	defer registry.Close()
	registry.SeedSchema("orders-value", 1, 1, sr.Schema{Schema: orderSchema, Type: sr.TypeAvro})
	registry.SeedSchema("orders-value", 2, 2, sr.Schema{Schema: renamedSchema, Type: sr.TypeAvro})
	topic := b.topic(t, "orders", 1)
	source := fmt.Sprintf(`apiVersion: flyball.dev/v1
kind: Source
metadata: {name: orders}
spec:
  topics: [%s]
  format: confluent
  idleTimeout: 1s
  registry: {url: %q}
  json: {timestamp: at, timestampFormat: unix_ms, labels: {service.name: app}}
---
apiVersion: flyball.dev/v1
kind: Indicator
metadata: {name: orders}
spec: {source: orders, pane: 1s, window: 5s}
`, topic, registry.URL())
	p := run(t, b.settings(db.DSN()).write(t, source))
	second := 0
	send := func(id uint32, schema, field string) {
		t.Helper()
		body, err := avro.MustParse(schema).Encode(map[string]any{"at": epoch.Add(time.Duration(second) * time.Second).UnixMilli(), field: "cart"})
		if err != nil {
			t.Fatal(err)
		}
		second++
		b.produce(t, &kgo.Record{Topic: topic, Value: append(endian.BigEndian.AppendUint32([]byte{0}, id), body...)})
	}
	counted := func(entity string, want int) {
		t.Helper()
		conn := db.Open(t)
		await(t, patience, fmt.Sprintf("windows of %q", entity), func() string {
			if n := count(t, conn, fmt.Sprintf("SELECT toUInt64(sum(samples)) FROM v_windows WHERE entity = '%s'", entity)); n < want {
				return fmt.Sprintf("%d of %d samples", n, want)
			}
			return ""
		})
	}
	for range 15 {
		send(1, orderSchema, "app")
	}
	counted("cart", 5)
	for range 15 {
		send(2, renamedSchema, "application")
	}
	counted("", 5)
	registry.Close()
	for range 15 {
		send(1, orderSchema, "app")
	}
	counted("cart", 20)
	p.stop()
	var found []string
	for _, r := range b.read(t, b.names().Findings()) {
		f, err := sinkkafka.DecodeFinding(r)
		if err == nil && f.Detector == "schema" && f.State == flyball.FindingOpened {
			found = append(found, f.Kind+" "+f.Entity+": "+f.Summary)
		}
	}
	if len(found) != 1 || !strings.HasPrefix(found[0], "flyball orders: ") || !strings.Contains(found[0], `schema 2 lacks what the mapping wants: label "service.name": there is no field "app"`) {
		t.Errorf("findings about the schema: %q", found)
	}
}
