package engine

import (
	"encoding/binary"
	"fmt"

	"github.com/flyball-io/flyball/internal/scenario/input"
	"github.com/flyball-io/flyball/internal/scenario/memlog"
)

// arrivals is the input that has not arrived yet, per partition in the order in
// which its producer sends it.
type arrivals struct {
	waiting map[memlog.Partition][]*input.Arrival
	order   []memlog.Partition
	// silent partitions get nothing until their producers speak again.
	silent map[memlog.Partition]bool
}

func newArrivals(in *input.Input) arrivals {
	a := arrivals{waiting: map[memlog.Partition][]*input.Arrival{}, silent: map[memlog.Partition]bool{}}
	for i := range in.Arrivals {
		p := memlog.Partition{Topic: in.Arrivals[i].Topic, Index: in.Arrivals[i].Partition}
		if a.waiting[p] == nil {
			a.order = append(a.order, p)
		}
		a.waiting[p] = append(a.waiting[p], &in.Arrivals[i])
	}
	return a
}

// deliver appends to the log what has arrived by now.
func (e *Engine) deliver() {
	for _, p := range e.arrive.order {
		if e.arrive.silent[p] || int(p.Index) >= len(e.log.Partitions(p.Topic)) {
			continue
		}
		list := e.arrive.waiting[p]
		for len(list) > 0 && e.cfg.Origin.Add(list[0].At) <= e.now {
			e.log.Append(memlog.Record{
				Partition: p, At: e.now, Payload: list[0],
				Value: binary.AppendUvarint(nil, uint64(list[0].Line)),
			})
			list = list[1:]
		}
		e.arrive.waiting[p] = list
	}
}

// CutInput drops what has not arrived by now.
func (e *Engine) CutInput() {
	e.deliver()
	clear(e.arrive.waiting)
}

// Silence lets the producers of a partition fall silent, or speak again: what
// they would have sent meanwhile they send then.
func (e *Engine) Silence(p memlog.Partition, silent bool) error {
	if err := e.known(p); err != nil {
		return err
	}
	e.arrive.silent[p] = silent
	return nil
}

// Lag lets a partition give nothing to the member that fetches from it, although
// there is something, or lets it give again.
func (e *Engine) Lag(p memlog.Partition, lag bool) error {
	if err := e.known(p); err != nil {
		return err
	}
	e.lagging[p] = lag
	return nil
}

func (e *Engine) known(p memlog.Partition) error {
	if int(p.Index) >= len(e.log.Partitions(p.Topic)) {
		return fmt.Errorf("there is no partition %s", p)
	}
	return nil
}

// NewPartition gives a topic of a source one more partition. With an owner,
// aggregate's members share the partitions anew; without one, nobody reads it
// until they are rebalanced.
func (e *Engine) NewPartition(topic string, owner bool) error {
	n := int32(len(e.log.Partitions(topic)))
	e.log.Grow(topic, n+1)
	if owner {
		return e.Rebalance(Aggregate)
	}
	e.unowned[memlog.Partition{Topic: topic, Index: n}] = true
	return nil
}
