package window

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

const none = flyball.NoTime

// spans is a source of one topic.
var spans = []flyball.Source{{Name: "spans", Topics: []string{"otlp"}}}

func mark(partition, of int32, at flyball.Time, idle bool) processors.Mark {
	return processors.Mark{Source: "spans", Topic: "otlp", Partition: partition, Of: of, Watermark: at, Idle: idle}
}

func TestWatermarkOfOneTopic(t *testing.T) {
	type step struct {
		mark processors.Mark
		want flyball.Time
	}
	f := func(name string, steps ...step) {
		t.Helper()
		w := NewWatermarks(spans)
		for i, s := range steps {
			w.Mark(s.mark)
			if got := w.Of("spans"); got != s.want {
				t.Errorf("%s: after step %d the watermark is %d, want %d", name, i+1, got, s.want)
			}
		}
	}
	const busy, idle = false, true
	f("one partition moves forward only",
		step{mark(0, 1, 25, busy), 25}, step{mark(0, 1, 18, busy), 25}, step{mark(0, 1, 42, busy), 42})
	f("a partition that has said nothing holds back",
		step{mark(0, 3, 5, busy), none}, step{mark(1, 3, 7, busy), none}, step{mark(2, 3, 6, busy), 5})
	f("a partition that has read nothing holds back",
		step{mark(0, 2, 5, busy), none}, step{mark(1, 2, none, busy), none}, step{mark(1, 2, 3, busy), 3})
	f("the minimum of all",
		step{mark(0, 2, 5, busy), none}, step{mark(1, 2, 9, busy), 5}, step{mark(0, 2, 12, busy), 9})
	f("an idle one does not hold back",
		step{mark(0, 2, 5, busy), none}, step{mark(1, 2, 9, busy), 5}, step{mark(0, 2, 5, idle), 9}, step{mark(1, 2, 20, busy), 20})
	f("an idle one that never had a sample does not either",
		step{mark(0, 2, 5, busy), none}, step{mark(1, 2, none, idle), 5})
	f("idle and silent are two things",
		step{mark(0, 3, 5, idle), none}, step{mark(1, 3, 9, idle), none}, step{mark(2, 3, none, idle), 9})
	f("all idle: the latest, whatever the order",
		step{mark(0, 2, 5, busy), none}, step{mark(1, 2, 2, busy), 2}, step{mark(0, 2, 5, idle), 2}, step{mark(1, 2, 2, idle), 5})
	f("all idle, the other way round",
		step{mark(0, 2, 5, busy), none}, step{mark(1, 2, 2, busy), 2}, step{mark(1, 2, 2, idle), 5}, step{mark(0, 2, 5, idle), 5})
	f("all idle and nothing ever read is no watermark",
		step{mark(0, 2, none, idle), none}, step{mark(1, 2, none, idle), none})
	f("one that comes back does not move it back, and holds until it has caught up",
		step{mark(0, 2, 2, busy), none}, step{mark(1, 2, 9, busy), 2}, step{mark(0, 2, 2, idle), 9},
		step{mark(0, 2, 3, busy), 9}, step{mark(1, 2, 30, busy), 9}, step{mark(0, 2, 12, busy), 12})
	f("a new owner that knows nothing yet does not move it back",
		step{mark(0, 1, 25, busy), 25}, step{mark(0, 1, none, busy), 25}, step{mark(0, 1, 30, busy), 30})
	f("a new owner's ignorance keeps what its predecessor said",
		step{mark(0, 2, 25, busy), none}, step{mark(0, 2, none, busy), none}, step{mark(1, 2, 30, busy), 25})
	f("a partition added later holds back",
		step{mark(0, 1, 25, busy), 25}, step{mark(0, 2, 40, busy), 25}, step{mark(1, 2, 31, busy), 31})
	f("an owner that has not heard of it yet does not undo that",
		step{mark(0, 2, 25, busy), none}, step{mark(0, 1, 26, busy), none}, step{mark(1, 2, 9, idle), 26})
	f("before 1970",
		step{mark(0, 2, -4343, busy), none}, step{mark(1, 2, -4333, busy), -4343}, step{mark(0, 2, -4343, idle), -4333})
	f("what cannot be is ignored",
		step{mark(0, 1, 25, busy), 25}, step{mark(1, 1, 90, busy), 25}, step{mark(-1, 1, 90, busy), 25}, step{mark(0, 0, 90, busy), 25})
}

// TestMarksOfOneRecordHoldAtOnce: partition 0 becomes busy with old samples in the
// record in which partition 1 moves on. Taken one by one, in this order, the
// watermark would pass over the samples of partition 0.
func TestMarksOfOneRecordHoldAtOnce(t *testing.T) {
	w := NewWatermarks(spans)
	w.Mark(mark(0, 2, 5, true), mark(1, 2, 10, false))
	if got := w.Of("spans"); got != 10 {
		t.Fatalf("the watermark is %d, want 10", got)
	}
	w.Mark(mark(1, 2, 20, false), mark(0, 2, 6, false))
	if got := w.Of("spans"); got != 10 {
		t.Errorf("the watermark is %d, want 10: partition 0 is at 6", got)
	}
}

func TestWatermarkOfSeveralTopicsAndSources(t *testing.T) {
	w := NewWatermarks([]flyball.Source{
		{Name: "spans", Topics: []string{"a", "b"}},
		{Name: "logs", Topics: []string{"a"}},
	})
	f := func(m processors.Mark, wantSpans, wantLogs flyball.Time) {
		t.Helper()
		w.Mark(m)
		if s, l := w.Of("spans"), w.Of("logs"); s != wantSpans || l != wantLogs {
			t.Errorf("after %+v: spans %d, logs %d, want %d, %d", m, s, l, wantSpans, wantLogs)
		}
	}
	m := func(source, topic string, partition, of int32, at flyball.Time) processors.Mark {
		return processors.Mark{Source: source, Topic: topic, Partition: partition, Of: of, Watermark: at}
	}
	f(m("spans", "a", 0, 2, 10), none, none)
	f(m("spans", "a", 1, 2, 20), none, none) // topic b is not known yet
	f(m("spans", "b", 0, 1, 15), 10, none)
	f(m("logs", "a", 0, 1, 99), 10, 99)
	f(m("spans", "a", 0, 2, 30), 15, 99)
	f(m("spans", "c", 0, 1, 1), 15, 99)   // not a topic of the source
	f(m("metrics", "a", 0, 1, 1), 15, 99) // not a source
	if got := NewWatermarks(nil).Of("spans"); got != none {
		t.Errorf("without sources the watermark is %d", got)
	}
	if got := NewWatermarks([]flyball.Source{{Name: "spans"}}).Of("spans"); got != none {
		t.Errorf("without topics the watermark is %d", got)
	}
}

var drawMark = rapid.Custom(func(t *rapid.T) processors.Mark {
	of := rapid.Int32Range(1, 4).Draw(t, "of")
	m := processors.Mark{
		Source: rapid.SampledFrom([]string{"spans", "logs", "gone"}).Draw(t, "source"),
		Topic:  rapid.SampledFrom([]string{"a", "b"}).Draw(t, "topic"),
		Of:     of, Partition: rapid.Int32Range(0, of-1).Draw(t, "partition"),
		Watermark: flyball.Time(rapid.Int64Range(-5, 50).Draw(t, "at")),
		Idle:      rapid.Bool().Draw(t, "idle"),
	}
	if m.Watermark < 0 {
		m.Watermark = none
	}
	return m
})

func twoSources() *Watermarks {
	return NewWatermarks([]flyball.Source{{Name: "spans", Topics: []string{"a", "b"}}, {Name: "logs", Topics: []string{"b"}}})
}

// TestWatermarkLaws: an aborted transaction leaves no trace, a snapshot that went
// through JSON stands for the whole past, nothing ever goes back.
func TestWatermarkLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, reference := twoSources(), twoSources()
		for range rapid.IntRange(1, 30).Draw(t, "transactions") {
			batch := rapid.SliceOfN(drawMark, 0, 5).Draw(t, "marks")
			before := w.Of("spans")
			w.Mark(batch...)
			if w.Changed() != hasSource(batch) {
				t.Fatalf("Changed is %v after %v", w.Changed(), batch)
			}
			if w.Of("spans") < before {
				t.Fatalf("the watermark went from %d back to %d", before, w.Of("spans"))
			}
			switch rapid.SampledFrom([]string{"commit", "abort", "restart"}).Draw(t, "end") {
			case "commit":
				w.Commit()
				reference.Mark(batch...)
				reference.Commit()
			case "abort":
				w.Abort()
			case "restart":
				w.Commit()
				reference.Mark(batch...)
				reference.Commit()
				w = restarted(t, w)
			}
			if diff := cmp.Diff(reference.Snapshot(), w.Snapshot()); diff != "" {
				t.Fatal(diff)
			}
			if w.Changed() {
				t.Fatal("changed after the end of the transaction")
			}
		}
	})
}

func hasSource(marks []processors.Mark) bool {
	for _, m := range marks {
		if m.Source == "spans" || m.Source == "logs" && m.Topic == "b" {
			return true
		}
	}
	return false
}

func restarted(t *rapid.T, w *Watermarks) *Watermarks {
	b, err := json.Marshal(w.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	var s Snapshot
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	next := twoSources()
	next.Restore(s)
	return next
}

// TestWatermarkAgainstDefinition recomputes it from the last word of every
// partition.
func TestWatermarkAgainstDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := NewWatermarks([]flyball.Source{{Name: "spans", Topics: []string{"a"}}})
		const of = 3
		last, said := [of]processors.Mark{}, [of]bool{}
		want := none
		for range rapid.IntRange(1, 40).Draw(t, "marks") {
			p := rapid.Int32Range(0, of-1).Draw(t, "partition")
			at := flyball.Time(rapid.Int64Range(0, 50).Draw(t, "at"))
			idle := rapid.Bool().Draw(t, "idle")
			w.Mark(processors.Mark{Source: "spans", Topic: "a", Partition: p, Of: of, Watermark: at, Idle: idle})
			if said[p] {
				at = max(at, last[p].Watermark)
			}
			last[p], said[p] = processors.Mark{Watermark: at, Idle: idle}, true
			want = max(want, definition(last[:], said[:]))
			if got := w.Of("spans"); got != want {
				t.Fatalf("the watermark is %d, want %d of %v", got, want, last)
			}
		}
	})
}

func definition(last []processors.Mark, said []bool) flyball.Time {
	low, high, busy := flyball.Time(math.MaxInt64), none, false
	for p, m := range last {
		if !said[p] {
			return none
		}
		high = max(high, m.Watermark)
		if !m.Idle {
			low, busy = min(low, m.Watermark), true
		}
	}
	if busy {
		return low
	}
	return high
}
