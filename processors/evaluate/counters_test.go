package evaluate

import (
	"testing"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/counter"
)

// total adds a point of a cumulative stream of a service.
func (d *driver) total(service string, id uint64, start, at flyball.Time, value float64) *driver {
	p := counter.Point{Stream: flyball.StreamID{Lo: id}, Start: start * second, At: at * second, Value: value, Bad: id%2 == 1}
	r := rowOf("latency", service, "/a", p.At, 0)
	r.Hist, r.Point = nil, p.AppendBinary(nil)
	d.writer.Append(r)
	return d
}

// countsOnly is simple with an indicator that counts, and has no value.
func countsOnly() Config {
	cfg := simple()
	cfg.Indicators[0].Value = ""
	return cfg
}

// TestTotalsBecomeIncreases: two streams of a series, one of them of bad samples, whose
// process restarts; a successor in the middle knows where they were.
func TestTotalsBecomeIncreases(t *testing.T) {
	d := newDriver(t, countsOnly())
	d.total("cart", 2, 900, 1020, 100).total("cart", 1, 900, 1020, 5).mark(1030 * second)
	d.total("cart", 2, 900, 1040, 130).total("cart", 1, 900, 1040, 7).mark(1050 * second)
	d.restart()
	d.total("cart", 2, 1055, 1070, 4).total("cart", 1, 900, 1070, 7).mark(1140 * second)
	d.wantWindows("cart 1020-1080s rev 1: 7/141")          // 105 up to 1020s, 32 up to 1040s, 4 up to 1070s
	d.total("cart", 2, 1055, 1135, 14).mark(1140 * second) // late: a correction
	d.restart()
	d.total("cart", 2, 1055, 1145, 15).total("cart", 2, 1055, 1137, 14.5).mark(1200 * second)
	d.wantWindows("cart 1080-1140s rev 2: 0/10", "cart 1140-1200s rev 1: 0/1")
	d.total("cart", 2, 1055, 1250, 15.5).mark(1260 * second).restart()
	d.mark(1320 * second)
	d.wantWindows() // half a sample is none
	if n := len(d.out.DeadLetters); n > 0 {
		t.Errorf("%d dead letters: %+v", n, d.out.DeadLetters)
	}
}

// TestTotalsPassedByLaterOnes: what came late for nothing is not counted by a successor
// either, which reads it in another order of time.
func TestTotalsPassedByLaterOnes(t *testing.T) {
	d := newDriver(t, countsOnly())
	d.total("cart", 2, 0, 1020, 100).mark(1030 * second)
	d.total("cart", 2, 0, 1075, 150).mark(1085 * second)
	d.total("cart", 2, 0, 1045, 120).mark(1086 * second) // of the 50, 20 were up to 1045s: nobody can say so any more
	d.restart()
	d.row("cart", 1060*second, 1, 0).mark(1140 * second)
	d.wantWindows("cart 1020-1080s rev 1: 0/50", "cart 1020-1080s rev 2: 0/51")
	d.mark(5000 * second)
	for key := range d.state {
		if len(key) > 18 && key[:18] == "evaluate/0/passed/" {
			t.Errorf("the state still has %s", key)
		}
	}
}

func TestTotalsThatAreRefused(t *testing.T) {
	cfg := countsOnly()
	cfg.Streams = 1
	d := newDriver(t, cfg)
	d.total("cart", 2, 0, 1020, 100).total("cart", 4, 0, 1020, 100).mark(2000 * second)
	d.total("cart", 2, 0, 1030, 100).mark(2000 * second)
	var got []string
	for _, l := range d.out.DeadLetters {
		got = append(got, l.Reason)
	}
	if len(got) != 2 || got[0] != ReasonTooManyStreams || got[1] != ReasonLate {
		t.Errorf("dead letters for %v, want too many streams and late", got)
	}
}
