package rows

import (
	"fmt"

	"github.com/flyball-io/flyball/ingest"
)

// Fault is what is wrong with one sample. It is a number and not an error so
// that the hot path neither allocates nor calls.
type Fault uint8

// The faults of a sample.
const (
	NoFault Fault = iota
	FaultFraming
	FaultNotObject
	FaultUTF8
	FaultNoTime
	FaultTimeForm
	FaultTimeRange
	FaultNoStart
	FaultEndsBeforeStart
	FaultNumber
	FaultNegative
	FaultLabel
	FaultPoint
	FaultDecrease
	FaultTemporality
	FaultBuckets
	FaultBounds
)

// faultText gives the reason and the words of each fault; %s is the column.
var faultText = [...]struct{ reason, detail string }{
	FaultFraming:         {ingest.ReasonMalformed, "its fields do not parse"},
	FaultNotObject:       {ingest.ReasonMalformed, "it is not a JSON object"},
	FaultUTF8:            {ingest.ReasonMalformed, "label %q is not valid UTF-8"},
	FaultNoTime:          {ingest.ReasonNoTimestamp, "it has no event time"},
	FaultTimeForm:        {ingest.ReasonNoTimestamp, "its event time is not of the form configured"},
	FaultTimeRange:       {ingest.ReasonNoTimestamp, "its event time is out of range (years 1678 to 2262)"},
	FaultNoStart:         {ingest.ReasonBadValue, "it has no start time"},
	FaultEndsBeforeStart: {ingest.ReasonBadValue, "it ends before it starts"},
	FaultNumber:          {ingest.ReasonBadValue, "value %q is not a finite number"},
	FaultNegative:        {ingest.ReasonBadValue, "duration %q is negative"},
	FaultLabel:           {ingest.ReasonBadValue, "label %q is an object or an array"},
	FaultPoint:           {ingest.ReasonBadValue, "the data point has no finite value"},
	FaultDecrease:        {ingest.ReasonBadValue, "the sum is monotonic and its value negative"},
	FaultTemporality:     {ingest.ReasonBadValue, "its aggregation temporality is neither delta nor cumulative"},
	FaultBuckets:         {ingest.ReasonBadValue, "the buckets do not fit the bounds or do not add up to the count"},
	FaultBounds:          {ingest.ReasonBadValue, "the edges of its buckets are not finite numbers in ascending order"},
}

// rejections collects the faults of one record.
type rejections struct {
	seen  int // samples met, good or bad
	count int // samples rejected
	first ingest.Rejection
}

func (r *rejections) reset() { *r = rejections{} }

// add notes that the latest sample is rejected, column being what the fault is
// about.
func (r *rejections) add(f Fault, column string) {
	text := faultText[f]
	detail := text.detail
	if f == FaultUTF8 || f == FaultNumber || f == FaultNegative || f == FaultLabel {
		detail = fmt.Sprintf(detail, column)
	}
	r.addRejection(text.reason, detail)
}

func (r *rejections) addRejection(reason, detail string) {
	r.count++
	if r.count == 1 {
		r.first = ingest.Rejection{Reason: reason, Detail: fmt.Sprintf("sample %d: %s", r.seen-1, detail)}
	}
}

// Err returns what was collected as the error of Decode: the first fault, and
// how many more samples have one.
func (r *rejections) Err() error {
	if r.count == 0 {
		return nil
	}
	out := r.first
	out.Samples = r.count
	if r.count > 1 {
		out.Detail += fmt.Sprintf(" (and %d more samples of the record have faults)", r.count-1)
	}
	return &out
}

// Malformed takes back what a record appended after the first rows and returns
// the rejection of the whole record.
func Malformed(b *ingest.Builder, rows int, detail string) error {
	b.Truncate(rows)
	return &ingest.Rejection{Reason: ingest.ReasonMalformed, Detail: detail}
}
