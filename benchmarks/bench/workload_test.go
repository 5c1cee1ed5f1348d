package main

import (
	"hash/maphash"
	"io"
	"testing"
	"time"
)

// TestOtherWorkloads measures metrics and events; aggregate and the floor have to agree.
func TestOtherWorkloads(t *testing.T) {
	for name, samples := range map[string]int64{"metrics": 40_000, "json": 4_000} {
		t.Run(name, func(t *testing.T) {
			m, err := measure(t.Context(), Plan{Workload: name, Spans: samples, WarmUp: 0.25, Rate: 2000, Partitions: 3, Workers: 2, Rounds: 1}, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			if m.Sums.Spans != samples || m.Sums.Failed == 0 || m.Sums.Series != 60 || m.Sums.Total <= 0 {
				t.Errorf("found %+v", m.Sums)
			}
			if r := m.report(); !(r.AggregateRatio > 0) || !(r.PanesBytesRatio > 0) {
				t.Errorf("cannot be: %+v", r)
			}
		})
	}
}

func TestWalkersRefuseTornRecords(t *testing.T) {
	for _, name := range []string{"metrics", "json"} {
		w := workloads[name]
		whole, holds := w.generate(time.Unix(1_700_000_000, 0), 1000).Append(nil)
		out := newTallies()
		walk := w.walk(maphash.MakeSeed(), out)
		if err := walk.record(whole); err != nil || out.sums().Spans != holds.Samples || out.sums().Failed != holds.Failed {
			t.Errorf("%s: %+v, %v; want %+v", name, out.sums(), err, holds)
		}
		if err := walk.record(whole[:len(whole)/2]); err == nil {
			t.Errorf("%s: half a record is taken", name)
		}
	}
}
