package sloreplay

import (
	"fmt"
	"time"

	"github.com/flyball-io/flyball"
)

// grid is how event time is cut.
type grid struct {
	slice time.Duration // a slice counts [start, start + slice)
	pane  time.Duration // divides the slice, the step and every start
	step  time.Duration // between evaluations
	phase time.Duration // evaluations are at phase + n·step
}

// newGrid finds the width of the slices, unless it is given: the widest that the
// starts allow. Evaluations are where the slices end, or every step.
func newGrid(list []Slice, slice, step time.Duration) (grid, error) {
	g := grid{slice: slice, step: step}
	if slice < 0 || step < 0 {
		return g, fmt.Errorf("the widths of slices and steps cannot be negative")
	}
	if len(list) == 0 {
		return g, fmt.Errorf("there is no slice")
	}
	first := list[0].Start
	var apart time.Duration
	for _, s := range list[1:] {
		apart = gcd(apart, s.Start.Sub(first))
	}
	if g.slice == 0 {
		g.slice = apart
	}
	if g.slice == 0 { // one slice
		g.slice = max(step, 10*time.Second)
	}
	if g.step == 0 {
		g.step = g.slice
	}
	g.pane = gcd(gcd(gcd(apart, time.Duration(first)), g.slice), g.step)
	g.phase = first.Sub(first.Floor(g.step))
	if steps := float64(g.end(list).Sub(first)) / float64(g.step); steps > 5e7 {
		return g, fmt.Errorf("%v between the first and the last slice are too many steps of %v; give the width of a slice and of a step", g.end(list).Sub(first), g.step)
	}
	return g, nil
}

// end returns the end of the last slice.
func (g *grid) end(list []Slice) flyball.Time { return list[len(list)-1].Start.Add(g.slice) }

// after returns the first evaluation at t or later.
func (g *grid) after(t flyball.Time) flyball.Time {
	return t.Add(-g.phase).Add(g.step - 1).Floor(g.step).Add(g.phase)
}

func gcd(a, b time.Duration) time.Duration {
	for b != 0 {
		a, b = b, a%b
	}
	return max(a, -a)
}
