package loadgen

import (
	"testing"
	"time"

	"github.com/flyball-io/flyball/internal/loadgen/shop"
)

func BenchmarkShop(b *testing.B) {
	benchmark(b, func(*shop.Encoder, []shop.Span) int { return 0 })
}

func BenchmarkShopProto(b *testing.B) {
	var value []byte
	benchmark(b, func(e *shop.Encoder, spans []shop.Span) int {
		value = e.Append(value[:0], spans)
		return len(value)
	})
}

func BenchmarkShopProtoTruth(b *testing.B) {
	truth, err := NewTruth(10*time.Second, ByEnd)
	if err != nil {
		b.Fatal(err)
	}
	var value []byte
	benchmark(b, func(e *shop.Encoder, spans []shop.Span) int {
		value = e.Append(value[:0], spans)
		truth.Add(spans)
		return len(value)
	})
}

// benchmark counts one span per iteration.
func benchmark(b *testing.B, record func(*shop.Encoder, []shop.Span) int) {
	c := shop.Default()
	c.Start, c.Rate = epoch, 200_000
	s, err := shop.New(c)
	if err != nil {
		b.Fatal(err)
	}
	e, err := shop.NewEncoder(shop.OTLPProto)
	if err != nil {
		b.Fatal(err)
	}
	batch := newBatcher(100, time.Second)
	spans, bytes := 0, 0
	s.Next(s.Now().Add(2 * time.Second))
	b.ReportAllocs()
	b.ResetTimer()
	for spans < b.N {
		next := s.Now().Add(shop.Slot)
		if err := batch.add(s.Next(next), next.UnixNano(), func(part []shop.Span) error {
			spans += len(part)
			bytes += record(e, part)
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(spans)/b.Elapsed().Seconds(), "spans/s")
	if bytes > 0 {
		b.ReportMetric(float64(bytes)/float64(spans), "bytes/span")
	}
}
