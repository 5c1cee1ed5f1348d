package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/histogram"
)

// window is one of 10 s of one service and route.
type window struct {
	service, route string
	start          int64 // in milliseconds
}

// totals is what an engine found in a window.
type totals struct {
	count, failed int64
	nanos         float64
	buckets       map[int]int64 // of the histogram: (2^(i/32), 2^((i+1)/32)]
}

// results are all windows of an engine.
type results map[window]totals

func (r results) add(w window, t totals) error {
	if _, twice := r[w]; twice {
		return fmt.Errorf("cannot trust the results: there are two of %+v", w)
	}
	r[w] = t
	return nil
}

// equal says how the windows that start in [from, to) differ; nil if they do not. Of a
// part of the results, those that are there have to be equal.
func (r results) equal(want results, from, to time.Time, part bool) error {
	within := func(w window) bool { return w.start >= from.UnixMilli() && w.start < to.UnixMilli() }
	var differ []error
	seen := 0
	for w, t := range want {
		if _, there := r[w]; !within(w) || part && !there {
			continue
		}
		seen++
		if got, ok := r[w]; !ok {
			differ = append(differ, fmt.Errorf("%+v is not there", w))
		} else if err := got.equal(t); err != nil {
			differ = append(differ, fmt.Errorf("%+v: %w", w, err))
		}
	}
	for w := range r {
		if _, ok := want[w]; !ok && within(w) {
			differ = append(differ, fmt.Errorf("%+v should not be there", w))
		}
	}
	if seen == 0 {
		return errors.New("there is nothing to compare")
	}
	if len(differ) > 0 {
		return fmt.Errorf("%d of %d windows differ, such as %w", len(differ), seen, differ[0])
	}
	return nil
}

func (t totals) equal(want totals) error {
	if t.count != want.count || t.failed != want.failed || math.Abs(t.nanos-want.nanos) > 1e-12*want.nanos {
		return fmt.Errorf("%d requests, %d failures, %.0f ns; want %d, %d, %.0f", t.count, t.failed, t.nanos, want.count, want.failed, want.nanos)
	}
	for i := range want.buckets {
		if t.buckets[i] != want.buckets[i] {
			return fmt.Errorf("bucket %d holds %d, want %d", i, t.buckets[i], want.buckets[i])
		}
	}
	if len(t.buckets) != len(want.buckets) {
		return fmt.Errorf("%d buckets, want %d", len(t.buckets), len(want.buckets))
	}
	return nil
}

// readPeer reads a result as the peers in Java write it: see Totals.toResult.
func readPeer(r *kgo.Record, to results) error {
	service, route, ok := strings.Cut(string(r.Key), "\x00")
	if !ok || len(r.Value) < 44 {
		return fmt.Errorf("cannot read a result with key %q and %d bytes", r.Key, len(r.Value))
	}
	long := func(at int) int64 { return int64(binary.BigEndian.Uint64(r.Value[at:])) }
	number := func(at int) int { return int(int32(binary.BigEndian.Uint32(r.Value[at:]))) }
	t := totals{count: long(8), failed: long(16), nanos: float64(long(24)), buckets: map[int]int64{}}
	base, n := number(36), number(40)
	if len(r.Value) != 44+4*n {
		return fmt.Errorf("cannot read a result of %d buckets in %d bytes", n, len(r.Value))
	}
	for i := range n {
		if c := number(44 + 4*i); c > 0 {
			t.buckets[base+i] = int64(c)
		}
	}
	return to.add(window{service, route, long(0)}, t)
}

// readFlyball reads a block of windows.
func readFlyball(r *kgo.Record, to results) error {
	rec, err := processors.DecodeRecord(r.Value)
	if err != nil {
		return err
	}
	defer rec.Release()
	column := func(name string) int { return rec.Schema().FieldIndices(name)[0] }
	text := func(name string) *array.String { return rec.Column(column(name)).(*array.String) }
	number := func(name string) *array.Int64 { return rec.Column(column(name)).(*array.Int64) }
	entity, labels := text("entity"), text("labels")
	start := rec.Column(column("start")).(*array.Timestamp)
	count, bad := number("count"), number("bad")
	sum := rec.Column(column("sum")).(*array.Float64)
	hist := rec.Column(column("hist")).(*array.Binary)
	for i := range int(rec.NumRows()) {
		var l map[string]string
		if err := json.Unmarshal([]byte(labels.Value(i)), &l); err != nil {
			return fmt.Errorf("cannot read labels %q: %w", labels.Value(i), err)
		}
		t := totals{count: count.Value(i), failed: bad.Value(i), nanos: sum.Value(i)}
		if t.buckets, err = bucketsOf(hist.Value(i)); err != nil {
			return err
		}
		if err := to.add(window{entity.Value(i), l["http.route"], int64(start.Value(i)) / 1e6}, t); err != nil {
			return err
		}
	}
	return nil
}

func bucketsOf(state []byte) (map[int]int64, error) {
	var h histogram.Histogram
	if err := h.MergeQuantilesDD(state); err != nil {
		return nil, err
	}
	buckets := map[int]int64{}
	for b := range h.Buckets() {
		if b.Lower > 0 {
			buckets[int(math.Round(32*math.Log2(b.Lower)))] = int64(b.Count)
		}
	}
	return buckets, nil
}
