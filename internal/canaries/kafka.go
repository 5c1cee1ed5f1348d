package canaries

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// Service follows the verdicts and makes requests.
type Service struct {
	// Store is what was followed.
	Store
	// Canaries of the configuration.
	Canaries []flyball.Canary

	client *kgo.Client
	events sinkkafka.Encoder
	panes  int32
	log    *slog.Logger
}

// New returns a service on clients with these options. Panes is the number of
// partitions of the panes topic. Close it after Run.
func New(opts []kgo.Opt, topics sinkkafka.Topics, source string, panes int32, canaries []flyball.Canary, log *slog.Logger) (*Service, error) {
	client, err := kgo.NewClient(append(opts,
		kgo.ConsumeTopics(topics.Verdicts(), topics.Canaries()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
	)...)
	if err != nil {
		return nil, fmt.Errorf("cannot follow verdicts: %w", err)
	}
	return &Service{Canaries: canaries, client: client, events: sinkkafka.Encoder{Topics: topics, Source: source}, panes: panes, log: log}, nil
}

// Close ends the clients.
func (s *Service) Close() { s.client.Close() }

// quiet is how long nothing must have come for the topics to be read to their ends.
const quiet = 500 * time.Millisecond

// Run follows the topics until the context ends.
func (s *Service) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		poll, cancel := context.WithTimeout(ctx, quiet)
		fetches := s.client.PollRecords(poll, 1000)
		cancel()
		if fetches.IsClientClosed() {
			return nil
		}
		failed := false
		for _, e := range fetches.Errors() {
			if !errors.Is(e.Err, context.DeadlineExceeded) && !errors.Is(e.Err, context.Canceled) {
				failed = true
				s.log.Warn("cannot follow verdicts", "topic", e.Topic, "partition", e.Partition, "error", e.Err)
			}
		}
		if fetches.NumRecords() == 0 && !failed && ctx.Err() == nil {
			s.setReady()
		}
		fetches.EachRecord(s.take)
	}
	return nil
}

func (s *Service) take(r *kgo.Record) {
	var err error
	if r.Topic == s.events.Topics.Verdicts() {
		var v flyball.Verdict
		if v, err = sinkkafka.DecodeVerdict(r); err == nil {
			s.AddVerdict(v)
		}
	} else {
		var q flyball.CanaryRequest
		if q, err = sinkkafka.DecodeCanaryRequest(r); err == nil {
			s.AddRequest(q)
		}
	}
	if err != nil { // it stays on the topic, and evaluate has made it a dead letter
		s.log.Warn("cannot read", "topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "error", err)
	}
}

// Request writes a request. It is followed at the next look.
func (s *Service) Request(ctx context.Context, r flyball.CanaryRequest) error {
	record, err := s.events.CanaryRequest(&r, flyball.TimeOf(time.Now()))
	if err != nil {
		return err
	}
	record.Partition = processors.PartitionOf(r.Entity, s.panes)
	if err := s.client.ProduceSync(ctx, record).FirstErr(); err != nil {
		return fmt.Errorf("cannot write request %q: %w", r.ID, err)
	}
	s.AddRequest(r)
	return nil
}
