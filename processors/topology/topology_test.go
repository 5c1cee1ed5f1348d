package topology

import (
	"fmt"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/google/go-cmp/cmp"
)

// windows are calls from one service to another, in a window that starts at a time.
func windows(at flyball.Time, count int64, pairs ...[2]string) *processors.Windows {
	w := &processors.Windows{}
	for _, p := range pairs {
		w.Append(processors.WindowRow{Indicator: "calls", Entity: p[0], Labels: fmt.Sprintf(`{"peer":%q}`, p[1]), Start: at, End: at.Add(10 * time.Second), Revision: 1, Count: count})
	}
	return w
}

func TestLearner(t *testing.T) {
	const hour = flyball.Time(time.Hour)
	l := NewLearner()
	f := func(name string, w *processors.Windows, committed bool, want ...Edge) {
		t.Helper()
		l.Learn(w)
		got, _ := l.Tell()
		l.End(committed)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	f("healthy calls", windows(hour+1, 5, [2]string{"cart", "db"}, [2]string{"cart", "cart"}), false, Edge{"cart", "db", hour})
	f("told again after an abort", windows(hour+2, 5), true, Edge{"cart", "db", hour})
	f("told once an hour", windows(2*hour-1, 5, [2]string{"cart", "db"}), true)
	f("and no window without calls", windows(2*hour, 0, [2]string{"cart", "db"}), true)
	f("told again in the next", windows(2*hour+3, 1, [2]string{"cart", "db"}, [2]string{"cart", "pay"}), true, Edge{"cart", "db", 2 * hour}, Edge{"cart", "pay", 2 * hour})
	f("a late window says nothing new", windows(hour+9, 1, [2]string{"cart", "db"}), true)
}

func TestLearnerIsBounded(t *testing.T) {
	l := NewLearner()
	var pairs [][2]string
	for i := range Max + 7 {
		pairs = append(pairs, [2]string{"gateway", fmt.Sprint("service-", i)})
	}
	l.Learn(windows(0, 1, pairs...))
	got, limited := l.Tell()
	if len(got) != MaxTold || limited != 7 {
		t.Errorf("%d edges are told and %d limited, want %d and 7", len(got), limited, MaxTold)
	}
	l.End(true)
	if next, _ := l.Tell(); len(next) != MaxTold || next[0] == got[0] {
		t.Errorf("the rest is not told: %d edges, the first %v", len(next), next[0])
	}
}
