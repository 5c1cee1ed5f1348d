package kafka

import (
	"testing"
	"unsafe"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestFreeListGivesWhatFits(t *testing.T) {
	var l freeList[byte]
	f := func(put, get int, reused bool) {
		t.Helper()
		l = freeList[byte]{}
		given := make([]byte, put)
		l.put(given)
		got := l.get(get)
		if len(got) != 0 || cap(got) < get {
			t.Fatalf("asked for %d, got length %d and capacity %d", get, len(got), cap(got))
		}
		if again := cap(got) > 0 && &got[:1][0] == &given[0]; again != reused {
			t.Errorf("put %d, got for %d: reused is %v, want %v", put, get, again, reused)
		}
	}
	f(1024, 1024, true)
	f(1024, 1000, true)
	f(1024, 512, false) // half as large: zeroing the rest would cost too much
	f(1024, 1025, false)
	f(1100, 1024, true)
	f(1100, 1090, false) // may not fit, as far as the list knows
	f(8, 0, true)
	f(7, 7, false)
	l = freeList[byte]{}
	for range 2 * listDepth {
		l.put(make([]byte, 64))
	}
	if n := len(l.lists[sizeUp(64)]); n != listDepth {
		t.Errorf("%d slices are kept, want %d", n, listDepth)
	}
}

func TestSizesAreTight(t *testing.T) {
	for n := 1; n < 1<<20; n += 1 + n/100 {
		c := sizeUp(n)
		if capacity(c) < n || c > 0 && capacity(c-1) >= n || n > 8 && capacity(c) > n+n/7 {
			t.Fatalf("%d gets size %d of capacity %d", n, c, capacity(c))
		}
	}
}

func TestFetchPoolLearnsTheRatio(t *testing.T) {
	p := &fetchPool{}
	size := func() int { return cap(p.GetDecompressBytes(make([]byte, 1000), kgo.CodecZstd)) }
	if got := size(); got < firstRatio*1000 || got > 2*firstRatio*1000 {
		t.Errorf("at first: %d", got)
	}
	p.OnFetchBatchRead(kgo.BrokerMetadata{}, "t", 0, kgo.FetchBatchMetrics{CompressedBytes: 100, UncompressedBytes: 3000, CompressionType: 4})
	p.OnFetchBatchRead(kgo.BrokerMetadata{}, "t", 0, kgo.FetchBatchMetrics{CompressedBytes: 1 << 30, UncompressedBytes: 1 << 30})
	if got := size(); got < 30_000 || got > 66_000 {
		t.Errorf("after a batch of ratio 30: %d", got)
	}
	for range 100 {
		p.OnFetchBatchRead(kgo.BrokerMetadata{}, "t", 0, kgo.FetchBatchMetrics{CompressedBytes: 1 << 20, UncompressedBytes: 3 << 20, CompressionType: 4})
	}
	if got := size(); got < 3000 || got > 8000 {
		t.Errorf("after many batches of ratio 3: %d", got)
	}
}

func TestFreeListIsBounded(t *testing.T) {
	var l freeList[kgo.Record]
	for range 2 * listDepth {
		l.put(make([]kgo.Record, 20_000))
	}
	size := int(unsafe.Sizeof(kgo.Record{}))
	if kept := l.kept * size; kept > keptBytes || kept < keptBytes/2 {
		t.Errorf("%d bytes are kept, want at most %d and not much less", kept, keptBytes)
	}
	before := l.kept
	l.get(18_000)
	if l.kept >= before {
		t.Error("what is given is counted as kept")
	}
}

// TestFetchesAreBoundedDecompressed: the better batches compress, the less is asked for.
func TestFetchesAreBoundedDecompressed(t *testing.T) {
	f := &fetchSizer{size: maxFetch}
	read := func(ratio, batches int) int32 {
		for range batches {
			f.read(kgo.FetchBatchMetrics{CompressedBytes: (1 << 20) / ratio, UncompressedBytes: 1 << 20})
		}
		return f.size
	}
	near := func(what string, got int32, want int) {
		t.Helper()
		if float64(got) < 0.7*float64(want) || float64(got) > 1.4*float64(want) {
			t.Errorf("%s: %d bytes are asked for, want about %d", what, got, want)
		}
	}
	near("telemetry as it is", read(9, 500), maxFetch)
	near("a hundred times", read(100, 500), rawFetch/100)
	near("without an end", read(100_000, 2000), minFetch)
	near("as before", read(9, 500), maxFetch)
	near("not compressed", read(1, 500), maxFetch)
}
