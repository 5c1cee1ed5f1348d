package loadgen

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyball-io/flyball/internal/loadgen/shop"
	"go.uber.org/goleak"
)

// memorySink keeps everything.
type memorySink struct {
	partitions int
	records    [][]byte
	turns      []int
	flushed    int
	onWrite    func()
}

func (s *memorySink) Write(_ context.Context, partition int, value []byte) error {
	s.records = append(s.records, bytes.Clone(value))
	s.turns = append(s.turns, partition)
	if s.onWrite != nil {
		s.onWrite()
	}
	return nil
}

func (s *memorySink) Flush(context.Context) error { s.flushed++; return nil }
func (s *memorySink) Partitions() int             { return s.partitions }

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var epoch = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func testConfig() Config {
	cfg := Default()
	cfg.Shop.Start, cfg.Shop.Duration = epoch, 20*time.Second
	cfg.Unpaced = true
	return cfg
}

// digest is the hash of everything a run writes.
func digest(t testing.TB, cfg Config) string {
	t.Helper()
	h := sha256.New()
	runner, err := NewRunner(cfg)
	if err != nil {
		t.Fatal(err)
	}
	sink := &memorySink{partitions: 3}
	if _, err := runner.Run(t.Context(), sink, nil); err != nil {
		t.Fatal(err)
	}
	for i, r := range sink.records {
		fmt.Fprintf(h, "%d %d ", sink.turns[i], len(r))
		h.Write(r)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func TestSameSeedSameBytes(t *testing.T) {
	f := func(encoding shop.Encoding) {
		t.Helper()
		cfg := testConfig()
		cfg.Encoding = encoding
		cfg.Shop.SkewMax, cfg.Shop.LateShare, cfg.Shop.LateMax = 20*time.Millisecond, 0.02, 8*time.Second
		cfg.Shop.Canaries = []shop.Canary{{Service: "payment", Version: "1.9.0", Share: 0.2}}
		cfg.Shop.Incidents = []shop.Incident{{Kind: shop.ErrorBurst, Service: "payment", Version: "1.9.0", Start: time.Second, Duration: 5 * time.Second}}
		first := digest(t, cfg)
		if again := digest(t, cfg); again != first {
			t.Errorf("%s: the same seed gave other bytes: %s, then %s", encoding, first, again)
		}
		cfg.Shop.Seed++
		if other := digest(t, cfg); other == first {
			t.Errorf("%s: another seed gave the same bytes", encoding)
		}
	}
	f(shop.OTLPProto)
	f(shop.OTLPJSON)
}

func TestPacedRunFollowsTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.Unpaced = false
		cfg.Shop.Start = time.Time{}
		began := time.Now()
		runner, err := NewRunner(cfg)
		if err != nil {
			t.Fatal(err)
		}
		sink := &memorySink{partitions: 2}
		var last Stats
		sink.onWrite = func() {
			if lead := time.Until(runner.shop.Now()); runner.shop.Accepting() && lead > 0 {
				t.Fatalf("the shop is %s ahead of the clock", lead)
			}
		}
		calls := 0
		result, err := runner.Run(t.Context(), sink, func(s Stats) { last = s; calls++ })
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != cfg.Shop.Duration {
			t.Errorf("took %s, want %s", took, cfg.Shop.Duration)
		}
		if calls < 19 || last != result.Stats {
			t.Errorf("%d calls with stats, the last one %+v; the result is %+v", calls, last, result.Stats)
		}
		if result.Spans < 36_000 || result.Spans > 44_000 || sink.flushed != 1 {
			t.Errorf("%d spans, %d flushes; want about 40,000 and 1", result.Spans, sink.flushed)
		}
	})
}

func TestCancelIsAClientsCleanEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.Unpaced = false
		cfg.Shop.Start, cfg.Shop.Duration = time.Time{}, 0
		runner, err := NewRunner(cfg)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 7300*time.Millisecond)
		defer cancel()
		sink := &memorySink{partitions: 2}
		result, err := runner.Run(ctx, sink, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !runner.shop.Done() || len(runner.batch.waiting) > 0 || sink.flushed != 1 {
			t.Errorf("spans were left behind: done %v, %d waiting, %d flushes", runner.shop.Done(), len(runner.batch.waiting), sink.flushed)
		}
		if got := decodeAll(t, shop.OTLPProto, sink.records); int64(len(got)) != result.Spans || result.Spans < 12_000 {
			t.Errorf("%d spans arrived, %d were counted", len(got), result.Spans)
		}
	})
}

func TestExactlyMaxSpans(t *testing.T) {
	f := func(limit int64) {
		t.Helper()
		cfg := testConfig()
		cfg.Shop.Duration, cfg.MaxSpans = 0, limit
		runner, err := NewRunner(cfg)
		if err != nil {
			t.Fatal(err)
		}
		sink := &memorySink{partitions: 2}
		result, err := runner.Run(t.Context(), sink, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := int64(len(decodeAll(t, shop.OTLPProto, sink.records))); got != limit || result.Spans != limit {
			t.Errorf("%d spans arrived and %d were counted, want %d", got, result.Spans, limit)
		}
	}
	f(1)
	f(100)
	f(12_345)
}

func TestRecordsTakeTurns(t *testing.T) {
	cfg := testConfig()
	cfg.Shop.Duration = 3 * time.Second
	runner, err := NewRunner(cfg)
	if err != nil {
		t.Fatal(err)
	}
	sink := &memorySink{partitions: 3}
	if _, err := runner.Run(t.Context(), sink, nil); err != nil {
		t.Fatal(err)
	}
	for i, partition := range sink.turns {
		if partition != i%3 {
			t.Fatalf("record %d went to partition %d", i, partition)
		}
	}
	full := 0
	for _, record := range sink.records {
		n := len(decodeAll(t, shop.OTLPProto, [][]byte{record}))
		if n > cfg.BatchSpans {
			t.Fatalf("a record has %d spans", n)
		}
		if n == cfg.BatchSpans {
			full++
		}
	}
	if full*10 < len(sink.records)*6 {
		t.Errorf("only %d of %d records are full", full, len(sink.records))
	}
}

func TestHealAndRollback(t *testing.T) {
	cfg := testConfig()
	cfg.Shop.Canaries = []shop.Canary{{Service: "payment", Version: "1.9.0", Share: 0.5}}
	cfg.Shop.Incidents = []shop.Incident{{Kind: shop.ErrorBurst, Service: "cart", Start: 0, Duration: time.Minute, Severity: 1}}
	runner, err := NewRunner(cfg)
	if err != nil {
		t.Fatal(err)
	}
	sink := &memorySink{partitions: 1}
	middle := cfg.Shop.Start.Add(10 * time.Second)
	healed := false
	sink.onWrite = func() {
		if healed || runner.shop.Now().Before(middle) {
			return
		}
		healed = true
		if n, err := runner.Heal("cart"); n != 1 || err != nil {
			t.Errorf("ended %d incidents: %v", n, err)
		}
		if err := runner.SetCanary("payment", 0); err != nil {
			t.Error(err)
		}
	}
	result, err := runner.Run(t.Context(), sink, nil)
	if err != nil {
		t.Fatal(err)
	}
	if end := result.Labels[0].End; !end.Equal(middle) {
		t.Errorf("the label ends at %s, want %s", end, middle)
	}
	windows := result.Truth.Sum(func(k TruthKey) (TruthKey, bool) {
		return TruthKey{Service: k.Service, Version: k.Version, Window: k.Window}, k.served()
	})
	at := func(service, version string, after time.Duration) Cell {
		return windows[TruthKey{Service: service, Version: version, Window: epoch.Add(after).UnixNano()}]
	}
	if c := at("cart", "4.2.0", 0); c.Errors != c.Count || c.Count == 0 {
		t.Errorf("during the incident %d of %d requests fail", c.Errors, c.Count)
	}
	if c := at("cart", "4.2.0", 10*time.Second); c.Errors*20 > c.Count || c.Count == 0 {
		t.Errorf("after the incident %d of %d requests fail", c.Errors, c.Count)
	}
	// Payments fail before the cart is healed, so canary and stable are compared by presence only.
	if c := at("payment", "1.9.0", 10*time.Second); c.Count > 2 {
		t.Errorf("the canary still got %d requests", c.Count)
	}
	if c := at("payment", "1.8.2", 10*time.Second); c.Count == 0 {
		t.Error("the stable version got no requests")
	}
	if _, err := runner.Heal("nobody"); err == nil {
		t.Error("healed a service that does not exist")
	}
	if err := runner.SetCanary("cart", 0.1); err == nil {
		t.Error("set the share of a canary that does not exist")
	}
}
