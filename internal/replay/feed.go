package replay

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
)

// Partition is one of a topic.
type Partition struct {
	Topic string
	Index int32
}

// Record is a record of a source's topic.
type Record struct {
	Partition
	// At is when it came.
	At flyball.Time
	// Headers and Value are as they came.
	Headers []ingest.Header
	Value   []byte
}

// Feed gives records in the order in which they came.
type Feed interface {
	// Next returns the next record, valid until the next call; io.EOF after the last.
	Next(ctx context.Context) (*Record, error)
	// Partitions lists the partitions that it gives records of.
	Partitions() []Partition
	// Share returns how much of it was read, from 0 to 1.
	Share() float64
}

// lane gives the records of one partition, in their order. Next returns io.EOF after the
// last; a record is valid until the next call.
type lane interface {
	next(ctx context.Context) (*Record, error)
}

// merger merges lanes by the times of their records, of which the latest so far in a
// lane counts: what stands behind a record came no earlier.
type merger struct {
	lanes []*head
	taken *head // its record was given, and is valid until the next call
}

// head is a lane and its first record that was not given yet.
type head struct {
	lane      lane
	partition Partition
	record    *Record
	at        flyball.Time
}

func newMerger(ctx context.Context, lanes map[Partition]lane) (*merger, error) {
	m := &merger{}
	for p, l := range lanes {
		m.lanes = append(m.lanes, &head{lane: l, partition: p, at: flyball.NoTime})
	}
	slices.SortFunc(m.lanes, func(a, b *head) int { return a.partition.compare(b.partition) })
	for _, h := range slices.Clone(m.lanes) {
		if err := m.pull(ctx, h); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (p Partition) compare(q Partition) int {
	return cmp.Or(cmp.Compare(p.Topic, q.Topic), cmp.Compare(p.Index, q.Index))
}

// pull gets the next record of a lane, and drops a lane that has none.
func (m *merger) pull(ctx context.Context, h *head) error {
	r, err := h.lane.next(ctx)
	if errors.Is(err, io.EOF) {
		m.lanes = slices.DeleteFunc(m.lanes, func(x *head) bool { return x == h })
		return nil
	}
	if err != nil {
		return err
	}
	h.record, h.at = r, max(h.at, r.At)
	return nil
}

func (m *merger) next(ctx context.Context) (*Record, error) {
	if h := m.taken; h != nil {
		m.taken = nil
		if err := m.pull(ctx, h); err != nil {
			return nil, err
		}
	}
	for _, h := range m.lanes {
		if m.taken == nil || h.at < m.taken.at {
			m.taken = h
		}
	}
	if m.taken == nil {
		return nil, io.EOF
	}
	return m.taken.record, nil
}
