package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flyball-io/flyball/ingest/kafka"
	"github.com/flyball-io/flyball/internal/pipeline/checkpoint"
	"github.com/flyball-io/flyball/internal/tracing"
)

// stage is what a member does with what it reads: a state machine, its inputs
// decoded and its outputs encoded. It is used by one goroutine.
type stage interface {
	// take adds what one poll gave. The records are its own from then on.
	take(kgo.Fetches)
	// flush steps the machine and returns what must become durable together.
	flush(ctx context.Context, now time.Time) (output, error)
	// end tells whether that is durable, or never was.
	end(committed bool)
}

// owner is a stage with memory per partition.
type owner interface {
	// rebalanced forgets and restores partitions.
	rebalanced(ctx context.Context, c kafka.Changes) error
}

// finisher is a stage that may have something to finish when the process ends.
type finisher interface {
	// unfinished reports whether another transaction is needed.
	unfinished() bool
}

func unfinished(st stage) bool {
	f, ok := st.(finisher)
	return ok && f.unfinished()
}

// output is one transaction's worth.
type output struct {
	records []*kgo.Record
	// resume lowers the committed offset of partitions; the offset proper goes
	// into the metadata.
	resume map[kafka.Partition]checkpoint.Resumption
}

// member is one group member: it joins, and runs the one loop of the engine,
// poll → step → produce and commit in one transaction, until its context ends.
type member struct {
	role     string
	join     kafka.Config
	newStage func(*kafka.Session) (stage, error)
	interval time.Duration // least time between commits
	maxPoll  int           // records per poll
	always   bool          // flush even when nothing was polled (idle marks)
	// dead makes a dead letter of a batch that cannot be read; nil where that must
	// hold everything up, because it is our own.
	dead    func(kafka.Broken) *kgo.Record
	broken  []kafka.Broken // skipped, and not committed yet
	name    string         // tells it apart in health
	health  *Health        // may be nil
	metrics *Metrics
	trace   *tracing.Tracer // may be nil
	log     *slog.Logger
}

// drainTimeout bounds the last transaction after the context has ended. Leaving
// the group comes on top.
const drainTimeout = 6 * time.Second

// draining returns the context of a transaction: it may take as long as the
// brokers let it be open, which is the limit, and after the end of ctx only so long as a shutdown
// may.
func draining(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	stop := context.AfterFunc(ctx, func() {
		t := time.AfterFunc(drainTimeout, cancel)
		context.AfterFunc(work, func() { t.Stop() })
	})
	return work, func() { stop(); cancel() }
}

// run keeps a session going; one that fails is replaced by a new one, after a
// pause, so that it starts from what is committed.
func (m *member) run(ctx context.Context) error {
	base := m.join.TransactionalID
	failures := 0 // sessions in a row that committed nothing
	for start := 0; ctx.Err() == nil; start++ {
		m.join.TransactionalID = fmt.Sprintf("%s-%d", base, start)
		worked, err := m.session(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		m.metrics.sessionsLost.WithLabelValues(m.role).Inc()
		if failures++; worked {
			failures = 1
		}
		pause := time.Duration(min(failures, 10))*500*time.Millisecond + rand.N(500*time.Millisecond)
		m.log.Error("session lost; starting another", "role", m.role, "error", err, "pause", pause)
		sleep(ctx, pause)
	}
	return nil
}

// session joins and works until the context ends or something fails; it reports
// whether anything was committed.
func (m *member) session(ctx context.Context) (worked bool, err error) {
	m.broken = nil // they are met again
	s, err := kafka.Join(m.join)
	if err != nil {
		return false, err
	}
	defer s.Close()
	defer m.health.update(m.role, m.name, func(h *MemberHealth) { h.Joined, h.Partitions = false, 0 })
	st, err := m.newStage(s)
	if err != nil {
		return false, err
	}
	for ctx.Err() == nil || unfinished(st) {
		committed, err := m.transaction(ctx, s, st)
		worked = worked || committed
		if err != nil {
			return worked, err
		}
		m.feel(s, committed)
	}
	return worked, nil
}

// feel tells how the member is after a transaction.
func (m *member) feel(s *kafka.Session, committed bool) {
	_, generation := s.Client().GroupMetadata()
	m.health.update(m.role, m.name, func(h *MemberHealth) {
		h.Joined, h.Partitions = generation >= 0, len(s.Positions())
		if committed {
			h.Committed = time.Now()
		}
	})
}

// transaction polls for one interval and commits. When the context ends it
// finishes with what it has.
func (m *member) transaction(ctx context.Context, s *kafka.Session, st stage) (committed bool, err error) {
	batch := m.trace.Begin(m.role, m.name)
	in, err := m.poll(ctx, s, st, batch)
	if err != nil {
		return false, err
	}
	m.broken = slices.DeleteFunc(m.broken, func(b kafka.Broken) bool { return !s.Owns(b.Partition) })
	in.any = in.any || len(m.broken) > 0
	if !in.any && !m.always {
		return false, nil
	}
	drain, cancel := draining(ctx, m.join.TransactionTimeout)
	defer cancel()
	started := time.Now()
	stepped := batch.Step(drain)
	out, err := st.flush(drain, started)
	stepped()
	defer func() { batch.End(committed, err) }()
	if err != nil {
		st.end(false)
		return false, err
	}
	if !in.any && len(out.records) == 0 {
		st.end(true)
		return false, nil
	}
	for _, b := range m.broken {
		out.records = append(out.records, m.dead(b))
	}
	committed, err = m.commit(drain, s, out, !in.foreign, batch)
	st.end(committed)
	if committed {
		m.broken = nil
	}
	if err == nil && s.Stale() {
		err = errors.New("cannot go on after a batch that was skipped: it is the first of its partition")
	}
	m.metrics.transaction(m.role, committed, time.Since(started))
	return committed, err
}

// polled says what was polled for a transaction.
type polled struct {
	// any is set when there were records.
	any bool
	// foreign is set when there were records of partitions that are gone by now.
	// Others read them too: the transaction must not be committed.
	foreign bool
}

// poll takes records until the interval is over.
func (m *member) poll(ctx context.Context, s *kafka.Session, st stage, batch *tracing.Batch) (in polled, err error) {
	due, cancel := context.WithTimeout(ctx, m.interval)
	defer cancel()
	for {
		fetches := s.PollRecords(due, m.maxPoll)
		if fetches.IsClientClosed() {
			return in, errors.New("cannot poll: the client is closed")
		}
		if m.pollErrors(fetches) {
			m.skip(ctx, s, fetches)
			sleep(due, errorPause)
		}
		if c := s.TakeChanges(); len(c.Assigned)+len(c.Revoked) > 0 {
			m.log.Info("rebalanced", "role", m.role, "assigned", len(c.Assigned), "revoked", len(c.Revoked))
			for _, p := range c.Revoked {
				m.metrics.gone(m.role, p.Topic, p.Partition)
			}
			if o, ok := st.(owner); ok {
				if err := o.rebalanced(ctx, c); err != nil {
					return in, err
				}
			}
		}
		if !fetches.Empty() {
			in.any = true
			read := readTo(fetches) // before they are taken: their memory may be used again
			m.metrics.fetched(m.role, fetches)
			taken := batch.Take(fetches)
			st.take(fetches)
			taken()
			for p, next := range read {
				owned := s.Advance(p, next)
				in.foreign = in.foreign || !owned
			}
		}
		if due.Err() != nil {
			return in, nil
		}
	}
}

// readTo returns the offset after the last record of each partition.
func readTo(fetches kgo.Fetches) map[kafka.Partition]int64 {
	read := map[kafka.Partition]int64{}
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if n := len(p.Records); n > 0 {
			at := kafka.Partition{Topic: p.Topic, Partition: p.Partition}
			read[at] = max(read[at], p.Records[n-1].Offset+1)
		}
	})
	return read
}

// errorPause is how long a member waits after a fetch that failed: the client
// fetches again at once, and many errors last.
const errorPause = 100 * time.Millisecond

// sleep waits, at most until the context ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// pollErrors reports errors of a poll, and whether there were any.
func (m *member) pollErrors(fetches kgo.Fetches) (any bool) {
	for _, e := range fetches.Errors() {
		if errors.Is(e.Err, context.DeadlineExceeded) || errors.Is(e.Err, context.Canceled) {
			continue
		}
		m.metrics.pollErrors.WithLabelValues(m.role, e.Topic).Inc()
		m.log.Warn("cannot fetch", "role", m.role, "topic", e.Topic, "partition", e.Partition, "error", e.Err)
		any = true
	}
	return any
}

// skip goes on after batches that cannot be read. An abort does not bring them back:
// they are kept until their dead letters are committed.
func (m *member) skip(ctx context.Context, s *kafka.Session, fetches kgo.Fetches) {
	for _, e := range fetches.Errors() {
		if m.dead == nil {
			return
		}
		ask, cancel := context.WithTimeout(ctx, lookEvery)
		b, found := s.FindBroken(ask, e)
		cancel()
		if found && s.Skip(b) {
			m.log.Error("skipped a batch that cannot be read", "topic", b.Topic, "partition", b.Partition.Partition, "from", b.Offset, "to", b.Next-1, "error", b.Cause)
			m.broken = append(m.broken, b)
		}
	}
}

// commit produces the output and commits how far was read, in one transaction;
// it takes the transaction back when the output must not count. A failure to
// produce ends the session: it would come again at once.
func (m *member) commit(ctx context.Context, s *kafka.Session, out output, counts bool, batch *tracing.Batch) (bool, error) {
	batch.Commit()
	if err := s.Begin(); err != nil {
		return false, fmt.Errorf("cannot begin a transaction: %w", err)
	}
	produced := kgo.AbortingFirstErrPromise(s.Client())
	if counts {
		for _, r := range out.records {
			batch.Carry(ctx, r)
			s.Produce(ctx, r, produced.Promise())
		}
	}
	// What has been sent is waited for, however long: the client cannot know
	// whether it arrived. Only the end of the session frees it from that.
	abandoned := context.AfterFunc(ctx, s.Abandon)
	produceErr := produced.Err()
	if !abandoned() {
		return false, fmt.Errorf("cannot produce: %w", cmp.Or(produceErr, ctx.Err()))
	}
	var lower func(*kmsg.TxnOffsetCommitRequest)
	if out.resume != nil {
		lower = func(req *kmsg.TxnOffsetCommitRequest) { checkpoint.Lower(req, out.resume) }
	}
	committed, err := s.End(ctx, counts && produceErr == nil, lower)
	switch {
	case produceErr != nil:
		return committed, fmt.Errorf("cannot produce: %w", produceErr)
	case err != nil:
		return committed, fmt.Errorf("cannot end a transaction: %w", err)
	}
	return committed, nil
}
