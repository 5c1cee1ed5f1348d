package window

import (
	"testing"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// A stalled partition is not waited for, and what it would have given is missing
// from where it stood.
func TestStalledPartitions(t *testing.T) {
	w := NewWatermarks([]flyball.Source{{Name: "s", Topics: []string{"t"}}})
	mark := func(partition int32, at flyball.Time, idle, stalled bool) {
		w.Mark(processors.Mark{Source: "s", Topic: "t", Partition: partition, Of: 2, Watermark: at, Idle: idle, Stalled: stalled})
	}
	f := func(want flyball.Time, complete flyball.Time, stalled int) {
		t.Helper()
		if got := w.Of("s"); got != want {
			t.Errorf("the watermark is %s, want %s", got, want)
		}
		if !w.Complete("s", complete) || stalled > 0 && w.Complete("s", complete+1) {
			t.Errorf("it is not complete just up to %s", complete)
		}
		if n := len(w.Stalled("s")); n != stalled {
			t.Errorf("%d partitions are stalled, want %d", n, stalled)
		}
	}
	mark(0, 100, false, false)
	f(flyball.NoTime, 100, 0)
	mark(1, 50, false, false)
	f(50, 100, 0)
	mark(1, 50, false, true)
	f(100, 50, 1)
	mark(0, 200, true, false) // the others are idle: nothing older is on its way
	f(200, 50, 1)
	mark(0, 300, false, true) // nobody says anything any more
	f(200, 50, 2)
	mark(1, 120, false, false) // it comes back behind, and the watermark stays
	f(200, 300, 1)
	mark(0, 310, false, false)
	mark(1, 250, false, false)
	f(250, 1000, 0)
}
