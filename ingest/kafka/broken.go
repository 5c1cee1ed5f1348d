package kafka

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Broken is a batch of records that no client can read: it is not compressed as it
// says, or what comes out is larger than MaxBatchBytes.
type Broken struct {
	Partition
	// Offset is that of its first record, Next the one after its last.
	Offset, Next int64
	// Raw is the batch as it is, as far as it could be fetched.
	Raw []byte
	// Cause is what the client says.
	Cause error
}

// MaxBatchBytes is how large a batch may be when it is not compressed. A batch of a
// megabyte can be made that decompresses to a thousand.
const MaxBatchBytes = 128 << 20

// FindBroken returns the batch that an error of a fetch is about; false for other
// errors, and where there is nothing to be found out about it now.
func (s *Session) FindBroken(ctx context.Context, e kgo.FetchError) (Broken, bool) {
	var large *kgo.ErrDecompressTooLarge
	tooLarge := errors.As(e.Err, &large)
	// The client has no exported error for the other case.
	if !tooLarge && !strings.Contains(e.Err.Error(), "unable to decompress batch") {
		return Broken{}, false
	}
	p := Partition{e.Topic, e.Partition}
	s.mu.Lock()
	at, owned := s.positions[p]
	stale := s.stale
	s.mu.Unlock()
	if !owned || stale {
		return Broken{}, false
	}
	if tooLarge {
		return Broken{Partition: p, Offset: large.Offset, Next: large.NextOffset, Cause: e.Err}, true
	}
	// What is before it and was not polled can only be of transactions that were
	// aborted.
	for range maxAborted {
		b, err := s.batchAt(ctx, p, at)
		if err != nil {
			return Broken{}, false // the fetch will fail again, and be asked about again
		}
		if attributes := binary.BigEndian.Uint16(b.Raw[attributesAt:]); !readable(b.Raw, attributes) {
			b.Cause = e.Err
			return b, true
		} else if attributes&transactional == 0 {
			return Broken{}, false
		}
		at = b.Next
	}
	return Broken{}, false
}

// maxAborted is how many batches of aborted transactions are passed over.
const maxAborted = 1000

// Parts of the header of a batch.
const (
	attributesAt  = 21
	transactional = 1 << 4
	recordsAt     = 61
)

// readable reports whether a batch is compressed as it says.
func readable(raw []byte, attributes uint16) bool {
	if len(raw) < recordsAt {
		return false
	}
	_, err := kgo.DefaultDecompressor().Decompress(raw[recordsAt:], kgo.CompressionCodecType(attributes&7))
	return err == nil
}

// headerBytes is the length of a batch up to the offset of its last record.
const headerBytes = 8 + 4 + 4 + 1 + 4 + 2 + 4

// batchAt fetches the batch that holds an offset, as it is.
func (s *Session) batchAt(ctx context.Context, p Partition, offset int64) (Broken, error) {
	meta, err := s.admin.Metadata(ctx, p.Topic)
	if err != nil {
		return Broken{}, fmt.Errorf("cannot find the leader of %s/%d: %w", p.Topic, p.Partition, err)
	}
	topic := meta.Topics[p.Topic]
	part := kmsg.NewFetchRequestTopicPartition()
	part.Partition, part.FetchOffset, part.PartitionMaxBytes = p.Partition, offset, 1<<20
	of := kmsg.NewFetchRequestTopic()
	of.Topic, of.TopicID, of.Partitions = p.Topic, topic.ID, append(of.Partitions, part)
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.IsolationLevel = 1000, 1, 1<<20, 1
	req.Topics = append(req.Topics, of)
	resp, err := req.RequestWith(ctx, s.Client().Broker(int(topic.Partitions[p.Partition].Leader)))
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err != nil {
		return Broken{}, fmt.Errorf("cannot fetch %s/%d at %d: %w", p.Topic, p.Partition, offset, err)
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 || len(resp.Topics[0].Partitions[0].RecordBatches) < headerBytes {
		return Broken{}, fmt.Errorf("cannot fetch %s/%d at %d: nothing came", p.Topic, p.Partition, offset)
	}
	raw := resp.Topics[0].Partitions[0].RecordBatches
	b := Broken{Partition: p, Offset: int64(binary.BigEndian.Uint64(raw))}
	b.Next = b.Offset + int64(int32(binary.BigEndian.Uint32(raw[headerBytes-4:]))) + 1
	if offset >= b.Next || b.Next <= b.Offset {
		return Broken{}, fmt.Errorf("cannot use the batch of %s/%d at %d: it holds %d to %d", p.Topic, p.Partition, offset, b.Offset, b.Next-1)
	}
	b.Raw = raw[:min(len(raw), 12+int(binary.BigEndian.Uint32(raw[8:])))]
	return b, nil
}

// Skip goes on after a broken batch. It reports false, and does nothing, while there
// are records before it that have been polled and not committed: to take those back
// would no longer be possible. The next End that commits, commits the skip.
func (s *Session) Skip(b Broken) bool {
	s.mu.Lock()
	at, owned := s.positions[b.Partition]
	ok := owned && at == s.committed[b.Partition]
	// The client moves only where something was committed before.
	_, moves := s.Client().CommittedOffsets()[b.Topic][b.Partition.Partition]
	if ok {
		s.stale = s.stale || !moves
		s.positions[b.Partition], s.committed[b.Partition] = b.Next, b.Next
		s.skipped[b.Partition] = true
	}
	s.mu.Unlock()
	if ok && moves {
		s.Client().SetOffsets(map[string]map[int32]kgo.EpochOffset{b.Topic: {b.Partition.Partition: {Epoch: -1, Offset: b.Next}}})
	}
	return ok
}

// Stale reports whether the session, once its transaction has ended, must be replaced
// by another one: it cannot go on after a batch that was skipped.
func (s *Session) Stale() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stale
}

// withSkipped adds the offsets of partitions in which a batch was skipped: to the
// client they look committed.
func withSkipped(req *kmsg.TxnOffsetCommitRequest, skipped map[Partition]int64) {
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			delete(skipped, Partition{t.Topic, p.Partition})
		}
	}
	req.Topics = append(req.Topics, offsetsOf(skipped)...)
}
