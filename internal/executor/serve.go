package executor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/sinks/kafka"
)

const (
	// remembered is how many attempts a History holds.
	remembered = 100_000
	// lookBack is how far back outcomes are read at the start: longer than a command
	// can wait to be obeyed.
	lookBack = 8 * 24 * time.Hour
	// batch is how many commands are fetched at once, so that little is given to another
	// in the middle.
	batch = 32
)

// Server obeys the commands of a topic as one member of a consumer group.
type Server struct {
	// Name of the executor and its group.
	Name string
	// Config is what it obeys.
	Config Config
	// Topics are where commands and outcomes are.
	Topics kafka.Topics
	// Kafka are the options of its clients, with the brokers.
	Kafka []kgo.Opt
	// Log is told of everything that is not obeyed.
	Log *slog.Logger
	// Outcome, when set, is called for every outcome that is durable.
	Outcome func(flyball.Outcome)
	// Now is the clock by which commands expire; without it the clock of the system.
	Now func() time.Time
}

// Serve obeys commands until the context ends; what is being done then is finished.
func (s *Server) Serve(ctx context.Context) error {
	past, err := s.history(ctx)
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(append(slices.Clone(s.Kafka),
		kgo.ConsumerGroup("flyball-executor-"+s.Name), kgo.ConsumeTopics(s.Topics.Commands()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.RebalanceTimeout(10*time.Minute),
		kgo.RequiredAcks(kgo.AllISRAcks()))...)
	if err != nil {
		return fmt.Errorf("cannot make a Kafka client: %w", err)
	}
	defer client.CloseAllowingRebalance()
	now := s.Now
	if now == nil {
		now = time.Now
	}
	e := New(s.Config, past, now)
	for {
		fetches := client.PollRecords(ctx, batch)
		if ctx.Err() != nil {
			return nil
		}
		for _, f := range fetches.Errors() {
			s.Log.Error("cannot fetch commands", "topic", f.Topic, "partition", f.Partition, "error", f.Err.Error())
		}
		if err := s.obeyAll(context.WithoutCancel(ctx), client, e, fetches); err != nil {
			return err
		}
		client.AllowRebalance()
	}
}

// obeyAll obeys the commands of all partitions side by side, and those of one after the
// other: a target has one partition.
func (s *Server) obeyAll(ctx context.Context, client *kgo.Client, e *Executor, fetches kgo.Fetches) error {
	var wait sync.WaitGroup
	var mu sync.Mutex
	var failed error
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		wait.Go(func() {
			for _, r := range p.Records {
				if err := s.obey(ctx, client, e, r); err != nil {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
					return
				}
			}
		})
	})
	wait.Wait()
	return failed
}

func (s *Server) obey(ctx context.Context, client *kgo.Client, e *Executor, r *kgo.Record) error {
	encoder := kafka.Encoder{Topics: s.Topics, Source: "/flyball/executor/" + s.Name}
	err := e.Obey(ctx, r, func(o flyball.Outcome) error {
		rec, err := encoder.Outcome(&o)
		if err != nil {
			return err
		}
		if err := client.ProduceSync(ctx, rec).FirstErr(); err != nil {
			return fmt.Errorf("cannot report outcome of %q: %w", o.OperationID, err)
		}
		s.Log.Info("outcome", "class", string(o.Class), "operation", o.OperationID, "attempt", o.Attempt, "target", o.Target, "reason", o.Reason)
		if s.Outcome != nil {
			s.Outcome(o)
		}
		return nil
	})
	if errors.Is(err, ErrNoCommand) {
		s.Log.Error("passing over a record that is no command", "partition", r.Partition, "offset", r.Offset, "error", err.Error())
		err = nil
	}
	if err != nil {
		return err
	}
	if err := client.CommitRecords(ctx, r); err != nil {
		return fmt.Errorf("cannot commit offset %d of commands: %w", r.Offset, err)
	}
	return nil
}

// history reads the outcomes that were reported lately.
func (s *Server) history(ctx context.Context) (*History, error) {
	past := NewHistory(remembered)
	client, err := kgo.NewClient(append(slices.Clone(s.Kafka), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.ConsumeTopics(s.Topics.Outcomes()), kgo.ConsumeResetOffset(kgo.NewOffset().AfterMilli(time.Now().Add(-lookBack).UnixMilli())))...)
	if err != nil {
		return nil, fmt.Errorf("cannot make a Kafka client: %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	ends, err := admin.ListCommittedOffsets(ctx, s.Topics.Outcomes())
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot look at topic %q: %w", s.Topics.Outcomes(), err)
	}
	starts, err := admin.ListOffsetsAfterMilli(ctx, time.Now().Add(-lookBack).UnixMilli(), s.Topics.Outcomes())
	if err != nil {
		return nil, fmt.Errorf("cannot look at topic %q: %w", s.Topics.Outcomes(), err)
	}
	left := map[int32]int64{} // partitions that are not read up to their end
	ends.Each(func(o kadm.ListedOffset) {
		if at, ok := starts.Lookup(o.Topic, o.Partition); ok && at.Offset < o.Offset && at.Offset >= 0 {
			left[o.Partition] = o.Offset
		}
	})
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			for _, r := range p.Records {
				if o, err := kafka.DecodeOutcome(r); err == nil && !r.Attrs.IsControl() {
					past.Note(&o)
				}
				if r.Offset+1 >= left[p.Partition] {
					delete(left, p.Partition)
				}
			}
		})
	}
	return past, nil
}
