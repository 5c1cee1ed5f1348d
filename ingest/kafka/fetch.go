package kafka

import (
	"math/bits"
	"sync"
	"time"
	"unsafe"

	"github.com/twmb/franz-go/pkg/kgo"
)

// FetchOptions are how every member fetches. A fetch is decompressed as a whole
// before any of it is polled, so that large ones leave the processor's caches and
// take memory: telemetry compresses about nine times. Of what compresses better, less
// is fetched at once, see fetchSizer.
func FetchOptions() []kgo.Opt {
	return []kgo.Opt{
		kgo.FetchMaxBytes(maxFetch),
		kgo.FetchMaxPartitionBytes(maxFetch / 4),
		kgo.FetchMaxWait(500 * time.Millisecond),
		kgo.MaxDecompressBatchBytes(MaxBatchBytes),
		kgo.WithHooks(&fetchSizer{size: maxFetch}),
	}
}

// RecycledFetches lets one client reuse the memory that fetches are decompressed
// into. Whoever polls must give each record back with Recycle when it is done
// with it, and must not keep any part of it.
func RecycledFetches() []kgo.Opt {
	p := &fetchPool{}
	return []kgo.Opt{kgo.WithPools(p), kgo.WithHooks(p)}
}

// fetchPool keeps the memory of fetches by size: the client zeroes the whole of
// what it gives back, so that a large piece for a small batch would cost more
// than the batch.
type fetchPool struct {
	mu      sync.Mutex
	bytes   freeList[byte]
	records freeList[kgo.Record]
	// Bytes of late batches before and after decompression.
	compressed, raw int
}

// firstRatio is by how much batches are taken to be compressed before the first
// was seen.
const firstRatio = 8

// remembered is how many compressed bytes the ratio is told from; those before
// count half.
const remembered = 16 << 20

// OnFetchBatchRead implements kgo.HookFetchBatchRead.
func (p *fetchPool) OnFetchBatchRead(_ kgo.BrokerMetadata, _ string, _ int32, m kgo.FetchBatchMetrics) {
	if m.CompressionType == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.compressed > remembered {
		p.compressed, p.raw = p.compressed/2, p.raw/2
	}
	p.compressed += m.CompressedBytes
	p.raw += m.UncompressedBytes
}

// GetDecompressBytes implements kgo.PoolDecompressBytes. Its guess is a little
// higher than the ratio of late, because what is too small is thrown away.
func (p *fetchPool) GetDecompressBytes(compressed []byte, _ kgo.CompressionCodecType) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := firstRatio * len(compressed)
	if p.compressed > 0 {
		n = int(float64(len(compressed)) * float64(p.raw) / float64(p.compressed) * 1.1)
	}
	return p.bytes.get(n)
}

// PutDecompressBytes implements kgo.PoolDecompressBytes.
func (p *fetchPool) PutDecompressBytes(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bytes.put(b)
}

// GetRecords implements kgo.PoolRecords.
func (p *fetchPool) GetRecords(n int) []kgo.Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.records.get(n)
}

// PutRecords implements kgo.PoolRecords.
func (p *fetchPool) PutRecords(r []kgo.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.records.put(r)
}

// freeList keeps slices by the size that their capacity reaches; eight sizes make
// a doubling.
type freeList[T any] struct {
	lists [sizes][][]T
	kept  int // elements of all
}

const sizes = 8 * 32

// listDepth bounds the slices kept of each size, and keptBytes what all of them take:
// after a backlog of large batches they would keep its memory for ever.
const (
	listDepth = 64
	keptBytes = 32 << 20
)

// get returns an empty slice with room for n, and for little more.
func (l *freeList[T]) get(n int) []T {
	c := sizeUp(n)
	if c+1 >= sizes {
		return make([]T, 0, n)
	}
	for _, c := range []int{c, c + 1} {
		list := l.lists[c]
		if k := len(list); k > 0 {
			s := list[k-1]
			list[k-1] = nil
			l.lists[c] = list[:k-1]
			l.kept -= cap(s)
			return s[:0]
		}
	}
	return make([]T, 0, capacity(c))
}

// put takes a slice back.
func (l *freeList[T]) put(s []T) {
	c := sizeUp(cap(s))
	if c < sizes && capacity(c) > cap(s) {
		c--
	}
	var one T
	if c >= 0 && c < sizes && len(l.lists[c]) < listDepth && (l.kept+cap(s))*int(unsafe.Sizeof(one)) <= keptBytes {
		l.lists[c] = append(l.lists[c], s)
		l.kept += cap(s)
	}
}

// capacity returns the capacity of size c: 8 to 15, doubled c/8 times.
func capacity(c int) int { return (8 + c%8) << (c / 8) }

// sizeUp returns the smallest size with room for n.
func sizeUp(n int) int {
	if n <= 8 {
		return 0
	}
	doublings := bits.Len(uint(n-1)) - 4
	return 8*doublings + (n-1)>>doublings - 7
}
