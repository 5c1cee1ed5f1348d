package memlog

import "slices"

// state is how far a transaction is.
type state int

const (
	open state = iota
	durable
	takenBack
)

// Txn is a transaction: records and offsets that become durable together or
// never.
type Txn struct {
	log     *Log
	state   state
	written []Partition
	offsets map[groupPartition]Offset
}

// Offset is what a group commits for a partition.
type Offset struct {
	// At is where reading starts anew.
	At int64
	// Metadata is whatever the member wants its successor to know.
	Metadata string
}

// committed is the offset of a group in a partition, and the open transaction
// that is about to change it.
type committed struct {
	Offset
	known   bool
	pending *Txn
}

// Begin opens a transaction.
func (l *Log) Begin() *Txn { return &Txn{log: l, offsets: map[groupPartition]Offset{}} }

// Produce writes a record.
func (t *Txn) Produce(r Record) {
	t.mustBeOpen()
	t.log.append(r, t)
	if !slices.Contains(t.written, r.Partition) {
		t.written = append(t.written, r.Partition)
	}
}

// Send commits the offset of a group in a partition with the transaction.
func (t *Txn) Send(group string, p Partition, o Offset) {
	t.mustBeOpen()
	k := groupPartition{group, p}
	t.offsets[k] = o
	c := t.log.offsets[k]
	if c == nil {
		c = &committed{}
		t.log.offsets[k] = c
	}
	c.pending = t
}

// End commits the transaction or takes it back, and writes its markers.
func (t *Txn) End(commit bool) {
	t.mustBeOpen()
	t.state = takenBack
	if commit {
		t.state = durable
	}
	for k, o := range t.offsets {
		c := t.log.offsets[k]
		if commit {
			c.Offset, c.known = o, true
		}
		if c.pending == t {
			c.pending = nil
		}
	}
	for _, p := range t.written {
		part := t.log.partition(p)
		part.entries = append(part.entries, entry{txn: t})
	}
}

func (t *Txn) mustBeOpen() {
	if t.state != open {
		panic("BUG: the transaction has ended")
	}
}

// Committed returns what a group has committed for a partition; known is false
// when it never has. It must be asked for when Unstable says no.
func (l *Log) Committed(group string, p Partition) (o Offset, known bool) {
	c := l.offsets[groupPartition{group, p}]
	if c == nil {
		return Offset{}, false
	}
	return c.Offset, c.known
}

// Unstable reports whether an open transaction may yet change the offset of a
// group in a partition. Kafka makes whoever asks for the offset wait.
func (l *Log) Unstable(group string, p Partition) bool {
	c := l.offsets[groupPartition{group, p}]
	return c != nil && c.pending != nil
}
