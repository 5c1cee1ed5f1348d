package loadgen

import (
	"time"

	"github.com/flyball-io/flyball/internal/loadgen/shop"
)

// batcher cuts the stream of spans into records as the Collector's batch processor does: when a record
// is full, or when its first span has waited long enough in event time.
type batcher struct {
	size    int
	timeout int64
	waiting []shop.Span
	since   int64 // event time at which the first waiting span came
}

func newBatcher(size int, timeout time.Duration) *batcher {
	return &batcher{size: size, timeout: int64(timeout)}
}

// add passes every record that is due at the given event time to emit; the spans are only lent.
func (b *batcher) add(spans []shop.Span, now int64, emit func([]shop.Span) error) error {
	if len(b.waiting) > 0 {
		n := min(b.size-len(b.waiting), len(spans))
		b.waiting = append(b.waiting, spans[:n]...)
		spans = spans[n:]
		if len(b.waiting) == b.size {
			if err := b.flush(emit); err != nil {
				return err
			}
		}
	}
	for len(spans) >= b.size {
		if err := emit(spans[:b.size]); err != nil {
			return err
		}
		spans = spans[b.size:]
	}
	if len(spans) > 0 {
		b.waiting, b.since = append(b.waiting, spans...), now
	}
	if len(b.waiting) > 0 && now-b.since >= b.timeout {
		return b.flush(emit)
	}
	return nil
}

// flush emits what waits.
func (b *batcher) flush(emit func([]shop.Span) error) error {
	if len(b.waiting) == 0 {
		return nil
	}
	err := emit(b.waiting)
	b.waiting = b.waiting[:0]
	return err
}
