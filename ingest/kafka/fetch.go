package kafka

import (
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// FetchOptions are how every member fetches.
func FetchOptions() []kgo.Opt {
	return []kgo.Opt{
		kgo.FetchMaxBytes(16 << 20),
		kgo.FetchMaxPartitionBytes(4 << 20),
		kgo.FetchMaxWait(500 * time.Millisecond),
	}
}

// FetchPool lets a Kafka client reuse the memory that it decompresses fetches
// into. Whoever polls must give records back with Recycle when it is done with
// them, and must not keep any part of them.
type FetchPool struct {
	mu      sync.Mutex
	bytes   [][]byte
	records [][]kgo.Record
}

// poolDepth bounds what is kept of each kind.
const poolDepth = 64

// NewFetchPool returns an empty pool, for one client.
func NewFetchPool() *FetchPool { return &FetchPool{} }

// GetDecompressBytes implements kgo.PoolDecompressBytes. OTLP compresses about
// eight times; a guess that is too small grows once and is kept then.
func (p *FetchPool) GetDecompressBytes(compressed []byte, _ kgo.CompressionCodecType) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.bytes); n > 0 {
		b := p.bytes[n-1]
		p.bytes = p.bytes[:n-1]
		return b
	}
	return make([]byte, 0, 8*len(compressed))
}

// PutDecompressBytes implements kgo.PoolDecompressBytes.
func (p *FetchPool) PutDecompressBytes(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.bytes) < poolDepth {
		p.bytes = append(p.bytes, b)
	}
}

// GetRecords implements kgo.PoolRecords.
func (p *FetchPool) GetRecords(n int) []kgo.Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.records) - 1; i >= 0; i-- {
		if r := p.records[i]; cap(r) >= n {
			p.records = append(p.records[:i], p.records[i+1:]...)
			return r[:0]
		}
	}
	return make([]kgo.Record, 0, n)
}

// PutRecords implements kgo.PoolRecords.
func (p *FetchPool) PutRecords(r []kgo.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.records) < poolDepth {
		p.records = append(p.records, r)
	}
}
