package transition

import (
	"math"
	"testing"
)

func TestChance(t *testing.T) {
	f := func(last, level int, want float64, side int8) {
		t.Helper()
		var m Model
		for range 10 { // 1 and 2 by turns, 20 in all
			m.Observe(1)
			m.Observe(2)
		}
		if last == 1 {
			m.Observe(1)
		}
		got, way, ok := m.Observe(level)
		if !ok || math.Abs(got-want) > 1e-12 || way != side {
			t.Errorf("%d after %d: chance %v, side %d; want %v, %d", level, last, got, way, want, side)
		}
	}
	// After 2 came 1, 9 times and nothing else: ½ an escape in 9½, to the chance of
	// 1 alone, which is 10 of 20 with one escape in 21 to one of eight levels.
	alone := (10 + 1.0/8) / 21
	f(2, 1, (9+alone/2)/9.5, -1)
	never := 1.0 / 8 / 21
	f(2, 5, never/2/9.5, 1)
	f(1, 2, (10+(10+1.0/8)/22/2)/10.5, 1)
}

func TestLevels(t *testing.T) {
	f := func(x float64, want int) {
		t.Helper()
		if got := Level(x, 0, 60); got != want {
			t.Errorf("%v is level %d, want %d", x, got, want)
		}
	}
	f(-1, 0)
	f(0, 1)
	f(9.9, 1)
	f(10, 2)
	f(60, 6)
	f(61, 7)
	if got := Level(5, 5, 5); got != 1 {
		t.Errorf("a range of nothing has level %d", got)
	}
}

func TestForgets(t *testing.T) {
	m := Model{Memory: 10}
	for range 1000 {
		m.Observe(3)
	}
	for range 25 {
		m.Observe(4)
	}
	if p, _, _ := m.Observe(4); p < 0.8 {
		t.Errorf("after 25 of a kind another has a chance of %v", p)
	}
}
