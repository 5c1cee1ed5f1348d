package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/loadgen"
)

// Plan is what is measured.
type Plan struct {
	// Spans of the topic, and how many of them per second of event time.
	Spans int64
	Rate  float64
	// Partitions of the topic.
	Partitions int
	// Engines by name; the first is what others are compared with.
	Engines []string
	// Binary is flyball, Java the folder of the peers built by Maven.
	Binary, Java string
	// Limit is how long an engine runs at most: a slow one is measured on what it has done
	// by then.
	Limit time.Duration
	// Profile is the file for a processor profile of Flyball, if any.
	Profile string
}

func defaultPlan() Plan {
	return Plan{
		Spans: 24_000_000, Rate: 20_000, Limit: 80 * time.Second, Partitions: 8, Engines: []string{"flyball", "kafka_streams", "kafka_streams_folded", "flink", "flink_folded"},
		Binary: "bin/flyball", Java: "benchmarks/peers/java",
	}
}

const (
	inputTopic     = "otlp_spans"
	spansPerRecord = 100
	// startLimit bounds what an engine needs beyond Plan.Limit, to start and to come to rest.
	startLimit = time.Minute
)

// Measured is everything that was seen.
type Measured struct {
	Plan   Plan
	Loaded loadgen.Result
	Runs   []Run
	// Failed says which engines failed, and how.
	Failed error
}

// Run is what was seen of one engine.
type Run struct {
	Name string
	// Points are its progress: what it had committed, and used for it.
	Points []Point
	// Used is the processor time by the end: when there was nothing left to do, or, if
	// that was not to be waited for, at the last point.
	Used time.Duration
	// Part is set when it was stopped before it had read everything.
	Part bool
	// Peak is its largest resident size, in bytes.
	Peak int64
	// Windows it sent, and how they differ from those of the first engine.
	Windows int
	Differ  error
}

// Point is the progress of an engine at a time.
type Point struct {
	At      time.Duration // by the clock, since the start of the process
	CPU     time.Duration // of the engine
	Broker  time.Duration // processor time of the broker
	Records int64         // of the input that are committed
}

// bench is what a measurement works with.
type bench struct {
	plan   Plan
	dir    string
	broker *brokerProcess
	client *kgo.Client
	admin  *kadm.Client
	ends   []int64 // of the input's partitions
	last   time.Time
	talk   io.Writer
}

// measure runs the plan; talk tells how far it is.
func measure(ctx context.Context, plan Plan, talk io.Writer) (m Measured, err error) {
	m.Plan = plan
	for _, name := range plan.Engines {
		if _, ok := engines[name]; !ok {
			return m, fmt.Errorf("cannot find an engine %q", name)
		}
	}
	dir, err := os.MkdirTemp("", "flyball-peers-")
	if err != nil {
		return m, fmt.Errorf("cannot make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{plan: plan, dir: dir, talk: talk}
	if b.broker, err = startBroker(ctx, dir, brokerProcessor); err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, b.broker.stop()) }()
	if b.client, err = kgo.NewClient(kgo.SeedBrokers(b.broker.Addr)); err != nil {
		return m, fmt.Errorf("cannot reach Kafka: %w", err)
	}
	defer b.client.Close()
	b.admin = kadm.NewClient(b.client)
	if m.Loaded, err = b.load(ctx); err != nil {
		return m, err
	}
	var first results
	for _, name := range plan.Engines {
		run, found, err := b.run(ctx, name)
		if err != nil {
			m.Failed = errors.Join(m.Failed, fmt.Errorf("cannot measure %s: %w", name, err))
			if first == nil {
				return m, m.Failed
			}
			continue
		}
		if first == nil {
			first = found
		} else {
			run.Differ = found.equal(first, time.Time{}, b.last.Add(-max(engines[name].open, engines[plan.Engines[0]].open)), run.Part)
		}
		m.Runs = append(m.Runs, run)
	}
	return m, nil
}

// load writes the input.
func (b *bench) load(ctx context.Context) (loadgen.Result, error) {
	fmt.Fprintf(b.talk, "writing %d spans\n", b.plan.Spans)
	c := loadgen.Default()
	c.Topic, c.Partitions, c.BatchSpans, c.MaxSpans, c.Unpaced = inputTopic, b.plan.Partitions, spansPerRecord, b.plan.Spans, true
	c.Shop.Rate = b.plan.Rate
	// In the past, so that no time lies in the future, and from the start of a window on.
	c.Shop.Start = time.Now().Add(-time.Hour - time.Duration(float64(b.plan.Spans)/b.plan.Rate*float64(time.Second))).UTC().Truncate(10 * time.Second)
	c.Kafka.Brokers, c.Kafka.Compression = []string{b.broker.Addr}, "zstd"
	r, err := loadgen.Run(ctx, c, nil)
	if err != nil {
		return r, err
	}
	b.last = r.EventTime
	ends, err := b.admin.ListEndOffsets(ctx, inputTopic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return r, fmt.Errorf("cannot list the ends of the input: %w", err)
	}
	b.ends = make([]int64, b.plan.Partitions)
	ends.Each(func(o kadm.ListedOffset) { b.ends[o.Partition] = o.Offset })
	return r, nil
}

// run measures one engine.
func (b *bench) run(ctx context.Context, name string) (Run, results, error) {
	ctx, cancel := context.WithTimeout(ctx, b.plan.Limit+startLimit)
	defer cancel()
	r, e := Run{Name: name}, engines[name]
	j := job{brokers: b.broker.Addr, input: inputTopic, name: name, dir: filepath.Join(b.dir, name)}
	if err := os.MkdirAll(j.dir, 0o755); err != nil {
		return r, nil, fmt.Errorf("cannot make a folder: %w", err)
	}
	if _, err := b.admin.CreateTopic(ctx, int32(b.plan.Partitions), 1, nil, j.output()); err != nil {
		return r, nil, fmt.Errorf("cannot make the topic of results: %w", err)
	}
	cmd, err := e.command(ctx, b.plan, j)
	if err != nil {
		return r, nil, err
	}
	cmd.Stdout, cmd.Stderr = b.talk, b.talk
	fmt.Fprintf(b.talk, "%s\n", e.title)
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return r, nil, fmt.Errorf("cannot start it: %w", err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	w := watch{bench: b, pid: cmd.Process.Pid, group: e.group(j), start: start, exited: exited}
	if b.plan.Profile != "" && name == "flyball" {
		go profile(ctx, b.plan.Profile, b.talk)
	}
	err = w.follow(ctx, &r)
	cancel() // kills it
	if !w.gone {
		<-exited
	}
	if err != nil {
		return r, nil, err
	}
	found, err := b.results(context.WithoutCancel(ctx), j.output(), e.read)
	r.Windows = len(found)
	return r, found, err
}

// results reads a topic of results to its end, what is committed only.
func (b *bench) results(ctx context.Context, topic string, read func(*kgo.Record, results) error) (results, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	ends, err := b.admin.ListCommittedOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list the ends of topic %q: %w", topic, err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(b.broker.Addr), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		return nil, fmt.Errorf("cannot reach Kafka: %w", err)
	}
	defer client.Close()
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	found := results{}
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, fmt.Errorf("cannot read topic %q: %w", topic, err)
		}
		var failed error
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() && failed == nil {
				failed = read(r, found)
			}
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
		})
		if failed != nil {
			return nil, failed
		}
	}
	return found, nil
}
