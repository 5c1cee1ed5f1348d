package counter

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
)

const second = flyball.Time(time.Second)

func point(id uint64, start, at flyball.Time, value float64) Point {
	return Point{Stream: flyball.StreamID{Lo: id}, Start: start * second, At: at * second, Value: value}
}

// player adds points and closes panes of 10 s, and tells what counts.
type player struct {
	*Streams
	got []string
}

func newPlayer() *player { return &player{Streams: New(10*time.Second, time.Minute, 0)} }

func (p *player) tell(late bool, in Increase) {
	what := ""
	if late {
		what = " late"
	}
	p.got = append(p.got, fmt.Sprintf("%d +%v%s", in.At/second, in.Value, what))
}

func (p *player) add(points ...Point) *player {
	for i := range points {
		switch fate, in := p.Add(Series{}, points[i], 1); fate {
		case Counts:
			p.tell(true, in)
		case Late:
			p.got = append(p.got, fmt.Sprintf("%d passed", points[i].At/second))
		}
	}
	return p
}

func (p *player) close(to flyball.Time) *player {
	p.Close(to*second, func(_ Series, in Increase, _ int64) { p.tell(false, in) })
	return p
}

func (p *player) want(t *testing.T, want ...string) {
	t.Helper()
	if diff := gocmp.Diff(want, p.got); diff != "" {
		t.Error(diff)
	}
}

func TestIncreases(t *testing.T) {
	t.Run("a stream that begins while we watch counts from its start", func(t *testing.T) {
		newPlayer().add(point(1, 1000, 1015, 5), point(1, 1000, 1025, 7)).close(1030).want(t, "1015 +5", "1025 +2")
	})
	t.Run("one that began long ago counts from its second point", func(t *testing.T) {
		newPlayer().add(point(1, 100, 1015, 500), point(1, 100, 1025, 507)).close(1030).want(t, "1025 +7")
	})
	t.Run("without a start the first point says nothing", func(t *testing.T) {
		newPlayer().add(point(1, 0, 1015, 500), point(1, 0, 1025, 507)).close(1030).want(t, "1025 +7")
	})
	t.Run("the order within a pane and before it closes does not matter", func(t *testing.T) {
		newPlayer().add(point(1, 0, 1035, 9), point(1, 0, 1015, 1), point(1, 0, 1025, 5)).close(1040).want(t, "1025 +4", "1035 +4")
	})
	t.Run("a reset is a later start", func(t *testing.T) {
		newPlayer().add(point(1, 100, 1005, 500), point(1, 100, 1015, 510), point(1, 1018, 1025, 3), point(1, 1018, 1035, 520)).close(1040).
			want(t, "1015 +10", "1025 +3", "1035 +517")
	})
	t.Run("a reset to more than before is seen by the start, too", func(t *testing.T) {
		newPlayer().add(point(1, 100, 1005, 5), point(1, 1010, 1025, 100)).close(1040).want(t, "1025 +100")
	})
	t.Run("without a start a reset is a value that goes down", func(t *testing.T) {
		newPlayer().add(point(1, 0, 1005, 500), point(1, 0, 1015, 3), point(1, 0, 1025, 4)).close(1040).want(t, "1015 +3", "1025 +1")
	})
	t.Run("two streams that share labels do not reset each other", func(t *testing.T) {
		newPlayer().add(point(1, 0, 1005, 500), point(2, 0, 1006, 3), point(1, 0, 1015, 501), point(2, 0, 1016, 5)).close(1040).want(t, "1015 +1", "1016 +2")
	})
	t.Run("the same point twice counts once", func(t *testing.T) {
		newPlayer().add(point(1, 0, 1005, 5), point(1, 0, 1015, 8), point(1, 0, 1015, 8)).close(1040).want(t, "1015 +3")
	})
	t.Run("no growth is no increase", func(t *testing.T) {
		newPlayer().add(point(1, 0, 1005, 5), point(1, 0, 1015, 5), point(1, 0, 1025, 6)).close(1040).want(t, "1025 +1")
	})
	t.Run("after a long silence nobody knows when it grew", func(t *testing.T) {
		newPlayer().add(point(1, 0, 1005, 5)).close(1020).add(point(1, 0, 1306, 50), point(1, 0, 1316, 51)).close(1400).want(t, "1316 +1")
	})
	t.Run("late, and passed by a later point that has counted it", func(t *testing.T) {
		newPlayer().add(point(1, 0, 1005, 5), point(1, 0, 1025, 9)).close(1030).add(point(1, 0, 1015, 6)).close(1040).want(t, "1025 +4", "1015 passed")
	})
	t.Run("late, and the last of its stream so far", func(t *testing.T) {
		newPlayer().add(point(1, 0, 1005, 5)).close(1030).add(point(1, 0, 1015, 6), point(1, 0, 1035, 8)).close(1040).want(t, "1015 +1 late", "1035 +2")
	})
	t.Run("late, the last before a restart", func(t *testing.T) {
		newPlayer().add(point(1, 100, 1005, 5), point(1, 1018, 1025, 2)).close(1030).add(point(1, 100, 1015, 6)).want(t, "1025 +2", "1015 +1 late")
	})
	t.Run("fractions add up", func(t *testing.T) {
		p := newPlayer()
		counts := int64(0)
		for i := range flyball.Time(9) {
			p.add(point(1, 0, 1005+10*i, 0.3*float64(i)))
		}
		p.Close(1100*second, func(_ Series, in Increase, _ int64) { counts += in.Count })
		if counts != 2 {
			t.Errorf("2.4 in eight steps count as %d", counts)
		}
	})
}

func TestDistributionsOfTotals(t *testing.T) {
	explicit := func(counts ...uint64) *flyball.Distribution {
		n := uint64(0)
		for _, c := range counts {
			n += c
		}
		return &flyball.Distribution{Count: n, Sum: float64(n), Min: 1, Max: 9, Bounds: []float64{1, 10}, Buckets: counts}
	}
	exponential := func(scale int32, offset int32, counts ...uint64) *flyball.Distribution {
		return &flyball.Distribution{Count: 10, Exponential: true, Scale: scale, PosOffset: offset, Pos: counts}
	}
	f := func(name string, a, b *flyball.Distribution, want ...uint64) {
		t.Helper()
		d, ok := less(b, a)
		got := d.Buckets
		if b.Exponential {
			got = d.Pos
		}
		if ok != (want != nil) || ok && !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", name, got, ok, want)
		}
		if ok && !b.Exponential && (d.Count != b.Count-a.Count || d.Sum != b.Sum-a.Sum || !math.IsNaN(d.Min) || !math.IsNaN(d.Max)) {
			t.Errorf("%s: %+v", name, d)
		}
	}
	f("growth", explicit(1, 2, 3), explicit(1, 5, 4), 0, 3, 1)
	f("a bucket that went down", explicit(1, 2, 3), explicit(0, 5, 4))
	f("other bounds", explicit(1, 2, 3), &flyball.Distribution{Count: 9, Bounds: []float64{2, 10}, Buckets: []uint64{1, 5, 4}})
	f("exponential", exponential(3, 4, 1, 2), exponential(3, 3, 1, 1, 5), 1, 0, 3)
	f("exponential of a coarser scale", exponential(3, -3, 1, 2, 4, 1), exponential(2, -2, 1, 6, 3), 0, 0, 2)
	f("exponential of a finer scale", exponential(2, 4, 1, 2), exponential(3, 3, 1, 1, 5))
}

func TestPointsAreEncoded(t *testing.T) {
	list := []Point{
		point(7, 3, 9, 1.5),
		{Bad: true, At: -5, Value: -1, Stream: flyball.StreamID{Hi: 1 << 63, Lo: 5}},
		{At: 1, Value: math.NaN(), Distribution: &flyball.Distribution{Count: 3, Sum: 4, Min: math.NaN(), Max: 2, Nanos: 1e9, Bounds: []float64{1, math.Inf(1)}, Buckets: []uint64{0, 1 << 40, 3}}},
		{At: 1, Value: math.NaN(), Distribution: &flyball.Distribution{Count: 3, Exponential: true, Scale: -4, Zero: 4, ZeroThreshold: 0.5, PosOffset: -7, NegOffset: 9, Pos: []uint64{1, 0}, Neg: []uint64{}}},
	}
	equal := gocmp.Comparer(func(a, b float64) bool { return a == b || a != a && b != b })
	for _, p := range list {
		b := p.AppendBinary(nil)
		got, err := ReadPoint(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(p, got, equal); diff != "" {
			t.Error(diff)
		}
		for n := range b {
			if _, err := ReadPoint(b[:n]); err == nil {
				t.Errorf("%d bytes of %d are read", n, len(b))
			}
		}
		if _, err := ReadPoint(append(b, 0)); err == nil {
			t.Error("a byte too many is read")
		}
	}
}

func FuzzReadPoint(f *testing.F) {
	p := point(7, 3, 9, 1.5)
	f.Add(p.AppendBinary(nil))
	p = Point{At: 1, Distribution: &flyball.Distribution{Count: 3, Bounds: []float64{1}, Buckets: []uint64{1, 2}}}
	f.Add(p.AppendBinary(nil))
	p.Distribution = &flyball.Distribution{Exponential: true, Scale: 3, Pos: []uint64{1}}
	f.Add(p.AppendBinary(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ReadPoint(b)
		if err != nil {
			return
		}
		again, err := ReadPoint(p.AppendBinary(nil))
		if err != nil || again.Stream != p.Stream || again.At != p.At {
			t.Errorf("%+v becomes %+v, %v", p, again, err)
		}
	})
}

// TestOrderDoesNotMatter: points that come before their panes close give the same
// increases in any order; what is taken back leaves nothing; and one that adds the points
// since the lowest offset again is as the first.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var points []Point
		for id := range uint64(3) {
			start, value, at := flyball.Time(rapid.IntRange(0, 900).Draw(t, "start")), 0.0, flyball.Time(1000)
			for range rapid.IntRange(0, 8).Draw(t, "points") {
				at += flyball.Time(rapid.IntRange(1, 30).Draw(t, "step"))
				value += float64(rapid.IntRange(0, 9).Draw(t, "growth"))
				if rapid.IntRange(0, 4).Draw(t, "reset") == 0 {
					start, value = at-1, 1
				}
				points = append(points, point(id, start, at, value))
			}
		}
		slices.SortStableFunc(points, func(a, b Point) int { return cmp.Compare(a.At, b.At) })
		want := newPlayer().add(points...).close(2000)

		other := newPlayer()
		order := rapid.Permutation(points).Draw(t, "order")
		at := flyball.Time(1000)
		for i, p := range order {
			// No pane closes before all of its points came.
			least := flyball.Time(2000)
			for _, q := range order[i:] {
				least = min(least, q.At/second)
			}
			if rapid.Bool().Draw(t, "close") {
				at = max(at, least/10*10)
				other.close(at)
			}
			if rapid.Bool().Draw(t, "abort") {
				other.Commit(at * second)
				told := len(other.got)
				other.add(p).close(at + 30)
				other.Abort()
				other.got = other.got[:told]
			}
			other.add(p)
			if rapid.Bool().Draw(t, "commit") {
				other.Commit(at * second)
			}
		}
		other.close(2000)
		slices.SortStableFunc(other.got, func(a, b string) int { return cmp.Compare(a, b) })
		slices.SortStableFunc(want.got, func(a, b string) int { return cmp.Compare(a, b) })
		if diff := gocmp.Diff(want.got, other.got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestStreamsAreForgottenAndLimited(t *testing.T) {
	p := newPlayer()
	p.limit = 2
	p.add(point(1, 0, 1005, 1), point(2, 0, 1005, 1))
	if fate, _ := p.Add(Series{}, point(3, 0, 1006, 1), 2); fate != Refused {
		t.Errorf("a third stream has the fate %d", fate)
	}
	p.close(1010).Commit(1010 * second)
	if low, ok := p.Low(1010 * second); low != 1 || !ok {
		t.Errorf("the lowest offset is %d, %v", low, ok)
	}
	p.close(1600).Commit(1600 * second)
	if _, ok := p.Low(1600 * second); ok || p.Len() != 0 {
		t.Errorf("%d streams are left", p.Len())
	}
}
