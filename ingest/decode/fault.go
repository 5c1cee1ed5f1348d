package decode

import (
	"fmt"

	"github.com/flyball-io/flyball/ingest"
)

// fault is what is wrong with one sample. It is a number and not an error so
// that the hot path neither allocates nor calls.
type fault uint8

const (
	noFault fault = iota
	faultFraming
	faultNotObject
	faultUTF8
	faultNoTime
	faultTimeForm
	faultTimeRange
	faultNoStart
	faultEndsBeforeStart
	faultNumber
	faultNegative
	faultLabel
)

// faultText gives the reason and the words of each fault; %s is the column.
var faultText = [...]struct{ reason, detail string }{
	faultFraming:         {ingest.ReasonMalformed, "its fields do not parse"},
	faultNotObject:       {ingest.ReasonMalformed, "it is not a JSON object"},
	faultUTF8:            {ingest.ReasonMalformed, "label %q is not valid UTF-8"},
	faultNoTime:          {ingest.ReasonNoTimestamp, "it has no event time"},
	faultTimeForm:        {ingest.ReasonNoTimestamp, "its event time is not of the form configured"},
	faultTimeRange:       {ingest.ReasonNoTimestamp, "its event time is out of range (years 1678 to 2262)"},
	faultNoStart:         {ingest.ReasonBadValue, "it has no start time"},
	faultEndsBeforeStart: {ingest.ReasonBadValue, "it ends before it starts"},
	faultNumber:          {ingest.ReasonBadValue, "value %q is not a finite number"},
	faultNegative:        {ingest.ReasonBadValue, "duration %q is negative"},
	faultLabel:           {ingest.ReasonBadValue, "label %q is an object or an array"},
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
func (r *rejections) add(f fault, column string) {
	text := faultText[f]
	detail := text.detail
	if f == faultUTF8 || f == faultNumber || f == faultNegative || f == faultLabel {
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

// err returns what was collected as the error of Decode: the first fault, and
// how many more samples have one.
func (r *rejections) err() error {
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

// malformed takes back what a record appended after the first rows and returns
// the rejection of the whole record.
func malformed(b *ingest.Builder, rows int, detail string) error {
	b.Truncate(rows)
	return &ingest.Rejection{Reason: ingest.ReasonMalformed, Detail: detail}
}
