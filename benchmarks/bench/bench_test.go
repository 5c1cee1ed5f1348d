package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flyball-io/flyball/benchmarks/figures"
	"github.com/flyball-io/flyball/benchmarks/record"
)

// TestMain lets the test binary be the children of the benchmark.
func TestMain(m *testing.M) {
	if code, child := runTask(); child {
		os.Exit(code)
	}
	os.Exit(m.Run())
}

func TestBenchmarkEndToEnd(t *testing.T) {
	plan := Plan{
		Workload: "spans", Spans: 40_000, WarmUp: 0.25, Rate: 2000, Partitions: 3, Workers: 2, Rounds: 2,
		SteadyRate: 5000, SteadyFor: time.Second, Profiles: t.TempDir(),
	}
	m, err := measure(t.Context(), plan, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if m.Loaded.Spans != plan.Spans || m.Sums.Spans != plan.Spans || m.Sums.Failed == 0 || m.Sums.Series < 10 || m.Spans != 30_000 {
		t.Errorf("loaded %+v, found %+v, measured %d", m.Loaded, m.Sums, m.Spans)
	}
	if len(m.Floor) != 2 || len(m.Aggregate) != 2 {
		t.Fatalf("%d rounds of floor, %d of aggregate", len(m.Floor), len(m.Aggregate))
	}
	for _, u := range append(m.Floor, append(m.Aggregate, m.Steady)...) {
		if u.CPU <= 0 || u.Wall <= 0 || u.Peak <= 0 || u.Traffic.FetchedBytes <= 0 || u.Traffic.FetchedRaw < 4*u.Traffic.FetchedBytes {
			t.Errorf("cannot be: %+v", u)
		}
	}
	for _, u := range append(m.Aggregate, m.Steady) {
		if u.Traffic.Commits == 0 || u.Traffic.ProducedBytes <= 0 {
			t.Errorf("aggregate sent nothing: %+v", u)
		}
	}
	r := m.report()
	r.addRecord(record.Result{Ratio: 0.9, CPURatio: 0.8})
	if !(r.AggregateRatio > 0) || !(r.PanesBytesRatio > 0 && r.PanesBytesRatio < 1) || !(r.SteadyPanesBytesRatio > 0 && r.SteadyPanesBytesRatio < 1) {
		t.Errorf("cannot be: %+v", r)
	}
	var table bytes.Buffer
	m.print(&table, r)
	for _, want := range []string{"floor loop", "aggregate", "ratio of CPU", "catching up", "at 5000 spans/s"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table has no line %q:\n%s", want, table.String())
		}
	}
	for _, name := range []string{"spans-floor.prof", "spans-aggregate.prof"} {
		if s, err := os.Stat(filepath.Join(plan.Profiles, name)); err != nil || s.Size() == 0 {
			t.Errorf("profile %s: %v", name, err)
		}
	}
	checkReport(t, r)
}

// checkReport checks the names that others read.
func checkReport(t *testing.T, r Report) {
	path := filepath.Join(t.TempDir(), "out", "bench.json")
	if err := figures.Write(path, r); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"floor_ns_per_span", "aggregate_ns_per_span", "aggregate_ratio", "allocs_per_span", "panes_bytes_ratio", "record_ratio", "floor_spans_per_s", "aggregate_spans_per_s", "spans_per_s_core"} {
		if v, ok := fields[name].(float64); !ok || v <= 0 {
			t.Errorf("%s is %v", name, fields[name])
		}
	}
	if fields["record_ratio"] != 0.9 {
		t.Errorf("record_ratio is %v", fields["record_ratio"])
	}
}

func TestCheckSeesLostSpans(t *testing.T) {
	want := Sums{Spans: 10, Failed: 1, Total: 2, Series: 3}
	f := func(got Sums, ok bool) {
		t.Helper()
		if err := want.equal(got); (err == nil) != ok {
			t.Errorf("%+v: %v", got, err)
		}
	}
	f(want, true)
	f(Sums{Spans: 10, Failed: 1, Total: 2 + 1e-12, Series: 3}, true)
	f(Sums{Spans: 9, Failed: 1, Total: 2, Series: 3}, false)
	f(Sums{Spans: 10, Failed: 2, Total: 2, Series: 3}, false)
	f(Sums{Spans: 10, Failed: 1, Total: 2.1, Series: 3}, false)
	f(Sums{Spans: 10, Failed: 1, Total: 2, Series: 4}, false)
}

func TestMedian(t *testing.T) {
	f := func(want float64, values ...int64) {
		t.Helper()
		var list []Usage
		for _, v := range values {
			list = append(list, Usage{Peak: v})
		}
		if got := median(list, func(u Usage) float64 { return float64(u.Peak) }); got != want {
			t.Errorf("median of %v is %v, want %v", values, got, want)
		}
	}
	f(3, 3)
	f(2, 9, 1, 2)
	f(2.5, 3, 1, 2, 9)
}
