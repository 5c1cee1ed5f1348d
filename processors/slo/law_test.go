package slo

import (
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
)

const day = 24 * time.Hour

// workbook are the default tiers over 30 days.
func workbook() []flyball.BurnRateTier {
	return []flyball.BurnRateTier{
		{Name: "page_fast", FactorNum: 72, FactorDen: 5, Long: time.Hour, Short: 5 * time.Minute},
		{Name: "page_slow", FactorNum: 6, FactorDen: 1, Long: 6 * time.Hour, Short: 30 * time.Minute},
		{Name: "ticket_fast", FactorNum: 3, FactorDen: 1, Long: day, Short: 2 * time.Hour},
		{Name: "ticket_slow", FactorNum: 1, FactorDen: 1, Long: 3 * day, Short: 6 * time.Hour},
	}
}

// drawSpec draws an SLO of any kind.
func drawSpec(t *rapid.T) flyball.SLO {
	s := flyball.SLO{Period: 30 * day, Tiers: workbook(), TargetPPB: 990_000_000}
	if rapid.Bool().Draw(t, "short windows") {
		s.Period = 10 * day
		s.Tiers = []flyball.BurnRateTier{{Long: 40 * time.Minute, Short: 2 * time.Minute}, {Long: 4 * time.Hour, Short: 30 * time.Minute}}
	}
	s.Method = rapid.SampledFrom([]flyball.BudgetingMethod{flyball.Occurrences, flyball.Timeslices, flyball.RatioTimeslices}).Draw(t, "method")
	if s.Method != flyball.Occurrences {
		s.Slice = rapid.SampledFrom([]time.Duration{pane, time.Minute, 5 * time.Minute}).Draw(t, "slice")
		s.SliceTargetPPB = 900_000_000
	}
	s.NoData = rapid.SampledFrom([]flyball.NoDataPolicy{flyball.NoDataFreeze, flyball.NoDataAlert, flyball.NoDataGood, flyball.NoDataBad}).Draw(t, "no data")
	if rapid.Bool().Draw(t, "calendar") {
		zone := rapid.SampledFrom([]string{"UTC", "America/New_York", "Asia/Kathmandu"}).Draw(t, "zone")
		l, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		s.Calendar = &flyball.Calendar{Anchor: time.Date(2020, 1, 1, 0, 0, 0, 0, l), Days: rapid.SampledFrom([]int{1, 7, 30}).Draw(t, "days")}
		s.Period = s.Calendar.Nominal()
	}
	return s
}

// definition is a Tracker by what it means: all panes, and every sum counted anew.
type definition struct {
	spec  flyball.SLO
	panes map[flyball.Time]counts
}

// slices returns what counts, by the start of its slice; only finished slices.
func (d *definition) slices(at flyball.Time) map[flyball.Time]counts {
	unit := unitOf(&d.spec, pane)
	raw := map[flyball.Time]counts{}
	for start, c := range d.panes {
		raw[start.Floor(unit)] = raw[start.Floor(unit)].plus(c)
	}
	out := map[flyball.Time]counts{}
	for start, c := range raw {
		if start.Add(unit) > at {
			continue
		}
		switch d.spec.Method {
		case flyball.Timeslices:
			bad := int64(0)
			if float64(c.total-c.bad)/float64(c.total) < 0.9 {
				bad = 1
			}
			c = counts{1, bad}
		case flyball.RatioTimeslices:
			c = counts{1e9, ceil(c.bad, 1e9, c.total)}
		}
		out[start] = c
	}
	return out
}

func ceil(n, part, whole int64) int64 {
	exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(n), big.NewInt(part)), big.NewInt(whole))
	q, rest := new(big.Int).QuoRem(exact.Num(), exact.Denom(), new(big.Int))
	return q.Int64() + int64(rest.Sign())
}

// count adds up what counts in [from, to), which the ring of that width is asked.
func count(list map[flyball.Time]counts, from, to flyball.Time, width time.Duration) (sum counts) {
	var cut counts
	for start, c := range list {
		switch {
		case start >= to || start < from.Floor(width):
		case start.Floor(width) == from.Floor(width):
			cut = cut.plus(c)
		default:
			sum = sum.plus(c)
		}
	}
	left := int64(width) - int64(from.Sub(from.Floor(width)))
	return sum.plus(counts{ceil(cut.total, left, int64(width)), ceil(cut.bad, left, int64(width))})
}

func (d *definition) check(t *rapid.T, tracker *Tracker, at flyball.Time) {
	unit := unitOf(&d.spec, pane)
	end := at.Floor(unit)
	list := d.slices(at)
	for _, window := range windows(&d.spec) {
		r := &tracker.rings[tracker.ringFor(window)]
		want := counts{}
		if width := r.width; r == &tracker.rings[0] {
			want = count(list, end.Add(-window).Floor(unit), end, unit)
		} else {
			want = count(list, end.Add(-window), end, width)
		}
		if got := tracker.count(end.Add(-window), end); got != want {
			t.Fatalf("over %v before %v: %v, want %v", window, at, got, want)
		}
	}
	d.checkBudget(t, tracker, at, list)
}

func (d *definition) checkBudget(t *rapid.T, tracker *Tracker, at flyball.Time, list map[flyball.Time]counts) {
	if d.spec.NoData >= flyball.NoDataGood && d.spec.Method != flyball.Occurrences {
		return // tested by example
	}
	got := tracker.Budget(at)
	if d.spec.Calendar == nil {
		end := at.Floor(unitOf(&d.spec, pane))
		last := &tracker.rings[len(tracker.rings)-1]
		want := count(list, end.Add(-d.spec.Period), end, last.width)
		if want != (counts{got.Total, got.Bad}) {
			t.Fatalf("over the period before %v: %+v, want %v", at, got, want)
		}
		return
	}
	start, end := d.spec.Calendar.Period(at - 1)
	sum := counts{}
	for s, c := range list {
		if s >= start && s < end {
			sum = sum.plus(c)
		}
	}
	if d.spec.Method != flyball.Occurrences && sum.total > 0 {
		sum.total = int64(math.Ceil(float64(end.Sub(start))/float64(d.spec.Slice))) * tracker.each()
	}
	if sum != (counts{got.Total, got.Bad}) || got.Start != start || got.End != end {
		t.Fatalf("over the period [%v, %v) as of %v: %+v, want %v", start, end, at, got, sum)
	}
}

// TestTrackerLaw runs random changes against trackers of every kind, with aborts
// and restarts on the way.
func TestTrackerLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := &definition{spec: drawSpec(t), panes: map[flyball.Time]counts{}}
		tracker := NewTracker(d.spec, pane, 10*time.Minute)
		was := map[flyball.Time]counts{}
		durable := map[string][]byte{}
		now := flyball.Time(1_772_000_000e9 + rapid.Int64Range(0, 1000).Draw(t, "origin")*int64(day)).Floor(pane)
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				start := now.Add(-time.Duration(rapid.IntRange(1, 30).Draw(t, "late")) * pane)
				c := counts{total: rapid.Int64Range(1, 5000).Draw(t, "total")}
				c.bad = rapid.Int64Range(0, c.total).Draw(t, "bad")
				tracker.Add(start, c.total, c.bad)
				d.panes[start] = d.panes[start].plus(c)
			},
			"step":   func(*rapid.T) { now = now.Add(pane) },
			"later":  func(t *rapid.T) { now = now.Add(time.Duration(rapid.IntRange(1, 900).Draw(t, "panes")) * pane) },
			"gap":    func(t *rapid.T) { now = now.Add(time.Duration(rapid.IntRange(1, 100).Draw(t, "hours")) * time.Hour) },
			"expire": func(*rapid.T) { tracker.Expire(now) },
			"commit": func(*rapid.T) {
				tracker.Changed(func(key string, value []byte) {
					if value == nil {
						delete(durable, key)
					} else {
						durable[key] = value
					}
				})
				tracker.Commit()
				was = maps.Clone(d.panes)
			},
			"abort": func(*rapid.T) {
				tracker.Abort()
				d.panes = maps.Clone(was)
			},
			"restart": func(t *rapid.T) {
				tracker = NewTracker(d.spec, pane, 10*time.Minute)
				for _, key := range rapid.Permutation(slices.Sorted(maps.Keys(durable))).Draw(t, "order") {
					if err := tracker.Restore(key, durable[key]); err != nil {
						t.Fatal(err)
					}
				}
				tracker.Reopen(now)
				if tracker.Dirty() {
					t.Fatal("a restore of the same configuration leaves something to say")
				}
				d.panes = maps.Clone(was)
			},
			"": func(t *rapid.T) { d.check(t, tracker, now) },
		})
	})
}

// TestNextChangePassesOverNothing: between a pane edge and the next change nothing
// changes that tiers are judged by, whatever the SLO.
func TestNextChangePassesOverNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := drawSpec(t)
		tracker := NewTracker(spec, pane, 0)
		at := flyball.Time(1_772_000_000e9).Floor(pane)
		for range rapid.IntRange(1, 8).Draw(t, "bursts") {
			at = at.Add(time.Duration(rapid.IntRange(1, 3000).Draw(t, "panes")) * pane)
			total := rapid.Int64Range(1, 50).Draw(t, "total")
			tracker.Add(at.Add(-pane), total, rapid.Int64Range(0, total).Draw(t, "bad"))
		}
		at = at.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "silent panes")) * pane)
		type state struct {
			c        counts
			measured bool
		}
		look := func(at flyball.Time) (all []state, active bool) {
			for _, tier := range spec.Tiers {
				long, longBad := tracker.Sum(at, tier.Long)
				short, shortBad := tracker.Sum(at, tier.Short)
				if shortBad == 0 { // cannot fire: only whether it is measured matters
					long, longBad, short = min(long, 1), 0, min(short, 1)
				}
				all = append(all, state{counts{long, longBad}, tracker.Measured(at, tier.Long)},
					state{counts{short, shortBad}, tracker.Measured(at, tier.Short)})
			}
			return all, tracker.Active(at)
		}
		edge, ok := tracker.NextChange(at)
		if ok && edge <= at {
			t.Fatalf("after %v comes %v", at, edge)
		}
		before, active := look(at)
		steps := rapid.IntRange(1, 4000).Draw(t, "steps")
		for next := at.Add(pane); (!ok || next < edge) && steps > 0; next, steps = next.Add(pane), steps-1 {
			now, still := look(next)
			if spec.NoData == flyball.NoDataGood { // silence is like anything good
				for i := range now {
					now[i].measured = before[i].measured
					if now[i].c.bad == 0 {
						now[i].c.total = before[i].c.total
					}
				}
			}
			if !active && !still { // of an SLO that fell silent nothing is said
				continue
			}
			if !slices.Equal(now, before) || still != active {
				t.Fatalf("%+v changes at %v, the next change after %v being %v, %v:\n%v\n%v", spec, next, at, edge, ok, before, now)
			}
		}
	})
}

// TestGroupingDoesNotMatter: however the samples of a pane are cut into parts, and
// in whatever order those come, the budget is the same.
func TestGroupingDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := drawSpec(t)
		whole, parts := NewTracker(spec, pane, 0), NewTracker(spec, pane, 0)
		origin := flyball.Time(1_772_000_000e9).Floor(pane)
		type part struct {
			start flyball.Time
			c     counts
		}
		var list []part
		end := origin
		for range rapid.IntRange(1, 40).Draw(t, "panes") {
			end = end.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "apart")) * pane)
			c := counts{total: rapid.Int64Range(1, 1000).Draw(t, "total")}
			c.bad = rapid.Int64Range(0, c.total).Draw(t, "bad")
			whole.Add(end, c.total, c.bad)
			for c.total > 0 {
				p := counts{total: rapid.Int64Range(1, c.total).Draw(t, "part")}
				good := c.total - c.bad
				p.bad = rapid.Int64Range(max(0, p.total-good), min(p.total, c.bad)).Draw(t, "bad part")
				list = append(list, part{end, p})
				c = c.minus(p)
			}
		}
		for _, p := range rapid.Permutation(list).Draw(t, "order") {
			parts.Add(p.start, p.c.total, p.c.bad)
		}
		end = end.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "after")) * pane)
		if a, b := whole.Budget(end), parts.Budget(end); a != b {
			t.Fatalf("whole %+v, in parts %+v", a, b)
		}
		for _, w := range windows(&spec) {
			total, bad := whole.Sum(end, w)
			if partTotal, partBad := parts.Sum(end, w); total != partTotal || bad != partBad {
				t.Fatalf("over %v: whole %d, %d, in parts %d, %d", w, total, bad, partTotal, partBad)
			}
		}
	})
}

// TestTimeToFire holds the tiers of the workbook against the closed form, for
// incidents of any size after days without a bad sample: a tier fires once the
// incident has lasted longer than (1 − target) ÷ ratio × factor × long, in the very
// pane, also where its windows are counted in coarser slices.
func TestTimeToFire(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	fired := 0
	for range 6 {
		spec := flyball.SLO{Period: 30 * day, Tiers: workbook(), TargetPPB: []int64{990_000_000, 999_000_000, 999_900_000}[rng.IntN(3)]}
		start := flyball.Time(1_772_000_000e9 + rng.Int64N(100_000)*int64(pane)).Floor(pane)
		// From a burn rate of just above 1 to one of 40.
		bad := int64(math.Exp(rng.Float64()*math.Log(40)) * 1.02 * float64(1e9-spec.TargetPPB) / 1e9 * perPane)
		fired += timeToFire(t, spec, start, bad)
	}
	if fired < 10 {
		t.Errorf("only %d tiers fired", fired)
	}
}

const perPane = 1_000_000

// timeToFire runs one incident and returns how many tiers fired.
func timeToFire(t *testing.T, spec flyball.SLO, start flyball.Time, bad int64) int {
	tracker := NewTracker(spec, pane, 0)
	for at := start.Add(-3*day - time.Hour); at < start; at = at.Add(pane) {
		tracker.Add(at, perPane, 0)
		tracker.Commit()
	}
	fires, last := map[string]time.Duration{}, time.Duration(0)
	for _, tier := range spec.Tiers {
		after := float64(1e9-spec.TargetPPB) / 1e9 / (float64(bad) / perPane) * tier.Factor() * float64(tier.Long)
		if after < float64(tier.Long)-1 {
			fires[tier.Name] = time.Duration(after)
			last = max(last, fires[tier.Name])
		}
	}
	seen := map[string]bool{}
	for lasted := pane; lasted <= last+2*pane; lasted += pane {
		tracker.Add(start.Add(lasted-pane), perPane, bad)
		tracker.Commit()
		at := start.Add(lasted)
		for _, tier := range spec.Tiers {
			long, longBad := tracker.Sum(at, tier.Long)
			short, shortBad := tracker.Sum(at, tier.Short)
			firing := tier.Burning(spec.TargetPPB, long, longBad) && tier.Burning(spec.TargetPPB, short, shortBad)
			if !firing || seen[tier.Name] {
				continue
			}
			seen[tier.Name] = true
			if want, ok := fires[tier.Name]; !ok || lasted < want || lasted > want+pane+time.Microsecond {
				t.Errorf("%d bad of %d at %v: %s fires after %v, want %v, %v", bad, perPane, spec.Target(), tier.Name, lasted, want, ok)
			}
		}
	}
	if len(seen) != len(fires) {
		t.Errorf("%d bad of %d at %v: fire %v, want %v", bad, perPane, spec.Target(), seen, fires)
	}
	return len(seen)
}

// TestExactAtTheEdges: of irregular traffic, too, the long windows are exact
// where they begin between two slices of their ring.
func TestExactAtTheEdges(t *testing.T) {
	spec := flyball.SLO{Period: 30 * day, Tiers: workbook()}
	tracker, exact := NewTracker(spec, pane, 0), NewExactTracker(spec, pane)
	width := tracker.rings[1].width
	if width != 3*time.Minute {
		t.Fatalf("the slices are %v wide, want 3m", width)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	at, edges, worst := flyball.Time(1_772_000_000e9).Floor(width), 0, 0.0
	for range 4 * 24 * 360 {
		total := rng.Int64N(1000)
		for _, tr := range []*Tracker{tracker, exact} {
			tr.Add(at, total, total/50)
		}
		if at = at.Add(pane); rng.IntN(6) > 0 && at != at.Floor(width) {
			continue
		}
		for _, w := range []time.Duration{day, 3 * day} {
			a, aBad := tracker.Sum(at, w)
			b, bBad := exact.Sum(at, w)
			if at == at.Floor(width) {
				edges++
				if a != b || aBad != bBad {
					t.Fatalf("over %v before %v: %d, %d, want %d, %d", w, at, a, aBad, b, bBad)
				}
			}
			if b > 0 {
				worst = max(worst, math.Abs(float64(a-b))/float64(b))
			}
		}
	}
	t.Logf("exact at %d edges; at most %.4f %% off between them", edges, worst*100)
	if worst > 1./480 {
		t.Errorf("%v off", worst)
	}
}
