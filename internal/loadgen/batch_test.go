package loadgen

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flyball-io/flyball/internal/loadgen/shop"
)

// TestBatcherLaws: nothing is lost or moved, no record is too big, no span waits too long, and a record
// is short only because its time was up.
func TestBatcherLaws(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.IntRange(1, 20).Draw(rt, "size")
		timeout := time.Duration(rapid.IntRange(0, 10).Draw(rt, "timeout"))
		b := newBatcher(size, timeout)
		var in, out []shop.Span
		now := int64(0)
		emit := func(spans []shop.Span) error {
			if len(spans) == 0 || len(spans) > size {
				rt.Fatalf("a record has %d spans", len(spans))
			}
			// Start is when the batcher got the span.
			if waited := now - spans[0].Start; len(spans) < size && waited < int64(timeout) {
				rt.Fatalf("a record of %d spans went out after %d", len(spans), waited)
			}
			out = append(out, spans...)
			return nil
		}
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			now += int64(rapid.IntRange(1, 4).Draw(rt, "pause"))
			spans := make([]shop.Span, rapid.IntRange(0, 50).Draw(rt, "spans"))
			for i := range spans {
				spans[i].Start, spans[i].End = now, int64(len(in)+i)
			}
			in = append(in, spans...)
			if err := b.add(spans, now, emit); err != nil {
				rt.Fatal(err)
			}
			if len(b.waiting) > 0 && now-b.waiting[0].Start >= int64(timeout) {
				rt.Fatalf("a span waits since %d", b.waiting[0].Start)
			}
		}
		out = append(out, b.waiting...)
		if !slices.Equal(in, out) {
			rt.Fatalf("%d spans came out, in another order or number than %d", len(out), len(in))
		}
	})
}
