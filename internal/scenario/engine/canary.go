package engine

import (
	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// Request asks for an analysis of a canary, or for its end.
func (e *Engine) Request(r flyball.CanaryRequest) error {
	record, err := e.encoder().CanaryRequest(&r, e.now)
	if err != nil {
		return err
	}
	out := fromKafka(record)
	out.Partition.Index = processors.PartitionOf(r.Entity, e.cfg.Panes)
	out.Payload, out.At = &r, e.now
	e.log.Append(out)
	return nil
}
