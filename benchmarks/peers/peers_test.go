package main

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/benchmarks/machine"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/histogram"
)

const noon = 1_767_268_800_000 // a time in milliseconds

// peerResult is what the peers in Java write.
func peerResult(start, count, failed, nanos int64, base int32, buckets ...int32) []byte {
	var b []byte
	for _, v := range []int64{start, count, failed, nanos} {
		b = binary.BigEndian.AppendUint64(b, uint64(v))
	}
	for _, v := range append([]int32{0, base, int32(len(buckets))}, buckets...) {
		b = binary.BigEndian.AppendUint32(b, uint32(v))
	}
	return b
}

// TestResultsOfBothKindsCompare writes the same window as Flyball and as a peer.
func TestResultsOfBothKindsCompare(t *testing.T) {
	var h histogram.Histogram
	for _, v := range []float64{1000, 1001, 64_000} {
		h.Add(v)
	}
	w := &processors.Windows{}
	w.Append(processors.WindowRow{
		Indicator: "requests", Entity: "cart", Labels: `{"http.route":"/cart/{id}","service.name":"cart"}`,
		Start: flyball.Time(noon * 1e6), End: flyball.Time((noon + 10_000) * 1e6), Revision: 1, Count: 3, Bad: 1,
		Sum: 66_001, Min: 1000, Max: 64_000, Hist: h.AppendQuantilesDD(nil), Complete: true,
	})
	ours, theirs := results{}, results{}
	if err := readFlyball(&kgo.Record{Value: w.Encode()}, ours); err != nil {
		t.Fatal(err)
	}
	// 1000 and 1001 are in bucket 318, 64,000 in 510: 32·log2, rounded up, minus 1.
	buckets := make([]int32, 510-318+1)
	buckets[0], buckets[510-318] = 2, 1
	result := &kgo.Record{Key: []byte("cart\x00/cart/{id}"), Value: peerResult(noon, 3, 1, 66_001, 318, buckets...)}
	if err := readPeer(result, theirs); err != nil {
		t.Fatal(err)
	}
	from, to := time.UnixMilli(noon), time.UnixMilli(noon+10_000)
	if err := theirs.equal(ours, from, to, false); err != nil {
		t.Error(err)
	}
	if err := readPeer(result, theirs); err == nil {
		t.Error("a window came twice, and nobody minds")
	}
	if err := readPeer(&kgo.Record{Key: result.Key, Value: result.Value[:50]}, results{}); err == nil {
		t.Error("a torn result is taken")
	}
}

func TestEqualSeesEveryDifference(t *testing.T) {
	w := window{"cart", "/", noon}
	want := totals{count: 3, failed: 1, nanos: 5, buckets: map[int]int64{7: 3}}
	f := func(got results, ok bool) {
		t.Helper()
		if err := got.equal(results{w: want}, time.UnixMilli(noon), time.UnixMilli(noon+1), false); (err == nil) != ok {
			t.Errorf("%+v: %v", got, err)
		}
	}
	f(results{w: want}, true)
	f(results{w: want, {"cart", "/", noon + 10_000}: want}, true) // out of what is compared
	f(results{}, false)
	f(results{w: want, {"cart", "/x", noon}: want}, false)
	f(results{w: {count: 4, failed: 1, nanos: 5, buckets: want.buckets}}, false)
	f(results{w: {count: 3, failed: 0, nanos: 5, buckets: want.buckets}}, false)
	f(results{w: {count: 3, failed: 1, nanos: 6, buckets: want.buckets}}, false)
	f(results{w: {count: 3, failed: 1, nanos: 5, buckets: map[int]int64{7: 2, 8: 1}}}, false)
	f(results{w: {count: 3, failed: 1, nanos: 5, buckets: map[int]int64{7: 3, 8: 1}}}, false)
	both := results{w: want, {"cart", "/x", noon}: want}
	if err := (results{w: want}).equal(both, time.UnixMilli(noon), time.UnixMilli(noon+1), true); err != nil {
		t.Errorf("a part: %v", err)
	}
	if err := (results{}).equal(results{w: want}, time.UnixMilli(noon+1), time.UnixMilli(noon+2), false); err == nil {
		t.Error("nothing is compared, and nobody minds")
	}
}

func TestFiguresLeaveOutTheStart(t *testing.T) {
	second := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	run := Run{Name: "flyball", Peak: 5, Used: second(13), Points: []Point{
		{At: second(2), CPU: second(2), Records: 0},
		{At: second(3), CPU: second(3), Broker: second(1), Records: 100},
		{At: second(7), CPU: second(7), Broker: second(2), Records: 600},
		{At: second(9), CPU: second(9), Broker: second(3), Records: 900},
		{At: second(12), CPU: second(12), Broker: second(4), Records: 1100},
	}}
	f := run.figures()
	if f.CPUSeconds != 10 || f.SpansPerSCore != 10_000 || f.WallSeconds != 6 || f.SpansPerS != 80_000./6 {
		t.Errorf("got %+v", f)
	}
	if want := 50_000. / 6; f.SecondHalfPerSCore != want {
		t.Errorf("second half %v, want %v", f.SecondHalfPerSCore, want)
	}
	if f.BrokerPerMillion != 30 || f.PeakRSSBytes != 5 || !f.Equal {
		t.Errorf("got %+v", f)
	}
}

func TestReportNamesEngines(t *testing.T) {
	point := func(s int, records int64) Point {
		return Point{At: time.Duration(s) * time.Second, CPU: time.Duration(s) * time.Second, Records: records}
	}
	m := Measured{Runs: []Run{
		{Name: "flyball", Used: 2 * time.Second, Points: []Point{point(1, 10), point(2, 1010)}},
		{Name: "flink", Used: 6 * time.Second, Points: []Point{point(1, 10), point(2, 510), point(6, 1010)}},
	}}
	r := m.report()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var fields struct {
		Flyball, Flink Figures
		Equal          bool `json:"results_equal"`
	}
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	if fields.Flyball.SpansPerSCore != 100_000 || fields.Flink.Ratio != 5 || !fields.Equal {
		t.Errorf("got %s", text)
	}
	var table strings.Builder
	r.print(&table)
	if !strings.Contains(table.String(), "Flink ") || !strings.Contains(table.String(), "equal") {
		t.Errorf("got %s", table.String())
	}
}

func TestProcessorTimeAndMemoryOfThisProcess(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("there is no /proc")
	}
	before := machine.ProcessorTime()
	for machine.ProcessorTime() < before+40*time.Millisecond {
	}
	used, err := processorTime(os.Getpid())
	if want := machine.ProcessorTime(); err != nil || (used-want).Abs() > 3*tick {
		t.Errorf("used %v, want %v; %v", used, want, err)
	}
	peak, err := peakMemory(os.Getpid())
	if err != nil || peak < 1<<20 || peak > 1<<40 {
		t.Errorf("peak %v, %v", peak, err)
	}
}

func TestWriteRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records")
	if err := writeRecords(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; len(text) > 4; n++ {
		text = text[4+binary.BigEndian.Uint32(text):]
	}
	if n < 1000 || len(text) != 0 {
		t.Errorf("%d records, %d bytes left", n, len(text))
	}
}
