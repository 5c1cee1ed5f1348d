package replay

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/loadgen"
	"github.com/flyball-io/flyball/internal/pipeline"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// broker starts Kafka and sends it the telemetry of a shop.
func broker(t *testing.T) (addrs []string, client *kgo.Client) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	load := shopLoad()
	load.Kafka.Brokers, load.Kafka.Replication = cluster.ListenAddrs(), 1
	if _, err := loadgen.Run(t.Context(), load, nil); err != nil {
		t.Fatal(err)
	}
	client, err = kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("flyball.decisions"),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return cluster.ListenAddrs(), client
}

// live runs the pipeline until it has made so many decisions, and returns them in the
// order of their times.
func live(t *testing.T, cfg *config.Config, client *kgo.Client, n int) (out []flyball.Decision) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	done := make(chan error, 1)
	go func() {
		done <- pipeline.Run(ctx, pipeline.Options{Config: cfg, Roles: []string{"aggregate", "evaluate", "decide"},
			Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Metrics: pipeline.NewMetrics(prometheus.NewRegistry())})
	}()
	for len(out) < n && ctx.Err() == nil {
		client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			d, err := sinkkafka.DecodeDecision(r)
			if err != nil {
				t.Error(err)
			}
			out = append(out, d)
		})
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(out, func(a, b flyball.Decision) int { return compareTime(a.At, b.At) })
	return out
}

// What a running Flyball decided is what a replay says of the same topics and of the same
// telemetry in files, and nothing shows that it was there.
func TestSameAsLive(t *testing.T) {
	addrs, client := broker(t)
	cfg := load(t, "  commitInterval", fmt.Sprintf("  kafka: {brokers: [%q]}\n  commitInterval", addrs[0]), "idleTimeout: 5s", "idleTimeout: 1s")
	c := during(cfg)
	c.Outcomes = AssumeNone
	files := fromFiles(t, c, record(t, shopLoad()))
	if len(files.decisions) < 2 {
		t.Fatalf("%q", verbs(files.decisions))
	}
	want := live(t, cfg, client, len(files.decisions))
	if diff := cmp.Diff(want, files.decisions); diff != "" {
		t.Errorf("from files: %s", diff)
	}

	admin := kadm.NewClient(client)
	before := state(t, admin)
	feed, err := OpenSources(t.Context(), cfg, flyball.TimeOf(time.Now().Add(-time.Hour)), flyball.NoTime, kgo.SeedBrokers(addrs...))
	if err != nil {
		t.Fatal(err)
	}
	defer feed.Close()
	got := over(t, c, feed)
	if diff := cmp.Diff(want, got.decisions); diff != "" {
		t.Errorf("from Kafka: %s", diff)
	}
	if got.summary.Samples != files.summary.Samples || feed.Share() != 1 {
		t.Errorf("%d samples of %d, share %v", got.summary.Samples, files.summary.Samples, feed.Share())
	}
	if diff := cmp.Diff(before, state(t, admin)); diff != "" {
		t.Errorf("a replay leaves traces: %s", diff)
	}

	// Before the first record there is nothing.
	none, err := OpenSources(t.Context(), cfg, flyball.TimeOf(began), flyball.TimeOf(began.Add(time.Hour)), kgo.SeedBrokers(addrs...))
	if err != nil {
		t.Fatal(err)
	}
	defer none.Close()
	if r := over(t, c, none); r.summary.Records > 0 {
		t.Errorf("%d records came before there were any", r.summary.Records)
	}
}

// state is what of a broker a reader must not change: groups, what they committed, and
// the ends of topics.
func state(t *testing.T, admin *kadm.Client) string {
	t.Helper()
	groups, err := admin.ListGroups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ends, err := admin.ListEndOffsets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lines := groups.Groups()
	ends.Each(func(o kadm.ListedOffset) { lines = append(lines, fmt.Sprint(o.Topic, o.Partition, o.Offset)) })
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// A topic that is not there is said, and not made.
func TestTopicThatIsNotThere(t *testing.T) {
	addrs, _ := broker(t)
	cfg := load(t, "topics: [otlp_spans]", "topics: [otlp_spans, missing]")
	_, err := OpenSources(t.Context(), cfg, flyball.NoTime, flyball.NoTime, kgo.SeedBrokers(addrs...))
	if err == nil || !strings.Contains(err.Error(), "cannot list the offsets") {
		t.Error(err)
	}
}

// Recorded outcomes and controls are obeyed when they were said.
func TestRecordedOutcomes(t *testing.T) {
	addrs, client := broker(t)
	cfg := load(t)
	topics := sinkkafka.Topics{Prefix: cfg.Pipeline.Kafka.TopicPrefix}
	if _, err := kadm.NewClient(client).CreateTopics(t.Context(), 1, 1, nil, topics.Outcomes(), topics.Control()); err != nil {
		t.Fatal(err)
	}
	c := during(cfg)
	c.Outcomes = AssumeNone
	dir := record(t, shopLoad())
	act := fromFiles(t, c, dir).decisions[0]
	said := act.At.Add(20 * time.Second)
	e := sinkkafka.Encoder{Topics: topics}
	outcome, err := e.Outcome(&flyball.Outcome{ID: "x", Class: flyball.OutcomePermanent, Command: act.Command, Target: act.Target, At: said,
		OperationID: act.Operation, Attempt: 1, Started: said, Finished: said, Reason: "NOT_FOUND"})
	if err != nil {
		t.Fatal(err)
	}
	kill, err := e.Control(&flyball.Control{ID: "k", Kind: flyball.ControlKill, At: said, Who: "ann", Why: "enough", Scope: flyball.Scope{Kind: flyball.ScopeGlobal}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*kgo.Record{outcome, kill, {Topic: topics.Control(), Value: []byte("nonsense")}} {
		r.Timestamp = said.Std()
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	c.Outcomes = Recorded
	c.Said, c.Unreadable, err = ReadSaid(t.Context(), topics, act.At, flyball.NoTime, kgo.SeedBrokers(addrs...))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Said) != 2 || c.Unreadable != 1 {
		t.Fatalf("%d were said, %d could not be read", len(c.Said), c.Unreadable)
	}
	got := fromFiles(t, c, dir)
	var course []string
	for _, d := range got.decisions[:3] {
		course = append(course, string(d.Verb))
	}
	if diff := cmp.Diff([]string{"act", "control", "failed"}, course); diff != "" {
		t.Error(diff)
	}
	if got.summary.Refusals["kill_switch"] == 0 {
		t.Errorf("%+v", got.summary)
	}
}

// Partitions that are far apart in time are merged in order: those ahead wait.
func TestPartitionsFarApart(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "far"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic("far"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	const each = 3 * manyWaiting
	var records []*kgo.Record
	for p := range 2 { // the third has none
		for i := range each {
			at := began.Add(time.Duration(p*each+i) * time.Second)
			records = append(records, &kgo.Record{Partition: int32(1 - p), Timestamp: at, Value: []byte("x")})
		}
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	from, to := flyball.TimeOf(began.Add(time.Second)), flyball.TimeOf(began.Add((2*each-1)*time.Second))
	r, err := openRanges(t.Context(), []string{"far"}, from, to, []kgo.Opt{kgo.SeedBrokers(cluster.ListenAddrs()...)})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if n := len(r.Partitions()); n != 3 {
		t.Errorf("%d partitions", n)
	}
	for want := from; want < to; want = want.Add(time.Second) {
		rec, err := r.Next(t.Context())
		if err != nil || rec.At != want {
			t.Fatalf("got %v, %v, want the record of %s", rec, err, want)
		}
	}
	if _, err := r.Next(t.Context()); err != io.EOF {
		t.Errorf("after the last: %v", err)
	}
}
