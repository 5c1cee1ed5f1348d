package histogram

import (
	"testing"
)

func BenchmarkAdd(b *testing.B) {
	vs := latencies(1<<16, 0.5, 1)
	h := of(vs...)
	h.Reset()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		h.Add(vs[i&(1<<16-1)])
		i++
	}
}

// BenchmarkAddManySeries adds to 10,000 histograms in turn, out of the cache.
func BenchmarkAddManySeries(b *testing.B) {
	vs := latencies(1<<16, 0.5, 1)
	hs := make([]Histogram, 10000)
	for i := range hs {
		for _, v := range vs[i : i+1000] {
			hs[i].Add(v)
		}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		hs[i*7919%len(hs)].Add(vs[i&(1<<16-1)])
		i++
	}
}

func BenchmarkMerge(b *testing.B) {
	h, o := of(latencies(100000, 0.4, 1)...), of(latencies(2000, 0.4, 2)...)
	b.ReportAllocs()
	for b.Loop() {
		h.Merge(o)
	}
	lo, hi, _ := o.pos.occupied()
	b.ReportMetric(float64(hi-lo+1), "buckets")
}

func BenchmarkMergeBinary(b *testing.B) {
	h, o := of(latencies(100000, 0.4, 1)...), of(latencies(2000, 0.4, 2)...)
	data := o.AppendBinary(nil)
	b.ReportAllocs()
	for b.Loop() {
		if err := h.MergeBinary(data); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(data)), "bytes")
}

// BenchmarkMergeBinaryAnew merges into an empty histogram without memory.
func BenchmarkMergeBinaryAnew(b *testing.B) {
	data := of(latencies(2000, 0.4, 2)...).AppendBinary(nil)
	b.ReportAllocs()
	for b.Loop() {
		if err := new(Histogram).MergeBinary(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkQuantile(b *testing.B) {
	o := of(latencies(2000, 0.4, 2)...)
	b.ReportAllocs()
	for b.Loop() {
		o.Quantile(0.99)
	}
}

func BenchmarkAppendBinary(b *testing.B) {
	o := of(latencies(2000, 0.4, 2)...)
	var data []byte
	b.ReportAllocs()
	for b.Loop() {
		data = o.AppendBinary(data[:0])
	}
}

func BenchmarkAppendQuantilesDD(b *testing.B) {
	o := of(latencies(2000, 0.4, 2)...)
	var data []byte
	b.ReportAllocs()
	for b.Loop() {
		data = o.AppendQuantilesDD(data[:0])
	}
	b.ReportMetric(float64(len(data)), "bytes")
}
