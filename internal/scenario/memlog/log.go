// Package memlog is Kafka as far as Flyball uses it, in memory, deterministic
// and without a clock: topics of partitions, transactions that commit or are
// taken back, readers that see committed records only and never beyond an open
// transaction, offsets of groups that are committed within transactions, with
// metadata, and compacted topics that give the last value of each key.
//
// As in Kafka, the markers that end transactions and the records of those taken
// back use up offsets. It is owned by one goroutine.
package memlog

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
)

// Partition is one partition of a topic.
type Partition struct {
	Topic string
	Index int32
}

// String returns topic/index.
func (p Partition) String() string { return fmt.Sprintf("%s/%d", p.Topic, p.Index) }

// Compare orders partitions by topic and index.
func (p Partition) Compare(o Partition) int {
	if c := strings.Compare(p.Topic, o.Topic); c != 0 {
		return c
	}
	return int(p.Index) - int(o.Index)
}

// Record is one record.
type Record struct {
	Partition
	// Key, Value and Headers are what Kafka carries. A nil Value deletes the key
	// in a compacted topic.
	Key, Value []byte
	Headers    []kgo.RecordHeader
	// At is when it was appended, by the clock of whoever appended it.
	At flyball.Time
	// Payload goes with the value: what the value encodes, so that who only looks
	// need not decode it.
	Payload any
	// Offset is its place in the partition, Seq among all records of the log.
	Offset, Seq int64
}

// Kafka returns the record as a client returns it.
func (r *Record) Kafka() *kgo.Record {
	return &kgo.Record{
		Topic: r.Topic, Partition: r.Index, Offset: r.Offset,
		Key: r.Key, Value: r.Value, Headers: r.Headers, Timestamp: r.At.Std(),
	}
}

// Log holds topics and the offsets of groups.
type Log struct {
	topics  map[string][]*partition
	offsets map[groupPartition]*committed
	seq     int64
}

type groupPartition struct {
	group string
	Partition
}

// partition is a list of entries; their places are offsets.
type partition struct {
	entries []entry
	settled int // no entry before it belongs to an open transaction

	latest    map[string][]byte // last value of each key of the entries before compacted
	compacted int64
}

// entry is a record, or the marker that ends a transaction when record is nil.
type entry struct {
	record *Record
	txn    *Txn // nil when written outside of a transaction
}

// New returns a log without topics.
func New() *Log {
	return &Log{topics: map[string][]*partition{}, offsets: map[groupPartition]*committed{}}
}

// Grow gives a topic that many partitions, creating it if need be. Topics never
// shrink.
func (l *Log) Grow(topic string, partitions int32) {
	for int32(len(l.topics[topic])) < partitions {
		l.topics[topic] = append(l.topics[topic], &partition{latest: map[string][]byte{}})
	}
}

// Partitions returns the partitions of a topic, in order.
func (l *Log) Partitions(topic string) []Partition {
	out := make([]Partition, len(l.topics[topic]))
	for i := range out {
		out[i] = Partition{topic, int32(i)}
	}
	return out
}

func (l *Log) partition(p Partition) *partition {
	list := l.topics[p.Topic]
	if int(p.Index) >= len(list) {
		panic("BUG: there is no partition " + p.String())
	}
	return list[p.Index]
}

// Append writes a record outside of any transaction.
func (l *Log) Append(r Record) { l.append(r, nil) }

func (l *Log) append(r Record, t *Txn) {
	part := l.partition(r.Partition)
	r.Offset, r.Seq = int64(len(part.entries)), l.seq
	l.seq++
	part.entries = append(part.entries, entry{&r, t})
}

// Stable returns the offset up to which a partition can be read: its end, or the
// first record of an open transaction.
func (l *Log) Stable(p Partition) int64 {
	part := l.partition(p)
	for part.settled < len(part.entries) && !part.entries[part.settled].open() {
		part.settled++
	}
	return int64(part.settled)
}

func (e entry) open() bool { return e.txn != nil && e.txn.state == open }

// End returns the offset after the last entry, committed or not.
func (l *Log) End(p Partition) int64 { return int64(len(l.partition(p).entries)) }

// Read returns up to limit committed records of a partition from an offset on,
// and the offset at which to go on.
func (l *Log) Read(p Partition, from int64, limit int) (records []*Record, next int64) {
	entries := l.partition(p).entries
	stable := l.Stable(p)
	for next = from; next < stable && len(records) < limit; next++ {
		e := entries[next]
		if e.record != nil && (e.txn == nil || e.txn.state == durable) {
			records = append(records, e.record)
		}
	}
	return records, next
}

// Latest returns the last committed value of each key of a compacted partition
// that starts with prefix. Keys that were deleted are not there.
func (l *Log) Latest(p Partition, prefix string) map[string][]byte {
	part := l.partition(p)
	var records []*Record
	records, part.compacted = l.Read(p, part.compacted, len(part.entries))
	for _, r := range records {
		if r.Value == nil {
			delete(part.latest, string(r.Key))
		} else {
			part.latest[string(r.Key)] = r.Value
		}
	}
	state := map[string][]byte{}
	for key, value := range part.latest {
		if strings.HasPrefix(key, prefix) {
			state[key] = value
		}
	}
	return state
}
