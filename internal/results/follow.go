package results

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/connect"
	"github.com/flyball-io/flyball/processors/remediation"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// statusRecords is how many records of the status of SLOs are read of each partition:
// each holds many budgets, and all are there every status interval.
const statusRecords = 500

// Follower fills a store from the topics. It reads nothing before it is asked for the
// first time, so that processes that nobody asks do not.
type Follower struct {
	opts   []kgo.Opt
	topics sinkkafka.Topics
	log    *slog.Logger

	ask   func()
	asked chan struct{}
	mu    sync.Mutex
	store *Store        // under mu; nil before ready is closed
	why   error         // it has not read what is there; under mu
	ready chan struct{} // closed when what was there has been read
}

// errWaiting is what is said before anything was read.
var errWaiting = errors.New("the topics are being read")

// Follow returns a follower of the topics of a configuration; opts are further options
// of its Kafka client.
func Follow(cfg *config.Config, log *slog.Logger, opts ...kgo.Opt) (*Follower, error) {
	security, err := connect.Kafka(cfg.Pipeline.Kafka)
	if err != nil {
		return nil, err
	}
	asked := make(chan struct{})
	return &Follower{topics: sinkkafka.Topics{Prefix: cfg.Pipeline.Kafka.TopicPrefix}, log: log,
		opts: slices.Concat([]kgo.Opt{kgo.SeedBrokers(cfg.Pipeline.Kafka.Brokers...), kgo.ClientID(cfg.Pipeline.Kafka.ClientID + "-api")}, security, opts),
		ask:  sync.OnceFunc(func() { close(asked) }), asked: asked, ready: make(chan struct{}), why: errWaiting}, nil
}

// Store returns the store when it has all that was on the topics when it was first
// asked for. It waits for that until the context ends.
func (f *Follower) Store(ctx context.Context) (*Store, error) {
	f.ask()
	select {
	case <-f.ready:
	case <-ctx.Done():
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.store == nil {
		return nil, f.why
	}
	return f.store, nil
}

// Run follows until the context ends.
func (f *Follower) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-f.asked:
	}
	for ctx.Err() == nil {
		err := f.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		f.log.Warn("cannot follow results for the API; trying again", "error", err)
		f.mu.Lock()
		f.why = err
		f.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil
}

// place is one partition.
type place struct {
	topic     string
	partition int32
}

// offsets returns from where to read every partition, and up to where there is something.
func (f *Follower) offsets(ctx context.Context) (from map[string]map[int32]kgo.Offset, left map[place]int64, err error) {
	tails := map[string]int64{f.topics.Findings(): 2 * maxFindings, f.topics.Decisions(): maxDecisions, f.topics.Commands(): maxCommands,
		f.topics.Outcomes(): maxOutcomes, f.topics.SLO(): statusRecords}
	names := []string{f.topics.State()}
	for name := range tails {
		names = append(names, name)
	}
	cl, err := kgo.NewClient(f.opts...)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot reach Kafka: %w", err)
	}
	defer cl.Close()
	starts, err := kadm.NewClient(cl).ListStartOffsets(ctx, names...)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("cannot list the starts of topics: %w", err)
	}
	ends, err := kadm.NewClient(cl).ListEndOffsets(ctx, names...)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("cannot list the ends of topics: %w", err)
	}
	from, left = map[string]map[int32]kgo.Offset{}, map[place]int64{}
	starts.Each(func(o kadm.ListedOffset) {
		if o.Topic == f.topics.State() && o.Partition != 0 {
			return // what decide remembers is in the first
		}
		end, _ := ends.Lookup(o.Topic, o.Partition)
		begin := o.Offset
		if tail, ok := tails[o.Topic]; ok {
			begin = max(begin, end.Offset-tail)
		}
		if from[o.Topic] == nil {
			from[o.Topic] = map[int32]kgo.Offset{}
		}
		from[o.Topic][o.Partition] = kgo.NewOffset().At(begin)
		if begin < end.Offset {
			left[place{o.Topic, o.Partition}] = end.Offset
		}
	})
	return from, left, nil
}

// follow reads from the tails on into a new store, until something cannot be read any
// more. What decide has forgotten meanwhile would stay in an old one.
func (f *Follower) follow(ctx context.Context) error {
	start, cancel := context.WithTimeout(ctx, 30*time.Second)
	from, left, err := f.offsets(start)
	cancel()
	if err != nil {
		return err
	}
	cl, err := kgo.NewClient(append(slices.Clip(f.opts), kgo.ConsumePartitions(from), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())...)
	if err != nil {
		return fmt.Errorf("cannot reach Kafka: %w", err)
	}
	defer cl.Close()
	store := NewStore()
	for ctx.Err() == nil {
		if len(left) == 0 {
			f.caughtUp(store)
		}
		fetches := cl.PollFetches(ctx)
		for _, e := range fetches.Errors() {
			if ctx.Err() == nil {
				return fmt.Errorf("cannot read %s/%d: %w", e.Topic, e.Partition, e.Err)
			}
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				if err := f.take(store, r); err != nil { // it stays on its topic
					f.log.Warn("cannot read", "topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "error", err)
				}
			}
			if p := (place{r.Topic, r.Partition}); r.Offset+1 >= left[p] {
				delete(left, p)
			}
		})
	}
	return nil
}

// caughtUp shows the store, which has all that was there at the start, to who waits.
func (f *Follower) caughtUp(store *Store) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.store == nil {
		close(f.ready)
	}
	f.store = store
}

func (f *Follower) take(store *Store, r *kgo.Record) error {
	switch r.Topic {
	case f.topics.Findings():
		if sinkkafka.IsWatermark(r) {
			return nil
		}
		return taken(r, sinkkafka.DecodeFinding, store.AddFinding)
	case f.topics.Decisions():
		return taken(r, sinkkafka.DecodeDecision, store.AddDecision)
	case f.topics.Commands():
		return taken(r, sinkkafka.DecodeCommand, store.AddCommand)
	case f.topics.Outcomes():
		return taken(r, sinkkafka.DecodeOutcome, store.AddOutcome)
	case f.topics.SLO():
		rows, err := decodeStatus(r.Value)
		for _, row := range rows {
			store.AddStatus(row)
		}
		return err
	}
	if key := string(r.Key); strings.HasPrefix(key, remediation.StatePrefix) {
		return store.Remember(key, r.Value)
	}
	return nil
}

func taken[T any](r *kgo.Record, decode func(*kgo.Record) (T, error), add func(T)) error {
	v, err := decode(r)
	if err == nil {
		add(v)
	}
	return err
}
