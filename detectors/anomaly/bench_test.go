package anomaly

import (
	"math"
	"math/rand"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
)

// BenchmarkEnsemble prints what a window costs the default ensemble, on a series with a
// daily course that it has known for two weeks; it must not allocate.
func BenchmarkEnsemble(b *testing.B) {
	e, err := New(Default())
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewSource(1))
	values := make([]float64, 1<<14)
	for i := range values {
		values[i] = 100 + 30*math.Sin(float64(i)/1440*2*math.Pi) + rng.NormFloat64()*5
	}
	at := flyball.Time(0)
	for i := range 14 * 1440 {
		at = at.Add(time.Minute)
		e.Observe(Point{At: at, Value: values[i%len(values)], Count: 100})
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		at = at.Add(time.Minute)
		e.Observe(Point{At: at, Value: values[i%len(values)], Count: 100})
	}
	b.ReportMetric(float64(len(e.AppendSnapshot(nil))), "state-bytes")
}
