package executor

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/sinks/kafka"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestServe: commands of a topic are obeyed once by two servers, one after the other; the
// second knows from the outcomes what the first has done, although what it had committed
// is lost.
func TestServe(t *testing.T) {
	topics := kafka.Topics{Prefix: "flyball."}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, topics.Commands()), kfake.SeedTopics(1, topics.Outcomes()))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	brokers := []kgo.Opt{kgo.SeedBrokers(cluster.ListenAddrs()...)}
	client, err := kgo.NewClient(brokers...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	b := newBench(t)
	for _, change := range []func(*flyball.Command){
		nil,
		func(c *flyball.Command) { c.ID, c.OperationID, c.Target = "c2", "op2", "deploy/pay" },
		func(c *flyball.Command) { c.ID, c.OperationID, c.Target = "c3", "op3", "db/main" },
	} {
		r := b.command(func(c *flyball.Command) {
			c.Deadline = flyball.TimeOf(time.Now().Add(time.Hour))
			if change != nil {
				change(c)
			}
		})
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topics.Commands(), Value: []byte("no command")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	serve := func(group string, ends int) map[string]string {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		got := map[string]string{}
		seen := make(chan flyball.Outcome)
		done := make(chan error, 1)
		s := Server{Name: group, Config: b.cfg, Topics: topics, Kafka: brokers, Log: slog.New(slog.DiscardHandler),
			Outcome: func(o flyball.Outcome) { seen <- o }}
		go func() { done <- s.Serve(ctx) }()
		for ends > 0 {
			select {
			case o := <-seen:
				if o.Class != flyball.OutcomeAccepted {
					got[o.OperationID] = string(o.Class)
					ends--
				}
			case err := <-done:
				t.Fatalf("it ended with %v", err)
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		return got
	}
	want := map[string]string{"op1": "succeeded", "op2": "succeeded", "op3": "rejected"}
	if diff := cmp.Diff(want, serve("first", 3)); diff != "" || b.action.times != 2 {
		t.Errorf("it ran %d times: %s", b.action.times, diff)
	}
	// Another group begins at the start of the topic, as one would whose offsets are gone.
	again := b.command(func(c *flyball.Command) {
		c.ID, c.OperationID, c.Deadline = "c4", "op4", flyball.TimeOf(time.Now().Add(time.Hour))
	})
	if err := client.ProduceSync(t.Context(), again).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"op4": "succeeded"}, serve("second", 1)); diff != "" || b.action.times != 3 {
		t.Errorf("it ran %d times: %s", b.action.times, diff)
	}
}
