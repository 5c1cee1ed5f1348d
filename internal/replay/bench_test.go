package replay

import (
	"testing"
	"time"
)

// BenchmarkFiles replays an hour of a shop at 20 spans per second, in panes of five seconds.
func BenchmarkFiles(b *testing.B) {
	c := shopLoad()
	c.Shop.Rate, c.Shop.Duration = 20, time.Hour
	dir := record(b, c)
	spec := load(b)
	spans, took := int64(0), time.Duration(0)
	for b.Loop() {
		began := time.Now()
		r := fromFiles(b, during(spec), dir)
		spans, took = spans+r.summary.Samples, took+time.Since(began)
	}
	b.ReportMetric(float64(b.N)*time.Hour.Seconds()/took.Seconds(), "x_real_time")
	b.ReportMetric(float64(spans)/took.Seconds(), "samples/s")
}
