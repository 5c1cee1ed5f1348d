// Package pipeline wires Flyball: it turns a configuration into members of
// consumer groups and runs them. Read this file first.
//
//	telemetry ──▶ aggregate ──▶ panes ──▶ evaluate ──▶ windows, slo, findings
//	                                                        │            │
//	                                          record ◀──────┴── decisions, commands ◀── decide
//
// aggregate, evaluate and decide are stages around pure machines, all driven by
// the same loop (member.go): poll, step, and in one Kafka transaction produce
// what came out, the machine's changed memory, and how far was read. record
// (record.go) copies results to ClickHouse at its own pace, and notify (notify.go)
// tells people.
package pipeline

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest/kafka"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/connect"
	"github.com/flyball-io/flyball/internal/machines"
	"github.com/flyball-io/flyball/internal/notifications"
	"github.com/flyball-io/flyball/internal/pipeline/checkpoint"
	"github.com/flyball-io/flyball/internal/tracing"
	"github.com/flyball-io/flyball/processors/evaluate"
	"github.com/flyball-io/flyball/processors/topology"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// The roles of a process.
const (
	roleAggregate = "aggregate"
	roleEvaluate  = "evaluate"
	roleDecide    = "decide"
	roleRecord    = "record"
	roleNotify    = notifications.Role
)

// Roles lists every role.
func Roles() []string {
	return []string{roleAggregate, roleEvaluate, roleDecide, roleRecord, roleNotify}
}

// Options says what to run.
type Options struct {
	// Config is the configuration.
	Config *config.Config
	// Roles to run; empty means all.
	Roles []string
	// Log takes what happens.
	Log *slog.Logger
	// Metrics take the numbers.
	Metrics *Metrics
	// Kafka holds further options of every Kafka client.
	Kafka []kgo.Opt
	// Health, when set, is told how the members are.
	Health *Health
	// Trace, when set, makes traces.
	Trace *tracing.Tracer
}

// pipeline is what the roles share.
type pipeline struct {
	Options
	cfg      *config.Config
	topics   sinkkafka.Topics
	emit     *emitter
	instance string // differs in every start
}

// evaluateInterval is how long evaluate gathers panes for one transaction.
const evaluateInterval = 100 * time.Millisecond

// decideInterval is how long decide gathers findings for one transaction.
const decideInterval = 20 * time.Millisecond

// Run runs until the context ends, then drains, commits and leaves the groups.
func Run(ctx context.Context, o Options) error {
	p, err := newPipeline(o)
	if err != nil {
		return err
	}
	if err := p.awaitTopics(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	start := map[string]func(context.Context, *errgroup.Group) error{
		roleAggregate: p.aggregate, roleEvaluate: p.evaluate, roleDecide: p.decide, roleRecord: p.record, roleNotify: p.notify,
	}
	for _, role := range Roles() {
		if len(o.Roles) > 0 && !slices.Contains(o.Roles, role) {
			continue
		}
		if err := start[role](ctx, group); err != nil {
			cancel()
			return errors.Join(err, group.Wait())
		}
	}
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func newPipeline(o Options) (*pipeline, error) {
	for _, r := range o.Roles {
		if !slices.Contains(Roles(), r) {
			return nil, fmt.Errorf("cannot run role %q: the roles are %v", r, Roles())
		}
	}
	id := make([]byte, 6)
	if _, err := rand.Read(id); err != nil {
		return nil, fmt.Errorf("cannot make an instance id: %w", err)
	}
	p := &pipeline{Options: o, cfg: o.Config, instance: hex.EncodeToString(id)}
	security, err := connect.Kafka(p.cfg.Pipeline.Kafka)
	if err != nil {
		return nil, err
	}
	p.Kafka = slices.Concat(security, p.Kafka)
	p.topics = sinkkafka.Topics{Prefix: p.cfg.Pipeline.Kafka.TopicPrefix}
	p.Kafka = append(p.Kafka, o.Trace.Client(p.topics)...)
	p.emit, err = newEmitter(p.cfg, p.topics, o.Metrics)
	return p, err
}

// clientOptions are those of clients that are no group members.
func (p *pipeline) clientOptions() []kgo.Opt {
	return append([]kgo.Opt{
		kgo.SeedBrokers(p.cfg.Pipeline.Kafka.Brokers...), kgo.ClientID(p.cfg.Pipeline.Kafka.ClientID),
	}, p.Kafka...)
}

// member returns a group member; group and number tell members apart.
func (p *pipeline) member(role, group string, number int, topics []string) *member {
	name := fmt.Sprintf("%s-%d", group, number)
	p.Health.update(role, name, func(*MemberHealth) {})
	return &member{
		role: role, name: name, health: p.Health, metrics: p.Metrics, trace: p.Trace, log: p.Log, interval: time.Duration(p.cfg.Pipeline.CommitInterval), maxPoll: 2000,
		join: kafka.Config{
			Brokers: p.cfg.Pipeline.Kafka.Brokers, ClientID: p.cfg.Pipeline.Kafka.ClientID + "-" + role,
			Group: p.cfg.Pipeline.Kafka.Group + "-" + group, Topics: topics,
			TransactionalID:    fmt.Sprintf("%s-%s-%s-%d", p.cfg.Pipeline.Kafka.Group, group, p.instance, number),
			TransactionTimeout: time.Duration(p.cfg.Pipeline.Kafka.SessionTimeout),
			Partitioner:        p.emit.partitioner(),
			Options:            p.Kafka,
		},
	}
}

// aggregate starts several members per source, because one client decodes
// fetches on one core.
func (p *pipeline) aggregate(ctx context.Context, g *errgroup.Group) error {
	workers := p.cfg.Pipeline.Workers
	if workers == 0 {
		workers = runtime.NumCPU()
	}
	for _, src := range p.cfg.Sources {
		indicators := machines.IndicatorsOf(p.cfg, src.Name)
		if len(indicators)+len(src.Changes) == 0 {
			p.Log.Warn("source has no indicator; it is not read", "source", src.Name)
			continue
		}
		for n := range workers {
			m := p.member(roleAggregate, "aggregate-"+src.Name, n, src.Topics)
			m.always, m.dead = true, p.emit.deadBatch
			m.join.Options = append(slices.Clip(m.join.Options), kafka.RecycledFetches()...)
			m.newStage = func(s *kafka.Session) (stage, error) {
				return newAggregateStage(src, indicators, p.cfg.Pipeline.Limits, int32(p.cfg.Pipeline.Partitions.Panes), s, p.emit, p.Metrics)
			}
			g.Go(func() error { return m.run(ctx) })
		}
	}
	return nil
}

func (p *pipeline) evaluate(ctx context.Context, g *errgroup.Group) error {
	m := p.member(roleEvaluate, roleEvaluate, 0, []string{p.topics.Panes()})
	m.interval = evaluateInterval
	if len(p.cfg.Canaries) > 0 { // requests about an entity go to who has its panes
		m.join.Topics, m.join.Together = append(m.join.Topics, p.topics.Canaries()), true
	}
	m.newStage = func(*kafka.Session) (stage, error) {
		return &evaluateStage{
			cfg:   machines.Evaluate(p.cfg),
			topic: p.topics.Panes(), canaries: p.topics.Canaries(), readState: p.readState, emit: p.emit, metrics: p.Metrics, log: p.Log,
			machines: map[int32]*evaluate.Machine{}, heads: map[int32]int64{}, inputs: map[int32]*evaluate.Input{},
			progress: map[int32]flyball.Time{}, telling: map[int32]flyball.Time{}, learners: map[int32]*topology.Learner{}, partitions: p.told(),
			sizes: checkpoint.NewSizes(roleEvaluate, p.Metrics.stateKeys, p.Metrics.stateBytes),
		}, nil
	}
	g.Go(func() error { return m.run(ctx) })
	return nil
}

// told is how many partitions of panes tell decide their watermarks: none without
// rules.
func (p *pipeline) told() int32 {
	if len(p.cfg.Rules) == 0 {
		return 0
	}
	return int32(p.cfg.Pipeline.Partitions.Panes)
}

func (p *pipeline) decide(ctx context.Context, g *errgroup.Group) error {
	cfg, err := machines.Decide(p.cfg)
	if err != nil {
		return err
	}
	m := p.member(roleDecide, roleDecide, 0, []string{p.topics.Findings(), p.topics.Outcomes(), p.topics.Control()})
	m.interval = decideInterval
	m.join.Together = true
	m.newStage = func(*kafka.Session) (stage, error) {
		return &decideStage{cfg: cfg, readState: p.readState, emit: p.emit, metrics: p.Metrics, log: p.Log, sizes: checkpoint.NewSizes(roleDecide, p.Metrics.stateKeys, p.Metrics.stateBytes)}, nil
	}
	g.Go(func() error { return m.run(ctx) })
	return nil
}

func (p *pipeline) readState(ctx context.Context, partition int32, prefix string) (map[string][]byte, error) {
	return checkpoint.ReadState(ctx, p.clientOptions(), p.topics.State(), partition, prefix)
}

// record starts the copy to ClickHouse, if there is one.
func (p *pipeline) record(ctx context.Context, g *errgroup.Group) error {
	if p.cfg.Pipeline.ClickHouse.DSN == "" {
		p.Log.Warn("no clickhouse.dsn is configured; nothing is recorded")
		return nil
	}
	db, err := connect.ClickHouse(p.cfg.Pipeline.ClickHouse)
	if err != nil {
		return err
	}
	topics := p.recordTopics()
	p.Health.update(roleRecord, roleRecord, func(*MemberHealth) {})
	given := func(n int) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, changed map[string][]int32) {
			p.Health.update(roleRecord, roleRecord, func(h *MemberHealth) {
				h.Joined = true
				for topic, list := range changed {
					h.Partitions += n * len(list)
					for _, partition := range list {
						p.Metrics.gone(roleRecord, topic, partition)
					}
				}
			})
		}
	}
	client, err := kgo.NewClient(append(p.clientOptions(),
		kgo.ConsumerGroup(p.cfg.Pipeline.Kafka.Group+"-"+roleRecord),
		kgo.ConsumeTopics(names(topics)...),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(given(1)), kgo.OnPartitionsRevoked(given(-1)), kgo.OnPartitionsLost(given(-1)),
		kgo.ProducerBatchMaxBytes(sinkkafka.MaxMessageBytes), // of dead letters
	)...)
	if err != nil {
		return fmt.Errorf("cannot join group %q: %w", roleRecord, err)
	}
	r := &recorder{health: p.Health, client: client, writer: db.Writer(), topics: topics, names: p.topics, metrics: p.Metrics, log: p.Log}
	g.Go(func() error {
		defer db.Close()
		if err := r.prepare(ctx, db); err != nil {
			client.CloseAllowingRebalance()
			return err
		}
		return r.run(ctx)
	})
	return nil
}
