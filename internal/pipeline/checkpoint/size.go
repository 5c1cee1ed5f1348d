package checkpoint

import (
	"strconv"

	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/flyball-io/flyball/processors"
)

// NewSizes returns what shows the state of a role: its keys and their bytes, by role and
// partition.
func NewSizes(role string, keyed, sized *prometheus.GaugeVec) *Sizes {
	return &Sizes{Show: func(partition int32, keys int, bytes int64) {
		p := strconv.Itoa(int(partition))
		if keys == 0 {
			keyed.DeleteLabelValues(role, p)
			sized.DeleteLabelValues(role, p)
			return
		}
		keyed.WithLabelValues(role, p).Set(float64(keys))
		sized.WithLabelValues(role, p).Set(float64(bytes))
	}}
}

// Sizes follows how much state partitions have on the topic, so that it can be shown: a
// number for each key, not the key. The zero value is ready once Show is set.
type Sizes struct {
	// Show is told how much a partition has, keys and values in bytes, when that changes.
	// Nothing and nothing is told of one that is gone.
	Show func(partition int32, keys int, bytes int64)

	partitions map[int32]*size
	pending    map[int32][]processors.StateChange
}

// size is what one partition has: the bytes of each key's record, by the key's hash.
type size struct {
	keys  map[uint64]int32
	bytes int64
}

// Restored begins a partition with the state that was read.
func (s *Sizes) Restored(partition int32, state map[string][]byte) {
	p := &size{keys: map[uint64]int32{}}
	for key, value := range state {
		p.set(key, value)
	}
	if s.partitions == nil {
		s.partitions, s.pending = map[int32]*size{}, map[int32][]processors.StateChange{}
	}
	s.partitions[partition] = p
	s.Show(partition, len(p.keys), p.bytes)
}

// Change notes what a transaction changes. The changes are kept until End.
func (s *Sizes) Change(partition int32, changes []processors.StateChange) {
	if len(changes) > 0 && s.partitions[partition] != nil {
		s.pending[partition] = changes
	}
}

// End tells whether the transaction was committed.
func (s *Sizes) End(committed bool) {
	for partition, changes := range s.pending {
		if p := s.partitions[partition]; committed && p != nil {
			for _, c := range changes {
				p.set(c.Key, c.Value)
			}
			s.Show(partition, len(p.keys), p.bytes)
		}
	}
	clear(s.pending)
}

// Drop forgets a partition that others have now.
func (s *Sizes) Drop(partition int32) {
	if s.partitions[partition] != nil {
		delete(s.partitions, partition)
		delete(s.pending, partition)
		s.Show(partition, 0, 0)
	}
}

// set takes a record; one without a value deletes its key.
func (p *size) set(key string, value []byte) {
	h := xxhash.Sum64String(key)
	p.bytes -= int64(p.keys[h])
	if value == nil {
		delete(p.keys, h)
		return
	}
	n := len(key) + len(value)
	p.keys[h] = int32(n)
	p.bytes += int64(n)
}
