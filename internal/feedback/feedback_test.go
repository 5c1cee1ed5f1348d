package feedback

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// A label goes to evaluate, to the partition of its entity, and to ClickHouse.
func TestSend(t *testing.T) {
	topics := sinkkafka.Topics{Prefix: "x."}
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(5, topics.Panes()), kfake.SeedTopics(1, topics.Findings(), topics.Labels()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	brokers := kgo.SeedBrokers(c.ListenAddrs()...)
	client, err := kgo.NewClient(brokers, kgo.ConsumeTopics(topics.Panes(), topics.Labels()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, id := range []string{"other", "f1"} {
		r, err := (&sinkkafka.Encoder{Topics: topics, Source: "/t"}).Finding(&flyball.Finding{ID: id, Revision: 1, Kind: "anomaly", State: flyball.FindingOpened, Entity: "cart", Summary: "it is " + id,
			At: flyball.Time(time.Second), OpenedAt: flyball.Time(time.Second)})
		if err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Send(t.Context(), topics, flyball.FindingLabel{Finding: "none", Verdict: flyball.LabelNoise}, brokers); err == nil || !strings.Contains(err.Error(), `cannot find finding "none"`) {
		t.Errorf("got %v", err)
	}
	said := flyball.FindingLabel{Finding: "f1", Verdict: flyball.LabelNoise, By: "ann", At: flyball.Time(time.Minute)}
	f, err := Send(t.Context(), topics, said, brokers)
	if err != nil || f.Summary != "it is f1" {
		t.Fatalf("got %q, %v", f.Summary, err)
	}
	said.Entity = "cart"
	for seen := 0; seen < 2; {
		fetches := client.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			seen++
			if r.Topic == topics.Labels() {
				if l, err := sinkkafka.DecodeLabel(r); err != nil || l != said {
					t.Errorf("to ClickHouse went %+v, %v", l, err)
				}
				return
			}
			if l, err := sinkkafka.LabelOf(r); err != nil || l == nil || *l != said || r.Partition != processors.PartitionOf("cart", 5) {
				t.Errorf("to partition %d went %+v, %v", r.Partition, l, err)
			}
		})
	}
}
