package replay

import (
	"fmt"

	"github.com/flyball-io/flyball/ingest"
)

// decodeRecord appends the samples of a record. It contains a decoder's panic: that is a
// bug, but it must cost one record.
func decodeRecord(d ingest.Decoder, r *Record, b *ingest.Builder) (rejected *ingest.Rejection) {
	before := b.Len()
	defer func() {
		if p := recover(); p != nil {
			b.Truncate(before)
			rejected = &ingest.Rejection{Reason: ingest.ReasonPanic, Detail: fmt.Sprint(p)}
		}
	}()
	err := decodeAny(d, r, b)
	if err == nil {
		return nil
	}
	rejected, ok := ingest.Rejected(err)
	if !ok {
		rejected = &ingest.Rejection{Reason: ingest.ReasonMalformed, Detail: err.Error()}
	}
	return rejected
}

func decodeAny(d ingest.Decoder, r *Record, b *ingest.Builder) error {
	if h, ok := d.(ingest.RecordDecoder); ok {
		return h.DecodeRecord(r.Headers, r.Value, b)
	}
	return d.Decode(r.Value, b)
}
