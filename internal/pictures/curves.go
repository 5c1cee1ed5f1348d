package main

import (
	"fmt"
	"math"

	"github.com/flyball-io/flyball/detectors/canary"
	"github.com/flyball-io/flyball/detectors/canary/sequential"
)

// burnRate is an incident of half an hour in which 5 % of the requests fail, of an SLO of
// 99.9 %: what the long and the short window of page_fast say, minute by minute.
func burnRate() string {
	const (
		minutes, begin, end = 150, 30, 60
		perMinute           = 1000
		allowed             = 0.001
		factor              = 14.4
	)
	c := newCanvas(920, 400, "Burn rates over an hour and over five minutes during an incident of thirty minutes: a page fires while both are above 14.4")
	bad := make([]float64, minutes)
	for m := begin; m < end; m++ {
		bad[m] = 0.05 * perMinute
	}
	rate := func(at, width int) float64 { // at the end of minute at
		sum := 0.0
		for m := max(0, at-width+1); m <= at; m++ {
			sum += bad[m]
		}
		return sum / (float64(width) * perMinute) / allowed
	}
	var xs, long, short []float64
	from, to := -1, -1
	for m := range minutes {
		xs, long, short = append(xs, float64(m+1)), append(long, rate(m, 60)), append(short, rate(m, 5))
		if firing := long[m] > factor && short[m] > factor; firing && from < 0 {
			from = m + 1
		} else if !firing && from >= 0 && to < 0 {
			to = m + 1
		}
	}
	p := plot{canvas: c, x: 70, y: 50, w: 820, h: 270, toX: minutes, toY: 55}
	a, _ := p.at(begin, 0)
	b, _ := p.at(end, 0)
	c.area(a, p.y, b-a, p.h, "fill")
	f, _ := p.at(float64(from), 0)
	g, _ := p.at(float64(to), 0)
	c.area(f, p.y, g-f, p.h, "bad-soft")
	c.text((a+b)/2, p.y+16, "middle", "small", "5 % of requests fail")
	c.text((f+g)/2, p.y+p.h-8, "middle", "small strong", "page_fast")
	p.ticks(map[float64]string{0: "0", 30: "30 min", 60: "60 min", 90: "90 min", 120: "120 min", 150: "150 min"},
		map[float64]string{0: "0", 10: "10×", 20: "20×", 30: "30×", 40: "40×", 50: "50×"})
	p.curve("second", `stroke-width="2.4"`, xs, short)
	p.curve("main", `stroke-width="2.4"`, xs, long)
	_, v := p.at(0, factor)
	c.line("bad", `stroke-dasharray="6 4"`, p.x, v, p.x+p.w, v)
	c.text(p.x+p.w-4, v-6, "end", "small", "limit 14.4×")
	u, v := p.at(62, 46)
	c.text(u+8, v, "start", "small strong", "over 5 min")
	u, v = p.at(92, 25)
	c.text(u+6, v-2, "start", "small strong", "over 1 h")
	c.text(16, 28, "start", "strong", "burn rate, in multiples of what the budget allows (99.9 %)")
	c.text(16, 370, "start", "small muted", fmt.Sprintf("It fires %d minutes after the incident begins, when 2 %% of the month's budget is gone, and is over %d minutes after it ended: the long", from-begin, to-end))
	c.text(16, 388, "start", "small muted", "window says that it matters, the short one that it goes on. With the long one alone it would go on for most of an hour.")
	return c.String()
}

// evidence shows two canaries to the judge, a look a minute: one with twice the
// errors of the baseline, and one with as many.
func evidence() string {
	c := newCanvas(920, 430, "Evidence of harm over time: for a canary with twice the errors it crosses the line after some minutes, for one that is the same it never does")
	worse, same := looks(2), looks(1)
	p := plot{canvas: c, x: 70, y: 50, w: 820, h: 290, toX: 60, fromY: -3, toY: 4}
	p.ticks(map[float64]string{0: "0", 10: "10 min", 20: "20 min", 30: "30 min", 40: "40 min", 50: "50 min", 60: "60 min"},
		map[float64]string{-3: "0.001", -2: "0.01", -1: "0.1", 0: "1", 1: "10", 2: "100", 3: "1,000", 4: "10,000"})
	limit := math.Log10(worse.need)
	_, v := p.at(0, limit)
	c.line("bad", `stroke-dasharray="6 4"`, p.x, v, p.x+p.w, v)
	c.text(p.x+p.w-4, v-6, "end", "small", fmt.Sprintf("needed for fail: %.0f", worse.need))
	p.curve("bad", `stroke-width="2.4"`, worse.minutes, worse.harm)
	p.curve("main", `stroke-width="2.4"`, same.minutes, same.harm)
	p.curve("good", `stroke-width="2.4" stroke-dasharray="2 3"`, same.minutes, same.safe)
	mark := func(l course, ys []float64, color, word string, dy float64) {
		if l.decided == 0 {
			return
		}
		u, v := p.at(float64(l.decided), ys[l.decided-1])
		c.add(`<circle cx="%.1f" cy="%.1f" r="5" fill="var(--%s)"/>`, u, v, color)
		c.text(u+9, v+dy, "start", "small strong", word)
	}
	mark(worse, worse.harm, "bad", fmt.Sprintf("twice the errors: fail after %d looks", worse.decided), -8)
	mark(same, same.safe, "good", fmt.Sprintf("the same errors: pass after %d looks", same.decided), -8)
	u, v := p.at(same.minutes[len(same.minutes)-1], same.harm[len(same.harm)-1])
	c.text(min(u, p.x+p.w)-6, v+18, "end", "small", "harm, of the one that is the same")
	c.text(16, 28, "start", "strong", "evidence (an e-value): 1 on average as long as there is nothing to be found")
	c.text(16, 388, "start", "small muted", "600 requests a minute in each arm, 0.33 % errors in the baseline. Solid: evidence of harm. Dotted: evidence that the canary is not")
	c.text(16, 406, "start", "small muted", "twice as bad. It may be looked at as often as one likes: the chance that a canary which is no worse ever crosses the line is alpha.")
	return c.String()
}

// course is what a judge said, look by look: evidence as powers of ten.
type course struct {
	minutes, harm, safe []float64
	need                float64
	// decided is the look at which it was, 0 for never.
	decided int
}

// looks judges an hour of counts: the canary's errors are so many times the baseline's.
// Their ups and downs are those of a fixed sequence, the same every time.
func looks(times float64) course {
	judge, err := sequential.New(sequential.Default(), []sequential.Metric{{
		Name: "errors", Groups: []string{"errors"}, Kind: sequential.Counts, Direction: canary.Increase, Critical: true,
		Increase: 1, Decrease: 1, CriticalIncrease: 1, CriticalDecrease: 1,
		Tolerance: sequential.DefaultCountsTolerance, Floor: sequential.DefaultFloorShare,
	}})
	if err != nil {
		panic("BUG: " + err.Error())
	}
	ups := []float64{0, 1, -1, 2, -2, 0, 1, -1, 0, -1, 3, -2, 1, 0}
	var out course
	for m := range 60 {
		arm := func(mean float64, shift int) sequential.Arm {
			errors := math.Round(mean + ups[(m*5+shift)%len(ups)]*math.Sqrt(mean)/1.5)
			return sequential.Arm{Values: []float64{max(0, errors)}, Exposure: []float64{600}}
		}
		if err := judge.Observe([]sequential.Pane{{Canary: arm(2*times, 3), Baseline: arm(2, 0)}}); err != nil {
			panic("BUG: " + err.Error())
		}
		d := judge.Verdict().Metrics[0]
		out.minutes = append(out.minutes, float64(m+1))
		out.harm, out.safe = append(out.harm, power(d.EHarm)), append(out.safe, power(d.ESafe))
		out.need = float64(d.EFail)
		if judge.Decision() == canary.VerdictFail || judge.Decision() == canary.VerdictPass {
			out.decided = m + 1
			break
		}
	}
	return out
}

func power(e canary.Number) float64 { return max(-3, math.Log10(max(float64(e), 1e-9))) }
