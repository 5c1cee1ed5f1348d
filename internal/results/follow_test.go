package results

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/remediation/memory"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

var topics = sinkkafka.Topics{Prefix: "flyball."}

// broker starts one with the topics, and returns a configuration that names it.
func broker(t *testing.T) (*config.Config, *kgo.Client) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, topics.Findings(), topics.Outcomes()),
		kfake.SeedTopics(2, topics.Decisions(), topics.Commands(), topics.SLO(), topics.State()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	cfg := &config.Config{Pipeline: config.DefaultPipeline()}
	cfg.Pipeline.Kafka.Brokers = cluster.ListenAddrs()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID("test"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return cfg, client
}

// commit writes records in one transaction, as the roles do.
func commit(t *testing.T, client *kgo.Client, how kgo.TransactionEndTry, records ...*kgo.Record) {
	t.Helper()
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := client.EndTransaction(t.Context(), how); err != nil {
		t.Fatal(err)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func status() processors.SLORow {
	return processors.SLORow{SLO: "availability", Entity: "cart", Labels: `{"service.name":"cart"}`, At: at(60), Total: 100, Bad: 3, SLI: 0.97, Target: 0.99,
		BudgetConsumed: 3, Tiers: []string{"page_fast", "page_slow"}, BurnLong: []float64{3, math.NaN()}, BurnShort: []float64{4, 1}, Firing: []string{"page_fast"},
		Complete: true, Revision: "r", State: "EXHAUSTED", PeriodStart: at(0), PeriodEnd: at(600), ExcludedTotal: 2, ExcludedBad: 1, Suppressed: []string{"page_slow: quiet"},
		Exhausts1h: 1, Exhausts6h: math.NaN(), Exhausts3d: 3, ExhaustsTrend: 4, ExhaustsEarliest: 5, ExhaustsLatest: math.NaN(), SLIHighest: 0.98}
}

func TestFollow(t *testing.T) {
	cfg, client := broker(t)
	event := sinkkafka.Encoder{Topics: topics}
	f := flyball.Finding{ID: "f", Revision: 1, State: flyball.FindingOpened, At: at(1), OpenedAt: at(1), Entity: "cart", Kind: "anomaly", Severity: "page"}
	d := flyball.Decision{ID: "d", At: at(2), Verb: flyball.VerbAct, Finding: "f", Operation: "o", Command: "c"}
	c := flyball.Command{ID: "c", At: at(2), OperationID: "o", Attempt: 1, Target: "deploy/cart", Deadline: at(300), Decision: "d"}
	o := flyball.Outcome{OperationID: "o", Attempt: 1, Target: "deploy/cart", At: at(3), Class: flyball.OutcomeSucceeded, Command: "c", Started: at(2), Finished: at(3)}
	var slo processors.SLOStatus
	slo.Append(status())
	m := memory.New(nil)
	m.Controls.Set(memory.Control{Kind: flyball.ControlKill, ID: "k", At: at(0), Control: flyball.Control{Who: "ann", Why: "x", Scope: flyball.Scope{Kind: "global"}}})
	records := []*kgo.Record{must[*kgo.Record](t)(event.Finding(&f)), must[*kgo.Record](t)(event.Decision(&d)), must[*kgo.Record](t)(event.Command(&c)),
		must[*kgo.Record](t)(event.Outcome(&o)), {Topic: topics.SLO(), Partition: 1, Value: slo.Encode()}, {Topic: topics.State(), Key: []byte("evaluate/x"), Value: []byte("y")},
		{Topic: topics.Findings(), Value: []byte("no finding")}}
	for _, s := range m.Changes() {
		records = append(records, &kgo.Record{Topic: topics.State(), Key: []byte(s.Key), Value: s.Value})
	}
	commit(t, client, kgo.TryCommit, records...)
	lost := d
	lost.ID = "aborted"
	commit(t, client, kgo.TryAbort, must[*kgo.Record](t)(event.Decision(&lost)))

	follower, err := Follow(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- follower.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	wait, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	s, err := follower.Store(wait)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := s.Finding("f"); !ok || got.Entity != "cart" {
		t.Errorf("finding %+v", got)
	}
	if got := s.About("o"); len(got) != 1 || got[0].ID != "d" || len(s.About("c")) != 1 || len(s.About("aborted")) != 0 {
		t.Errorf("decisions %+v", got)
	}
	if got := s.Commands(All(10)).Items; len(got) != 1 || got[0].State() != "succeeded" {
		t.Errorf("commands %+v", got)
	}
	if got := s.Budgets(All(10)).Items; len(got) != 1 || !cmp.Equal(got[0], status(), cmpopts.EquateNaNs()) {
		t.Errorf("status %s", cmp.Diff(got, []processors.SLORow{status()}, cmpopts.EquateNaNs()))
	}
	if got := s.Force(at(0)); len(got.Holds) != 1 {
		t.Errorf("in force %+v", got)
	}
	d.ID, d.At = "d2", at(9)
	commit(t, client, kgo.TryCommit, must[*kgo.Record](t)(event.Decision(&d)))
	for len(s.About("o")) < 2 { // it goes on following
		if wait.Err() != nil {
			t.Fatal("what came later is not there")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestFollowSaysWhyNot(t *testing.T) {
	cfg := &config.Config{Pipeline: config.DefaultPipeline()}
	cfg.Pipeline.Kafka.Brokers = []string{"127.0.0.1:1"}
	follower, err := Follow(cfg, slog.New(slog.DiscardHandler), kgo.RetryTimeout(time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- follower.Run(ctx) }()
	for {
		wait, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err := follower.Store(wait)
		stop()
		if err == nil {
			t.Fatal("there is a store without a broker")
		}
		if fmt.Sprint(err) != errWaiting.Error() {
			break // it says what the client says
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
