// Package kafka joins consumer groups in transactional sessions: what is read,
// what is produced from it and how far it was read become durable together
// (KIP-98, KIP-447).
package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Config says which group to join, and how.
type Config struct {
	// Brokers are the seed addresses, host:port.
	Brokers []string
	// ClientID names the process in the brokers' logs.
	ClientID string
	// Group is the consumer group, Topics what it reads.
	Group  string
	Topics []string
	// TransactionalID must differ in every member and in every start of it: a
	// broker that finds an unfinished transaction under the same id may not tell
	// the two apart.
	TransactionalID string
	// TransactionTimeout is how long the brokers let a transaction of a dead
	// member block readers, and how long they wait for a sign of life of a member.
	TransactionTimeout time.Duration
	// Together assigns partitions of equal number of all topics to the same
	// member, for inputs that belong together.
	Together bool
	// Sole assigns everything to one member, for inputs that are of use together only.
	// The other members stand by.
	Sole bool
	// Partition tells the partition of a produced record; nil keeps the default.
	Partitioner kgo.Partitioner
	// Options are further client options, such as TLS, SASL or a dialer.
	Options []kgo.Opt
}

// Partition is one partition of a topic.
type Partition struct {
	Topic     string
	Partition int32
}

// Assignment is a partition that the member now owns.
type Assignment struct {
	Partition
	// Offset is where reading starts, -1 for the start of the topic.
	Offset int64
	// Metadata is what the owner before committed with the offset.
	Metadata string
}

// Changes are what rebalances did since they were last asked for.
type Changes struct {
	// Revoked partitions are gone; Assigned ones start anew, even those that are
	// also in Revoked.
	Revoked  []Partition
	Assigned []Assignment
}

// Session is a member of a group in a transactional session.
type Session struct {
	*kgo.GroupTransactSession
	admin  *kadm.Client
	group  string
	cancel context.CancelFunc // of all that the client does
	close  sync.Once

	mu        sync.Mutex
	changes   Changes
	positions map[Partition]int64 // next offsets to read of the partitions owned
	committed map[Partition]int64 // the same as of the last commit
	skipped   map[Partition]bool  // partitions whose position was moved, and that is not committed
	stale     bool                // see Stale
	held      map[Partition]bool  // not fetched at present
}

// Join starts a session. Rebalances happen in the background; their results are
// picked up with TakeChanges.
func Join(cfg Config) (*Session, error) {
	life, cancel := context.WithCancel(context.Background())
	s := &Session{positions: map[Partition]int64{}, committed: map[Partition]int64{}, skipped: map[Partition]bool{}, group: cfg.Group, cancel: cancel}
	balancer := kgo.CooperativeStickyBalancer()
	if cfg.Together {
		balancer = kgo.RangeBalancer()
	}
	if cfg.Sole {
		balancer = soleBalancer{kgo.RangeBalancer()}
	}
	balancer = watchedBalancer{balancer, s.synced}
	opts := []kgo.Opt{
		kgo.WithContext(life),
		kgo.SeedBrokers(cfg.Brokers...),
		kgo.ClientID(cfg.ClientID),
		kgo.ConsumerGroup(cfg.Group),
		kgo.ConsumeTopics(cfg.Topics...),
		kgo.Balancers(balancer),
		kgo.TransactionalID(cfg.TransactionalID),
		kgo.TransactionTimeout(cfg.TransactionTimeout),
		// A successor needs both: the dead member's partitions and, for their
		// offsets, the end of its transaction.
		kgo.SessionTimeout(cfg.TransactionTimeout),
		kgo.HeartbeatInterval(cfg.TransactionTimeout / 5),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// Markers of transactions take up offsets. Without them a partition that
		// ends in one would never look read to its end.
		kgo.KeepControlRecords(),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.ProducerLinger(0),
		// Panes of one transaction repeat names and keys: zstd takes a third less
		// than snappy.
		kgo.ProducerBatchCompression(kgo.ZstdCompression(), kgo.SnappyCompression(), kgo.NoCompression()),
		kgo.ProducerBatchMaxBytes(8 << 20),
		kgo.OnOffsetsFetched(s.fetched),
		kgo.OnPartitionsRevoked(s.revoked),
		kgo.OnPartitionsLost(s.revoked),
	}
	if cfg.Partitioner != nil {
		opts = append(opts, kgo.RecordPartitioner(cfg.Partitioner))
	}
	opts = append(opts, FetchOptions()...)
	gts, err := kgo.NewGroupTransactSession(append(opts, cfg.Options...)...)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("cannot join group %q: %w", cfg.Group, err)
	}
	s.GroupTransactSession = gts
	s.admin = kadm.NewClient(gts.Client())
	return s, nil
}

// leaveTimeout is how long the brokers may take to let a member leave.
const leaveTimeout = 2 * time.Second

// Close leaves the group and ends the session. When the brokers do not answer it
// gives up soon: they will notice by themselves.
func (s *Session) Close() {
	// The client does not leave while it waits to join, which may take long.
	waiting := time.AfterFunc(leaveTimeout/2, s.leave)
	late := time.AfterFunc(leaveTimeout, s.cancel)
	defer waiting.Stop()
	defer late.Stop()
	s.close.Do(s.GroupTransactSession.Close)
	s.cancel()
}

// leave tells the brokers that the member is gone.
func (s *Session) leave() {
	member, _ := s.Client().GroupMetadata()
	if member == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout/2)
	defer cancel()
	req := kmsg.NewLeaveGroupRequest()
	req.Group, req.MemberID = s.group, member
	one := kmsg.NewLeaveGroupRequestMember()
	one.MemberID = member
	req.Members = append(req.Members, one)
	// Whether it arrives or not, the session ends.
	_, _ = req.RequestWith(ctx, s.Client())
}

// Abandon ends the session without a word to the brokers. What has been produced
// and not acknowledged fails at once.
func (s *Session) Abandon() {
	s.cancel()
	s.Close()
}

// fetched is called with the committed offsets of newly assigned partitions,
// before anything of them is read.
func (s *Session) fetched(_ context.Context, _ *kgo.Client, resp *kmsg.OffsetFetchResponse) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	add := func(topic string, partition int32, offset int64, metadata *string) {
		a := Assignment{Partition: Partition{topic, partition}, Offset: offset}
		if metadata != nil {
			a.Metadata = *metadata
		}
		s.changes.Assigned = slices.DeleteFunc(s.changes.Assigned, func(x Assignment) bool { return x.Partition == a.Partition })
		s.changes.Assigned = append(s.changes.Assigned, a)
		s.positions[a.Partition] = max(offset, 0)
		s.committed[a.Partition] = max(offset, 0)
	}
	for _, g := range resp.Groups {
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				if p.ErrorCode == 0 { // others are not read: the client reports them to the poll
					add(t.Topic, p.Partition, p.Offset, p.Metadata)
				}
			}
		}
	}
	return nil
}

// synced is called with everything that the member owns after a rebalance. It
// finds what was lost: of two revocations without the end of a transaction
// between them the session tells only the first.
func (s *Session) synced(assigned map[string][]int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.positions {
		if !slices.Contains(assigned[p.Topic], p.Partition) {
			s.lose(p)
		}
	}
}

func (s *Session) revoked(_ context.Context, _ *kgo.Client, lost map[string][]int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for topic, partitions := range lost {
		for _, p := range partitions {
			s.lose(Partition{topic, p})
		}
	}
}

// lose notes that a partition is gone, once. The caller holds the lock.
func (s *Session) lose(p Partition) {
	if _, owned := s.positions[p]; !owned {
		return
	}
	s.changes.Revoked = append(s.changes.Revoked, p)
	s.changes.Assigned = slices.DeleteFunc(s.changes.Assigned, func(x Assignment) bool { return x.Partition == p })
	delete(s.positions, p)
	delete(s.committed, p)
	delete(s.skipped, p)
}

// TakeChanges returns what changed since the last call. A partition may be gone
// before the last records of it have been polled: a transaction that holds such
// records must be aborted.
func (s *Session) TakeChanges() Changes {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.changes
	s.changes = Changes{}
	return c
}

// Advance notes that records before offset have been polled. It reports whether
// the member still owns the partition.
func (s *Session) Advance(p Partition, offset int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, owned := s.positions[p]
	if owned {
		s.positions[p] = offset
	}
	return owned
}

// End ends the transaction: it is committed, with how far was polled, if commit is
// set and the member still owns what it polled, and aborted otherwise; it reports
// which. adjust, which may be nil, may change the offsets on their way.
//
// A transaction in which nothing was polled commits the offsets of before again.
// It is by the offsets that brokers tell a member from one that has lost its
// partitions and does not know.
func (s *Session) End(ctx context.Context, commit bool, adjust func(*kmsg.TxnOffsetCommitRequest)) (bool, error) {
	s.mu.Lock()
	polled, before := maps.Clone(s.positions), maps.Clone(s.committed)
	skipped := map[Partition]int64{}
	for p := range s.skipped {
		skipped[p] = polled[p]
	}
	s.mu.Unlock()
	ctx = kgo.PreTxnCommitFnContext(ctx, func(req *kmsg.TxnOffsetCommitRequest) error {
		if len(req.Topics) == 0 {
			req.Topics = offsetsOf(before)
		}
		withSkipped(req, maps.Clone(skipped))
		if adjust != nil {
			adjust(req)
		}
		return nil
	})
	committed, err := s.GroupTransactSession.End(ctx, kgo.TransactionEndTry(commit))
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.positions {
		// A partition that was assigned meanwhile has offsets of its own.
		if was, ok := before[p]; !ok || was != s.committed[p] {
			continue
		}
		if committed {
			s.committed[p] = polled[p]
			delete(s.skipped, p)
		} else {
			s.positions[p] = s.committed[p] // where the client goes back to
		}
	}
	return committed, err
}

func offsetsOf(offsets map[Partition]int64) []kmsg.TxnOffsetCommitRequestTopic {
	byTopic := map[string][]kmsg.TxnOffsetCommitRequestTopicPartition{}
	for p, offset := range offsets {
		part := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		part.Partition, part.Offset = p.Partition, offset
		byTopic[p.Topic] = append(byTopic[p.Topic], part)
	}
	var out []kmsg.TxnOffsetCommitRequestTopic
	for name, partitions := range byTopic {
		topic := kmsg.NewTxnOffsetCommitRequestTopic()
		topic.Topic, topic.Partitions = name, partitions
		out = append(out, topic)
	}
	return out
}

// Positions returns the next offset to read of each partition owned.
func (s *Session) Positions() map[Partition]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.positions)
}

// Owns reports whether the member has a partition.
func (s *Session) Owns(p Partition) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, owned := s.positions[p]
	return owned
}

// Hold makes the client fetch none of the partitions given, and all others again.
func (s *Session) Hold(partitions map[Partition]bool) {
	pause, resume := map[string][]int32{}, map[string][]int32{}
	for p := range partitions {
		if !s.held[p] {
			pause[p.Topic] = append(pause[p.Topic], p.Partition)
		}
	}
	for p := range s.held {
		if !partitions[p] {
			resume[p.Topic] = append(resume[p.Topic], p.Partition)
		}
	}
	if len(pause) > 0 {
		s.Client().PauseFetchPartitions(pause)
	}
	if len(resume) > 0 {
		s.Client().ResumeFetchPartitions(resume)
	}
	s.held = maps.Clone(partitions)
}

// Committed returns what the members of the group have committed of the topics.
func (s *Session) Committed(ctx context.Context, topics ...string) ([]Assignment, error) {
	offsets, err := s.admin.FetchOffsetsForTopics(ctx, s.group, topics...)
	if err != nil {
		return nil, fmt.Errorf("cannot look up how far group %q has read %q: %w", s.group, topics, err)
	}
	var out []Assignment
	offsets.Each(func(o kadm.OffsetResponse) {
		if o.Err == nil && o.At >= 0 {
			out = append(out, Assignment{Partition{o.Topic, o.Partition}, o.At, o.Metadata})
		}
	})
	return out, nil
}

// Extent is the range of offsets that a partition holds: from the first record
// kept to after the last one committed.
type Extent struct {
	Start, End int64
}

// Extents returns the extent of every partition of the topics.
func (s *Session) Extents(ctx context.Context, topics ...string) (map[Partition]Extent, error) {
	ends, err := s.admin.ListCommittedOffsets(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("cannot list the ends of %q: %w", topics, err)
	}
	starts, err := s.admin.ListStartOffsets(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("cannot list the starts of %q: %w", topics, err)
	}
	extents := map[Partition]Extent{}
	ends.Each(func(end kadm.ListedOffset) {
		start, ok := starts.Lookup(end.Topic, end.Partition)
		if ok && end.Err == nil && start.Err == nil {
			extents[Partition{end.Topic, end.Partition}] = Extent{start.Offset, end.Offset}
		}
	})
	return extents, nil
}
