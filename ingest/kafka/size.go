package kafka

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// maxFetch is the most compressed bytes that are fetched from a broker at once, and
	// minFetch the least that is asked for as the most; a batch is fetched whole.
	maxFetch = 4 << 20
	minFetch = 16 << 10
	// rawFetch is what a fetch may come to once it is decompressed.
	rawFetch = 40 << 20
)

// fetchSizer asks for less where batches compress well: brokers count compressed bytes,
// but memory holds the others. A backlog of batches that compress a thousand times
// would else take gigabytes.
type fetchSizer struct {
	mu              sync.Mutex
	client          *kgo.Client
	compressed, raw float64 // bytes of late
	size            int32
}

// OnNewClient implements kgo.HookNewClient.
func (f *fetchSizer) OnNewClient(c *kgo.Client) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.client = c
}

// OnFetchBatchRead implements kgo.HookFetchBatchRead.
func (f *fetchSizer) OnFetchBatchRead(_ kgo.BrokerMetadata, _ string, _ int32, m kgo.FetchBatchMetrics) {
	f.mu.Lock()
	defer f.mu.Unlock()
	size, changed := f.read(m)
	if changed && f.client != nil {
		f.client.UpdateFetchMaxBytes(size, size/4)
	}
}

// read notes a batch, and returns how much should be fetched at once and whether that
// is another size than before, by a quarter or more.
func (f *fetchSizer) read(m kgo.FetchBatchMetrics) (size int32, changed bool) {
	f.compressed += float64(m.CompressedBytes)
	f.raw += float64(m.UncompressedBytes)
	if f.raw > 2*rawFetch {
		f.compressed, f.raw = f.compressed/2, f.raw/2
	}
	if f.raw <= 0 || f.compressed <= 0 {
		return f.size, false
	}
	want := int32(min(max(rawFetch*f.compressed/f.raw, minFetch), maxFetch))
	if d := want - f.size; d == 0 || max(d, -d) < f.size/4 && want != maxFetch {
		return f.size, false
	}
	f.size = want
	return want, true
}
