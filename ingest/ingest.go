// Package ingest is the contract of the first stage: records of telemetry in,
// samples out, as Arrow columns.
//
// A [Decoder] walks one Kafka record and appends its samples to a [Builder],
// which keeps the columns that some indicator needs ([Projection]) and nothing
// else. Labels are interned: a row holds one number, the id of its label set in
// a [Dictionary], so that filters and group-bys run once per distinct label set
// and not once per sample. [Builder.Batch] hands the columns over.
package ingest

import (
	"errors"
	"fmt"
)

// Decoder turns the value of a Kafka record into samples.
type Decoder interface {
	// Decode appends every sample of value to b. It must not keep value or parts
	// of it after it returns.
	//
	// An error is a *Rejection. Samples appended before it stay when the fault is
	// in one sample of a well-formed record (Rejection.Samples > 0); a record
	// that is not well-formed appends nothing.
	Decode(value []byte, b *Builder) error
}

// Complainer is a Decoder that can tell that records were taken but lack something that
// is wanted, as when a new schema has lost a field.
type Complainer interface {
	Decoder
	// TakeComplaint returns what is wrong with the records since the last call, empty for
	// nothing.
	TakeComplaint() string
}

// Header is one header of a Kafka record.
type Header struct {
	Key   string
	Value []byte
}

// RecordDecoder is a Decoder of a format that says something in the headers.
type RecordDecoder interface {
	Decoder
	// DecodeRecord is Decode with the headers of the record, which must not be kept.
	DecodeRecord(headers []Header, value []byte, b *Builder) error
}

// Reasons for which a record or a sample is rejected; they are the values of the
// label `reason` in metrics and of the dead-letter header.
const (
	ReasonMalformed   = "malformed"    // the bytes are not what the format says
	ReasonNoTimestamp = "no_timestamp" // a sample has no event time, or none that can be read
	ReasonTooFarAhead = "too_far_ahead"
	ReasonBadValue    = "bad_value" // a field has a type or range that cannot be measured
	ReasonPanic       = "panic"     // a bug in a decoder, contained
	ReasonNoSchema    = "no_schema" // the schema that it names cannot be had or used
)

// Rejection says why a record, or samples in it, were not taken.
type Rejection struct {
	// Reason is one of the Reason constants.
	Reason string
	// Samples is how many samples of the record were rejected while the others
	// were taken; 0 means the whole record.
	Samples int
	// Detail says what and where, for a person.
	Detail string
}

// Error returns reason and detail.
func (r *Rejection) Error() string {
	if r.Samples > 0 {
		return fmt.Sprintf("cannot decode %d samples: %s: %s", r.Samples, r.Reason, r.Detail)
	}
	return fmt.Sprintf("cannot decode record: %s: %s", r.Reason, r.Detail)
}

// Rejected returns the Rejection in err.
func Rejected(err error) (*Rejection, bool) {
	var r *Rejection
	ok := errors.As(err, &r)
	return r, ok
}

// Projection lists the columns that the indicators of a source need.
type Projection struct {
	// Labels are label names; their place is their column number.
	Labels []string
	// Values are names of numeric fields; their place is their column number.
	Values []string
	// Only, when set, lists for some labels the values that matter: a sample with
	// another one is wanted by nobody, and may be passed over.
	Only map[string][]string
	// Examples says that traces and notes of samples are wanted, to be shown.
	Examples bool
}

// Label returns the column number of a label, or -1.
func (p Projection) Label(name string) int { return index(p.Labels, name) }

// Value returns the column number of a numeric field, or -1.
func (p Projection) Value(name string) int { return index(p.Values, name) }

func index(list []string, s string) int {
	for i, x := range list {
		if x == s {
			return i
		}
	}
	return -1
}
