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
	warmUp      int64  // records before anything counts
	began       func() // called once, after them
	mu          sync.Mutex
	records     int64
	sum         Traffic
	first, last time.Time
}

func (t *traffic) total() Traffic {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sum
}

// wall is from the end of the warm-up to the last transaction ended or, where
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
	t.records += int64(m.NumRecords)
	if t.records <= t.warmUp {
		return
	}
	t.last = time.Now()
	if t.first.IsZero() {
		t.first = t.last
		t.began()
	}
	t.sum.FetchedBytes += int64(m.CompressedBytes)
	t.sum.FetchedRaw += int64(m.UncompressedBytes)
}

// counts reports whether the warm-up is over; the caller holds the lock.
func (t *traffic) counts() bool { return !t.first.IsZero() || t.warmUp == 0 }

// OnProduceBatchWritten implements kgo.HookProduceBatchWritten.
func (t *traffic) OnProduceBatchWritten(_ kgo.BrokerMetadata, _ string, _ int32, m kgo.ProduceBatchMetrics) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.counts() {
		return
	}
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
	if !t.counts() {
		return
	}
	t.sum.Commits++
	t.last = time.Now()
}
