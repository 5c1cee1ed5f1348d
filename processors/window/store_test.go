package window

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/histogram"
)

const second = flyball.Time(time.Second)

var latency = flyball.Indicator{
	Name: "latency", Source: "spans", Entity: "service.name", GroupBy: []string{"service.name", "http.route"},
	Value: "duration", Pane: 10 * time.Second, Window: time.Minute, Lateness: 90 * time.Second,
}

func labelsOf(service, route string) string {
	return flyball.LabelsOf("service.name", service, "http.route", route).JSON()
}

// row is a partial pane of samples with these values; every third is bad.
func row(service, route string, start flyball.Time, values ...float64) processors.PaneRow {
	p := processors.NewPane()
	for i, v := range values {
		p.Count++
		if i%3 == 0 {
			p.Bad++
		}
		p.Observe(v)
	}
	return processors.PaneRow{
		Indicator: "latency", Entity: service, Labels: labelsOf(service, route), Start: start,
		Count: p.Count, Bad: p.Bad, Sum: p.Sum, Min: p.Min, Max: p.Max, Hist: p.Hist.AppendBinary(nil),
	}
}

func rowsOf(w *processors.Windows) []processors.WindowRow {
	var out []processors.WindowRow
	for i := range w.Len() {
		out = append(out, w.Row(i))
	}
	return out
}

var nanEqual = gocmp.Comparer(func(a, b float64) bool { return a == b || a != a && b != b })

func mustAdd(t *testing.T, s *Store, r processors.PaneRow, offset int64) *Series {
	t.Helper()
	sr, err := s.Add(r, offset)
	if err != nil {
		t.Fatal(err)
	}
	return sr
}

func TestStoreMergesPartialPanesIntoWindows(t *testing.T) {
	s := NewStore(latency, 0)
	mustAdd(t, s, row("cart", "/a", 10*second, 100, 200), 1)
	mustAdd(t, s, row("cart", "/a", 10*second, 300), 2)
	mustAdd(t, s, row("cart", "/a", 50*second, 50), 2)
	mustAdd(t, s, row("cart", "/a", 60*second, 7), 2) // the next window
	mustAdd(t, s, row("api", "/a", 0, 1), 3)
	var w processors.Windows
	s.CloseWindows(flyball.NoTime, 60*second-1, &w)
	if w.Len() != 0 {
		t.Fatalf("closed %v too early", rowsOf(&w))
	}
	s.CloseWindows(60*second-1, 60*second, &w)
	got := rowsOf(&w)
	if len(got) != 2 || got[0].Entity != "api" || got[1].Entity != "cart" {
		t.Fatalf("closed %v", got)
	}
	r := got[1]
	want := processors.WindowRow{
		Indicator: "latency", Entity: "cart", Labels: labelsOf("cart", "/a"), Start: 0, End: 60 * second, Revision: 1,
		Count: 4, Bad: 3, Sum: 650, Min: 50, Max: 300, Complete: true,
	}
	within := func(got, want float64) bool { return math.Abs(got-want) <= want*0.0109 }
	if !within(r.P50, 100) || !within(r.P99, 200) || len(r.Hist) == 0 {
		t.Errorf("quantiles %v to %v, histogram of %d bytes", r.P50, r.P99, len(r.Hist))
	}
	r.P50, r.P90, r.P95, r.P99, r.Hist = 0, 0, 0, 0, nil
	if diff := gocmp.Diff(want, r); diff != "" {
		t.Error(diff)
	}
}

func TestStoreOfCountsOnly(t *testing.T) {
	spec := latency
	spec.Value = ""
	s := NewStore(spec, 0)
	r := row("cart", "/a", 0)
	r.Count, r.Bad, r.Hist = 5, 2, nil
	mustAdd(t, s, r, 1)
	s.Commit(60 * second)
	mustAdd(t, s, r, 2)
	var w processors.Windows
	s.Correct(r.Labels, 0, 2, &w)
	got := w.Row(0)
	if got.Count != 10 || got.Bad != 4 || got.Revision != 2 || got.P50 == got.P50 || got.Sum == got.Sum || len(got.Hist) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestStoreClosesPanesOnceInOrder(t *testing.T) {
	s := NewStore(latency, 0)
	for _, start := range []flyball.Time{70, 10, 50, 0} {
		mustAdd(t, s, row("cart", "/a", start*second, 1, 2), 1)
		mustAdd(t, s, row("api", "/a", start*second, 1), 1)
	}
	f := func(from, to flyball.Time, want ...string) {
		t.Helper()
		var got []string
		s.ClosePanes(from, to, func(p ClosedPane) {
			got = append(got, fmt.Sprint(p.Series.Entity, " ", int64(p.Start/second), " ", p.Count, " ", p.Bad))
		})
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("from %d to %d: %s", from, to, diff)
		}
	}
	f(flyball.NoTime, 10*second-1)
	f(10*second-1, 10*second, "api 0 1 1", "cart 0 2 1")
	f(10*second, 60*second, "api 10 1 1", "api 50 1 1", "cart 10 2 1", "cart 50 2 1")
	f(60*second, 1e18, "api 70 1 1", "cart 70 2 1")
	f(1e18, 2e18)
}

func TestStoreCrosses(t *testing.T) {
	s := NewStore(latency, 0)
	f := func(from, to flyball.Time, want bool) {
		t.Helper()
		if s.Crosses(from, to) != want {
			t.Errorf("from %v to %v: want %v", from, to, want)
		}
	}
	f(flyball.NoTime, 1, true)
	f(1, 10*second-1, false)
	f(1, 10*second, true)
	f(10*second, 20*second-1, false)
	f(-1, 0, true)
}

func TestStoreBoundaries(t *testing.T) {
	s := NewStore(latency, 0)
	f := func(start, watermark flyball.Time, closed, expired bool) {
		t.Helper()
		if c, e := s.Closed(start, watermark), s.Expired(start, watermark); c != closed || e != expired {
			t.Errorf("pane %v at %v: closed %v expired %v, want %v %v", start, watermark, c, e, closed, expired)
		}
	}
	f(0, flyball.NoTime, false, false)
	f(50*second, 60*second-1, false, false)
	f(50*second, 60*second, true, false)
	f(0, 150*second-1, true, false)
	f(0, 150*second, true, true)
	f(60*second, 150*second, true, false)
	f(-10*second, 0, true, false)
	// Near the end of time the edges saturate instead of wrapping around.
	last := flyball.Time(math.MaxInt64)
	f(last.Floor(10*time.Second), last-120*second, false, false)
	f(last.Floor(10*time.Second), last, true, true)
}

func TestStoreCorrectsFromPackedPanes(t *testing.T) {
	s := NewStore(latency, 0)
	mustAdd(t, s, row("cart", "/a", 0, 100), 1)
	mustAdd(t, s, row("cart", "/a", 20*second, 300), 1)
	s.Commit(70 * second)
	if c := s.order[0].cells[0]; c.live != nil || c.packed == nil {
		t.Error("a closed window is not packed")
	}
	mustAdd(t, s, row("cart", "/a", 10*second, 200), 2)
	var w processors.Windows
	s.Correct(labelsOf("cart", "/a"), 0, 2, &w)
	if r := w.Row(0); r.Count != 3 || r.Sum != 600 || r.Max != 300 || r.Min != 100 || r.Revision != 2 {
		t.Errorf("corrected to %+v", r)
	}
	s.Commit(70 * second)
	if c := s.order[0].cells[0]; c.live != nil || c.packed == nil {
		t.Error("a corrected window is not packed again")
	}
}

func TestStoreForgets(t *testing.T) {
	s := NewStore(latency, 0)
	at := flyball.Time(0)
	most := 0
	for i := range 1000 {
		for n := range 20 { // series come and go
			mustAdd(t, s, row(fmt.Sprint("svc-", i/10+n), "/a", at, 1, 1000, 1e6), int64(i))
		}
		at += 10 * second
		s.Commit(at - 5*second)
		cells := 0
		for _, sr := range s.order {
			cells += len(sr.cells)
		}
		most = max(most, cells)
		if low, ok := s.Low(at - 5*second); !ok || int64(i)-low > (60+90+10)/10+6 {
			t.Fatalf("at pane %d the lowest offset needed is %d, %v", i, low, ok)
		}
	}
	if most > 4*(20+15) {
		t.Errorf("up to %d windows of series were kept", most)
	}
	s.Commit(at + 1e6*second)
	if s.Series() != 0 || len(s.order) != 0 || s.windows.Len() != 0 || len(s.pool.hists) > 64 || len(s.pool.saved) > 64 {
		t.Errorf("kept %d series, %d windows, %d spare histograms", s.Series(), s.windows.Len(), len(s.pool.hists))
	}
	if _, ok := s.Low(at); ok {
		t.Error("an empty store needs old records")
	}
}

func TestStoreGivesUpTheMemoryOfAFlood(t *testing.T) {
	s := NewStore(latency, 0)
	for i := range 1000 {
		mustAdd(t, s, row(fmt.Sprint("svc-", i), "/a", 0, 1), 1)
	}
	s.Commit(0)
	for i := range 1000 {
		mustAdd(t, s, row(fmt.Sprint("svc-", i), "/a", 0, 1), 2)
	}
	s.Commit(1e6 * second)
	if s.Series() != 0 || len(s.pool.hists) > 64 || len(s.pool.saved) > 64 {
		t.Errorf("%d series, %d spare histograms, %d spare contents are kept", s.Series(), len(s.pool.hists), len(s.pool.saved))
	}
}

func TestLowIsTheLowestOffset(t *testing.T) {
	s := NewStore(latency, 0)
	mustAdd(t, s, row("a", "", 0, 1), 7)
	mustAdd(t, s, row("b", "", 60*second, 1), 8)
	mustAdd(t, s, row("b", "", 0, 1), 5)
	f := func(watermark flyball.Time, want int64) {
		t.Helper()
		if low, ok := s.Low(watermark); low != want || !ok {
			t.Errorf("at %v: %d, %v, want %d", watermark, low, ok, want)
		}
	}
	f(flyball.NoTime, 5)
	f(150*second-1, 5)
	f(150*second, 8)
}

func TestStoreLimitsSeries(t *testing.T) {
	spec := latency
	spec.SeriesLimit = 2
	s := NewStore(spec, 7)
	f := func(service string, start flyball.Time, want string) {
		t.Helper()
		sr := mustAdd(t, s, row(service, "/a", start, 1), 1)
		if sr.Entity != want {
			t.Errorf("%s at %v goes to %s, want %s", service, start, sr.Entity, want)
		}
	}
	over := flyball.OverflowValue + "/7"
	f("a", 0, "a")
	f("b", 10*second, "b")
	f("c", 20*second, over)
	f("d", 20*second, over)
	f("a", 50*second, "a")    // in already
	f("c", 60*second, "c")    // another window
	f("a", 110*second, "a")   // there is room in it
	f("b", 110*second, over)  // and now there is none
	f("c", 30*second, over)   // still none in the first
	f(over, 110*second, over) // what was over comes as itself
	if n := s.TakeLimited(); n != 5 || s.TakeLimited() != 0 {
		t.Errorf("%d rows are said to be beyond the limit, want 5", n)
	}
	if s.Overflow() != over {
		t.Errorf("the overflow entity is %s", s.Overflow())
	}
	var w processors.Windows
	s.CloseWindows(flyball.NoTime, 60*second, &w)
	total := int64(0)
	for _, r := range rowsOf(&w) {
		total += r.Count
		if r.Entity == over && (r.Count != 3 || r.Labels != `{"http.route":"__overflow__","service.name":"__overflow__/7"}`) {
			t.Errorf("overflow is %+v", r)
		}
	}
	if total != 6 || w.Len() != 3 {
		t.Errorf("%d samples in %d windows, want 6 in 3", total, w.Len())
	}
}

func TestStoreBoundsAFloodOfSeries(t *testing.T) {
	spec := latency
	spec.SeriesLimit = 50
	s := NewStore(spec, 0)
	for i := range 5000 {
		mustAdd(t, s, row(fmt.Sprint("svc-", i), fmt.Sprint("/", i), flyball.Time(i%60)*second, 1), 1)
	}
	if s.Series() != 51 {
		t.Errorf("%d series are kept, want 50 and the overflow", s.Series())
	}
	s.Abort()
	if s.Series() != 0 || s.windows.Len() != 0 {
		t.Errorf("after an abort %d series, %d windows", s.Series(), s.windows.Len())
	}
}

func TestStoreRefusesAndKeeps(t *testing.T) {
	good := row("cart", "/a", 0, 5)
	f := func(name string, r processors.PaneRow) {
		t.Helper()
		for _, present := range []bool{false, true} {
			s := NewStore(latency, 0)
			if present {
				mustAdd(t, s, good, 1)
				s.Commit(flyball.NoTime)
			}
			before := dump(s)
			if _, err := s.Add(r, 0); err == nil {
				t.Errorf("%s is taken", name)
			}
			if diff := gocmp.Diff(before, dump(s), nanEqual); diff != "" {
				t.Errorf("%s is refused, but changes: %s", name, diff)
			}
			mustAdd(t, s, good, 2)
			s.Abort()
			if diff := gocmp.Diff(before, dump(s), nanEqual); diff != "" {
				t.Errorf("%s is refused, and an abort after it changes: %s", name, diff)
			}
		}
	}
	r := good
	r.Count = -1
	f("a negative count", r)
	r = good
	r.Hist = []byte{1, 2, 3}
	f("a histogram of other bytes", r)
	r = good
	r.Labels = "{"
	r.Hist = []byte{1, 2, 3}
	f("labels that are no JSON", r)
	r.Labels = `["a"]`
	f("labels that are no object", r)
}

// dumped is everything that a store would do from here on.
type dumped struct {
	Windows []processors.WindowRow
	Panes   []string
	Extents map[flyball.Time][2]int64
	Series  int
}

func dump(s *Store) dumped {
	var w processors.Windows
	s.CloseWindows(flyball.NoTime, math.MaxInt64, &w)
	d := dumped{Windows: rowsOf(&w), Extents: map[flyball.Time][2]int64{}, Series: s.Series()}
	s.ClosePanes(flyball.NoTime, math.MaxInt64, func(p ClosedPane) {
		d.Panes = append(d.Panes, fmt.Sprint(p.Series.Labels, p.Start, p.Count, p.Bad))
	})
	s.windows.Each(func(start flyball.Time, low int64) {
		d.Extents[start] = [2]int64{low, int64(s.parts[s.partOf(start)])}
	})
	return d
}

// transaction is what one does to a store.
type transaction struct {
	rows      []processors.PaneRow
	watermark flyball.Time
	commit    bool
}

var drawTransaction = rapid.Custom(func(t *rapid.T) transaction {
	var tx transaction
	for range rapid.IntRange(0, 6).Draw(t, "rows") {
		values := rapid.SliceOfN(rapid.Float64Range(-10, 1e9), 0, 4).Draw(t, "values")
		r := row(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "service"), rapid.SampledFrom([]string{"/x", ""}).Draw(t, "route"),
			flyball.Time(rapid.IntRange(0, 30).Draw(t, "pane"))*10*second, values...)
		if rapid.IntRange(0, 9).Draw(t, "fault") == 0 {
			r.Hist = []byte{0xff}
		}
		tx.rows = append(tx.rows, r)
	}
	tx.watermark = flyball.Time(rapid.IntRange(0, 60).Draw(t, "forward")) * 5 * second
	tx.commit = rapid.Bool().Draw(t, "commit")
	return tx
})

// TestStoreAbortIsIdentity: any sequence of transactions leaves the same as the
// committed ones alone.
func TestStoreAbortIsIdentity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := latency
		spec.SeriesLimit = rapid.IntRange(0, 4).Draw(t, "limit")
		s, reference := NewStore(spec, 0), NewStore(spec, 0)
		watermark, offset := flyball.NoTime, int64(100)
		for _, tx := range rapid.SliceOfN(drawTransaction, 1, 12).Draw(t, "transactions") {
			apply := func(s *Store) {
				for i, r := range tx.rows {
					if !s.Expired(r.Start, watermark) {
						_, _ = s.Add(r, offset-int64(i%3))
					}
				}
			}
			apply(s)
			if tx.commit {
				apply(reference)
				watermark = max(watermark, tx.watermark)
				s.Commit(watermark)
				reference.Commit(watermark)
			} else {
				s.Abort()
			}
			offset += 5
			if diff := gocmp.Diff(dump(reference), dump(s), nanEqual); diff != "" {
				t.Fatal(diff)
			}
			low, any := s.Low(watermark)
			wantLow, wantAny := reference.Low(watermark)
			if low != wantLow || any != wantAny {
				t.Fatalf("Low is %d, %v, want %d, %v", low, any, wantLow, wantAny)
			}
		}
	})
}

// TestStoreAgainstModel compares what closes, and corrections, with windows
// counted from all rows so far.
func TestStoreAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := NewStore(latency, 0)
		watermark := flyball.NoTime
		type key struct {
			labels string
			start  flyball.Time
		}
		model := map[key][]processors.PaneRow{}
		check := func(got processors.WindowRow) {
			t.Helper()
			rows := model[key{got.Labels, got.Start}]
			if diff := gocmp.Diff(windowOf(rows), got, nanEqual); diff != "" {
				t.Fatal(diff)
			}
		}
		for _, tx := range rapid.SliceOfN(drawTransaction, 1, 12).Draw(t, "transactions") {
			for _, r := range tx.rows {
				if s.Expired(r.Start, watermark) {
					continue
				}
				if _, err := s.Add(r, 1); err != nil {
					continue
				}
				k := key{r.Labels, r.Start.Floor(time.Minute)}
				model[k] = append(model[k], r)
				if s.Closed(r.Start, watermark) {
					var w processors.Windows
					s.Correct(r.Labels, r.Start.Floor(time.Minute), 1, &w)
					check(w.Row(0))
				}
			}
			to := max(watermark, tx.watermark)
			var w processors.Windows
			s.CloseWindows(watermark, to, &w)
			want := 0
			for k := range model {
				if end := k.start + 60*second; end > watermark && end <= to {
					want++
				}
			}
			if w.Len() != want {
				t.Fatalf("%d windows close between %v and %v, want %d", w.Len(), watermark, to, want)
			}
			for _, r := range rowsOf(&w) {
				check(r)
			}
			watermark = to
			s.Commit(watermark)
		}
	})
}

// windowOf computes a window from its rows by definition: panes in the order of
// time, each the sum of its rows in the order they came.
func windowOf(rows []processors.PaneRow) processors.WindowRow {
	var h histogram.Histogram
	first := rows[0]
	w := processors.WindowRow{
		Indicator: "latency", Entity: first.Entity, Labels: first.Labels, Start: first.Start.Floor(time.Minute),
		End: first.Start.Floor(time.Minute) + 60*second, Revision: 1, Min: math.Inf(1), Max: math.Inf(-1), Complete: true,
	}
	sums := map[flyball.Time]processors.Sum{}
	for _, r := range rows {
		w.Count += r.Count
		w.Bad += r.Bad
		w.Min, w.Max = min(w.Min, r.Min), max(w.Max, r.Max)
		sum := sums[r.Start]
		sum.Merge(r.Sum)
		sums[r.Start] = sum
		if err := h.MergeBinary(r.Hist); err != nil {
			panic(err)
		}
	}
	var total processors.Sum
	for _, start := range slices.SortedFunc(maps.Keys(sums), cmp.Compare) {
		total.Merge(sums[start])
	}
	w.Sum = total.Value()
	w.P50, w.P90, w.P95, w.P99 = h.Quantile(0.5), h.Quantile(0.9), h.Quantile(0.95), h.Quantile(0.99)
	w.Hist = h.AppendQuantilesDD(nil)
	if h.Count() == 0 {
		nan := math.NaN()
		w.Sum, w.Min, w.Max, w.P50, w.P90, w.P95, w.P99, w.Hist = nan, nan, nan, nan, nan, nan, nan, nil
	}
	return w
}
