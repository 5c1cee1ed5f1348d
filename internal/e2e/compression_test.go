package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
)

// Records are read whichever of Kafka's codecs their batch is compressed by.
func TestEveryCompressionIsRead(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	db := embeddedtest.ClickHouse(t)
	topic := b.topic(t, "spans", 1)
	run(t, b.settings(db.DSN()).write(t, spanSource(topic)+getIndicator))
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	for name, codec := range codecs {
		client, err := b.dial(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(codec))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		var list []span
		for i := range 100 {
			list = append(list, span{service: name, name: "get", end: epoch.Add(time.Duration(i) * time.Millisecond), took: time.Millisecond})
		}
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: spans(t, list...)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	b.produce(t, closers(t, topic, 1, epoch.Add(time.Minute))...)
	conn := db.Open(t)
	for name := range codecs {
		await(t, patience, name, func() string {
			if n := count(t, conn, fmt.Sprintf("SELECT toUInt64(sum(samples)) FROM v_windows WHERE entity = '%s'", name)); n != 100 {
				return fmt.Sprintf("%d spans of 100", n)
			}
			return ""
		})
	}
}
