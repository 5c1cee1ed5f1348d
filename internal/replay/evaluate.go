package replay

import (
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/evaluate"
	"github.com/flyball-io/flyball/processors/remediation"
)

// progressEvery is the event time between two watermarks for decide, as in
// internal/pipeline.
const progressEvery = 10 * time.Second

// evaluator runs the evaluate machine of one partition of panes.
type evaluator struct {
	machine       *evaluate.Machine
	partition, of int32
	offset        int64
	input         evaluate.Input
	told          flyball.Time // the last watermark for decide
}

// take adds a block of panes.
func (e *evaluator) take(b processors.PaneBlock) {
	e.input.Records = append(e.input.Records, evaluate.Record{Offset: e.offset, Panes: slices.Clone(b.Panes), Marks: b.Marks})
	e.offset++
}

// step evaluates what was taken. It returns findings, and the watermark that stands
// behind them.
func (e *evaluator) step(sum *Summary) ([]flyball.Finding, remediation.Input) {
	if len(e.input.Records) == 0 {
		return nil, nil
	}
	ready := e.machine.Step(e.input)
	e.input.Records = nil
	for i := range ready.Windows.Len() {
		if ready.Windows.Revision[i] > 1 {
			sum.Corrections++
		} else {
			sum.Windows++
		}
	}
	sum.dead("evaluate", ready.DeadLetters)
	sum.limited(ready.Limited)
	findings := slices.Clone(ready.Findings)
	var told remediation.Input
	if at := e.machine.Progress().Floor(progressEvery); at > e.told {
		e.told = at
		told = remediation.Input{{Watermark: &remediation.Watermark{Partition: e.partition, Of: e.of, At: at}}}
	}
	e.machine.Commit()
	return findings, told
}
