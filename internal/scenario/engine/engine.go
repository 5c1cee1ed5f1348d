// Package engine runs the pure machines of Flyball (aggregate, evaluate, decide)
// as internal/pipeline does, on a log in memory and by a clock that is told the
// time. Members of every role own partitions, commit what they read and write in
// one transaction, crash, abort, are rebalanced and restored. What they do is
// the same in every run.
package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/machines"
	"github.com/flyball-io/flyball/internal/scenario/input"
	"github.com/flyball-io/flyball/internal/scenario/memlog"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// Role is what a member does.
type Role string

// The roles.
const (
	Aggregate Role = "aggregate"
	Evaluate  Role = "evaluate"
	Decide    Role = "decide"
	Recorder  Role = "record"
)

// Roles lists every role, in the order in which data passes through them.
func Roles() []Role { return []Role{Aggregate, Evaluate, Decide, Recorder} }

// Config says what to run and how. Nothing of it but Spec, Input and Origin
// changes what comes out.
type Config struct {
	// Spec is the configuration.
	Spec *config.Config
	// Input is what arrives, and when.
	Input *input.Input
	// Origin is the event time and the wall clock at which the run starts.
	Origin flyball.Time
	// Flush is the time between two transactions of a member.
	Flush time.Duration
	// Panes is the number of partitions of the panes topic.
	Panes int32
	// Aggregators is how many members the role aggregate has per source, and
	// Evaluators how many the role evaluate has.
	Aggregators, Evaluators int
	// Batch is how many records evaluate and decide take at most in one
	// transaction; 0 is no limit.
	Batch int
	// Backwards lets the members take their turns in the opposite order.
	Backwards bool
	// Fault, when set, is asked for every transaction what becomes of it.
	Fault func(Attempt) Fault
}

// Attempt is a transaction about to end.
type Attempt struct {
	// Role and Member say whose it is; Source is that of an aggregate member.
	Role   Role
	Source string
	Member int
	// Try counts the attempts since this member's last undisturbed commit, from 0.
	Try int
	// Now is the wall clock.
	Now flyball.Time
}

// Fault is what becomes of a transaction.
type Fault int

// The faults.
const (
	// None commits.
	None Fault = iota
	// Abort takes it back; the member lives on.
	Abort
	// CrashBefore ends the member when everything is written and nothing is
	// committed.
	CrashBefore
	// CrashAfter ends the member when the transaction is committed, before it
	// learns of it.
	CrashAfter
	// Rebalanced takes it back because the partitions of the role get other
	// owners.
	Rebalanced
)

// Engine is one run.
type Engine struct {
	cfg     Config
	log     *memlog.Log
	topics  sinkkafka.Topics
	now     flyball.Time
	members []*member
	arrive  arrivals
	table   *table
	// lagging partitions give nothing to whoever fetches from them, unowned ones
	// have no owner.
	lagging, unowned map[memlog.Partition]bool
	shift            map[Role]int
	seen             map[memlog.Partition]int64 // how far Take has read
	unsaid           []saying                   // wait for what they are about
}

// New prepares a run; nothing has arrived yet.
func New(cfg Config) (*Engine, error) {
	e := &Engine{
		cfg: cfg, log: memlog.New(), topics: sinkkafka.Topics{Prefix: cfg.Spec.Pipeline.Kafka.TopicPrefix},
		now: cfg.Origin, lagging: map[memlog.Partition]bool{}, unowned: map[memlog.Partition]bool{},
		shift: map[Role]int{}, seen: map[memlog.Partition]int64{}, table: newTable(),
	}
	for topic, n := range cfg.Input.Partitions {
		e.log.Grow(topic, n)
	}
	for _, topic := range []string{e.topics.Panes(), e.topics.Windows(), e.topics.SLO(), e.topics.State(), e.topics.Canaries()} {
		e.log.Grow(topic, cfg.Panes)
	}
	for _, topic := range []string{e.topics.Findings(), e.topics.Verdicts(), e.topics.Outcomes(), e.topics.Control(), e.topics.Decisions(), e.topics.Commands(), e.topics.DeadLetters()} {
		e.log.Grow(topic, 1)
	}
	e.arrive = newArrivals(cfg.Input)
	if err := e.enlist(); err != nil {
		return nil, err
	}
	for _, role := range Roles() {
		e.assign(role)
	}
	return e, nil
}

// enlist makes the members of every role.
func (e *Engine) enlist() error {
	group := e.cfg.Spec.Pipeline.Kafka.Group + "-"
	for _, src := range e.cfg.Spec.Sources {
		indicators := machines.IndicatorsOf(e.cfg.Spec, src.Name)
		if len(indicators)+len(src.Changes) == 0 {
			continue
		}
		for n := range e.cfg.Aggregators {
			m := &member{engine: e, role: Aggregate, source: src.Name, number: n, group: group + "aggregate-" + src.Name,
				topics: src.Topics, always: true}
			m.newStage = func() (stage, error) { return newAggregateStage(e, m, src, indicators) }
			e.members = append(e.members, m)
		}
	}
	for n := range e.cfg.Evaluators {
		m := &member{engine: e, role: Evaluate, number: n, group: group + "evaluate", topics: []string{e.topics.Panes(), e.topics.Canaries()}}
		m.newStage = func() (stage, error) { return newEvaluateStage(e), nil }
		e.members = append(e.members, m)
	}
	for n := range 2 { // one stands by
		m := &member{engine: e, role: Decide, number: n, group: group + "decide",
			topics: []string{e.topics.Findings(), e.topics.Outcomes(), e.topics.Control()}}
		m.newStage = func() (stage, error) { return newDecideStage(e) }
		e.members = append(e.members, m)
	}
	m := &member{engine: e, role: Recorder, group: group + "record", topics: recorded(e.topics)}
	m.newStage = func() (stage, error) { return newRecordStage(e), nil }
	e.members = append(e.members, m)
	for _, m := range e.members {
		if err := m.start(); err != nil {
			return err
		}
	}
	return nil
}

// Now returns the wall clock, as time since the origin.
func (e *Engine) Now() time.Duration { return e.now.Sub(e.cfg.Origin) }

// Advance lets time pass: samples arrive, and every member makes a transaction
// whenever a multiple of the flush interval has passed.
func (e *Engine) Advance(d time.Duration) error {
	end := e.Now() + d
	for {
		next := e.Now() - e.Now()%e.cfg.Flush + e.cfg.Flush
		if next > end {
			break
		}
		e.now = e.cfg.Origin.Add(next)
		if err := e.Flush(); err != nil {
			return err
		}
	}
	e.now = e.cfg.Origin.Add(end)
	return nil
}

// Flush lets every member make a transaction now.
func (e *Engine) Flush() error {
	e.deliver()
	for _, role := range Roles() {
		turn := e.of(role)
		if e.cfg.Backwards {
			slices.Reverse(turn)
		}
		for _, m := range turn {
			if err := m.turn(); err != nil {
				return fmt.Errorf("cannot run %s at %s: %w", m, input.FormatDuration(e.Now()), err)
			}
		}
	}
	return e.say()
}

// of returns the members of a role.
func (e *Engine) of(role Role) []*member {
	return slices.DeleteFunc(slices.Clone(e.members), func(m *member) bool { return m.role != role })
}
