package main

import (
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Traffic is what Kafka clients moved: the records of batches, without the
// headers of batches.
type Traffic struct {
	// FetchedBytes and ProducedBytes are compressed, as they go over the wire and
	// are stored.
	FetchedBytes  int64 `json:"fetched_bytes"`
	ProducedBytes int64 `json:"produced_bytes"`
	// FetchedRaw and ProducedRaw are not compressed.
	FetchedRaw  int64 `json:"fetched_raw"`
	ProducedRaw int64 `json:"produced_raw"`
	// Commits is how many transactions were ended.
	Commits int64 `json:"commits"`
}

// traffic is a hook of Kafka clients that counts, once per batch.
type traffic struct {
	began       func() // called once, with the first batch
	mu          sync.Mutex
	sum         Traffic
	first, last time.Time
}

func (t *traffic) total() Traffic {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sum
}

// wall is from the first batch fetched to the last transaction ended or, where
// there are none, the last batch fetched.
func (t *traffic) wall() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last.Sub(t.first)
}

// OnFetchBatchRead implements kgo.HookFetchBatchRead.
func (t *traffic) OnFetchBatchRead(_ kgo.BrokerMetadata, _ string, _ int32, m kgo.FetchBatchMetrics) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sum.FetchedBytes += int64(m.CompressedBytes)
	t.sum.FetchedRaw += int64(m.UncompressedBytes)
	t.last = time.Now()
	if t.first.IsZero() {
		t.first = t.last
		t.began()
	}
}

// OnProduceBatchWritten implements kgo.HookProduceBatchWritten.
func (t *traffic) OnProduceBatchWritten(_ kgo.BrokerMetadata, _ string, _ int32, m kgo.ProduceBatchMetrics) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sum.ProducedBytes += int64(m.CompressedBytes)
	t.sum.ProducedRaw += int64(m.UncompressedBytes)
}

// OnBrokerE2E implements kgo.HookBrokerE2E.
func (t *traffic) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, e kgo.BrokerE2E) {
	if key != int16(kmsg.EndTxn) || e.Err() != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sum.Commits++
	t.last = time.Now()
}
