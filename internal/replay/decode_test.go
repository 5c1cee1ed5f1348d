package replay

import (
	"errors"
	"math"
	"testing"

	"github.com/flyball-io/flyball/ingest"
)

// broken is a decoder with a bug, after one sample.
type broken struct{ err error }

func (d broken) Decode(_ []byte, b *ingest.Builder) error {
	if err := b.Append(1, 0, nil); err != nil {
		return err
	}
	if d.err != nil {
		return d.err
	}
	panic("a bug")
}

func TestDecoderThatFails(t *testing.T) {
	f := func(d ingest.Decoder, reason string, samples int) {
		t.Helper()
		b := ingest.NewBuilder(ingest.Projection{}, ingest.NewDictionary(0), ingest.NewPool())
		b.SetLatest(math.MaxInt64)
		r := decodeRecord(d, &Record{}, b)
		if r == nil || r.Reason != reason || b.Len() != samples {
			t.Errorf("%v, %d samples; want %s, %d", r, b.Len(), reason, samples)
		}
	}
	f(broken{}, ingest.ReasonPanic, 0)
	f(broken{errors.New("odd")}, ingest.ReasonMalformed, 1)
	f(broken{&ingest.Rejection{Reason: ingest.ReasonBadValue, Samples: 1}}, ingest.ReasonBadValue, 1)
}
