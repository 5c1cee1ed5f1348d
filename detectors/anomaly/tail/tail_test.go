package tail

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
)

func TestRankInsideTheTail(t *testing.T) {
	u := NewUpper(100000)
	for i := range 1000 {
		u.Add(float64((i*389)%1000), 1) // 0..999 in some order
	}
	f := func(x, want float64) {
		t.Helper()
		if got := u.Digits(x, 0); math.Abs(got-want) > 1e-12 {
			t.Errorf("Digits(%g) = %g, want %g", x, got, want)
		}
	}
	f(500, 0)
	f(960, 0) // the smallest kept
	f(961, math.Log10(1001.0/40))
	f(961.75, math.Log10(1001.0/39.25))
	f(990, math.Log10(1001.0/11))
	f(999, math.Log10(1001.0/2))
	// Beyond, the rank of a record or the fit: u = 960, mean excess 19.5.
	f(1000, max(math.Log10(1001)+0.1/(19.5*math.Ln10), math.Log10(1000.0/40)+40/(19.5*math.Ln10)))
	f(1200, math.Log10(1000.0/40)+240/(19.5*math.Ln10))
	f(1e9, MaxDigits)
}

func TestReachIsWhereDigitsBegin(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		u := NewUpper(1000)
		for range rapid.IntRange(0, 3000).Draw(rt, "seen") {
			u.Add(r.NormFloat64(), 1)
		}
		digits := rapid.Float64Range(0.1, 8).Draw(rt, "digits")
		reach := u.Reach(digits, 0)
		if math.IsInf(reach, 1) {
			if u.Seen() >= warm {
				rt.Fatalf("no reach after %d", u.Seen())
			}
			return
		}
		// Just above the bound the last generation alone is at least so surprised.
		g := &u.old
		if g.seen == 0 {
			g = &u.young
		}
		above := math.Nextafter32(float32(reach), math.MaxFloat32)
		least := min(digits, math.Log10(float64(g.seen+1)/K))
		if got := g.digits(math.Nextafter32(above, math.MaxFloat32), 0, false); got < least-0.31 {
			rt.Fatalf("%g digits above the reach of %g", got, digits)
		}
		if got := g.digits(float32(reach-1e-3), 0, false); got > digits+1e-6 {
			rt.Fatalf("%g digits below the reach of %g", got, digits)
		}
	})
}

func TestOneIncidentDoesNotHideTheNext(t *testing.T) {
	u := NewUpper(10080)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 20000 {
		x := r.NormFloat64()
		if i%3000 == 2999 {
			x = 1000
		}
		u.Add(x, 1)
	}
	if got := u.Digits(1000, 0); got < 6 {
		t.Errorf("the seventh incident: %g digits", got)
	}
}

func TestGenerationsForget(t *testing.T) {
	u := NewUpper(500)
	for range 500 {
		u.Add(100*rand.New(rand.NewPCG(1, 2)).Float64(), 1)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		u.Add(r.Float64(), 1)
	}
	if got := u.Digits(20, 0); got < 4 {
		t.Errorf("20 after two generations below 1: %g digits", got)
	}
}

func TestFewDistinctValues(t *testing.T) {
	u := NewUpper(10080)
	for range 5000 {
		u.Add(0, 1)
	}
	if got := u.Digits(0, 1); got != 0 {
		t.Errorf("0 among zeros: %g digits", got)
	}
	// One count where there was none: a record, and no more than the floor makes it.
	if got := u.Digits(1, 1); math.Abs(got-math.Log10(5001)-0.1/math.Ln10) > 1e-9 {
		t.Errorf("1 among zeros: %g digits", got)
	}
	// 0.1 has no float32; it must not exceed itself.
	v := NewUpper(10080)
	for range 500 {
		v.Add(0.1, 1)
	}
	if got := v.Digits(0.1, 0); got != 0 {
		t.Errorf("0.1 among 0.1s: %g digits", got)
	}
}

func TestBothSides(t *testing.T) {
	b := NewBoth(10080)
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		b.Step(r.NormFloat64(), 0, 1)
	}
	low, high := b.Band(4, 0)
	if low > -3 || low < -6 || high < 3 || high > 6 {
		t.Errorf("4 digits of normal noise: %g to %g", low, high)
	}
	if d, side := b.Step(10, 0, 1); d < 5 || side != 1 {
		t.Errorf("10: %g digits on side %d", d, side)
	}
	if d, side := b.Step(-10, 0, 1); d < 5 || side != -1 {
		t.Errorf("-10: %g digits on side %d", d, side)
	}
	if d, side := b.Step(0, 0, 1); d != 0 || side != 0 {
		t.Errorf("0: %g digits on side %d", d, side)
	}
}

func TestCodeRefusesAGenerationThatIsOver(t *testing.T) {
	u := NewUpper(100)
	for range 70 {
		u.Add(1, 1)
	}
	w := snapshot.Writer(nil)
	u.Code(w)
	short := NewUpper(50)
	c := snapshot.Reader(w.Bytes())
	short.Code(c)
	if c.Close() == nil {
		t.Error("70 values restored into generations of 50")
	}
}

// A long incident is one event: it does not make the next one usual.
func TestRunsAreOneEvent(t *testing.T) {
	f := func(event int) float64 {
		u := NewUpper(10_000)
		r := rand.New(rand.NewPCG(5, 6))
		for i := range 5000 {
			x := r.ExpFloat64()
			if i > 4000 && i <= 4040 {
				x += 60
			}
			u.Add(x, event)
		}
		return u.Digits(60, 0)
	}
	if one, each := f(50), f(1); one < 5 || each > 3.5 {
		t.Errorf("after an incident of 40 values another has %.1f digits as one event, %.1f when each value counts", one, each)
	}
	// What lasts longer than an event is what the series does.
	if long := f(10); long > 3.5 {
		t.Errorf("after a change that lasted it has %.1f digits", long)
	}
}

// A few incidents hardly make the next one less rare: an exponential fit that took
// them for chance would give it 3 digits.
func TestRobustTail(t *testing.T) {
	f := func(incident float64) float64 {
		u := NewRobust(10_000)
		r := rand.New(rand.NewPCG(7, 8))
		for i := range 8000 {
			x := r.ExpFloat64() / math.Ln10 // digits of surprise, by chance alone
			if i%1300 == 700 {
				x = max(x, incident)
			}
			u.Add(x, 1)
		}
		return u.Digits(7, 0)
	}
	if without, with := f(0), f(20); without < 5.5 || without > 8.5 || with < 4.2 {
		t.Errorf("7 digits are %.1f without incidents and %.1f with six of them", without, with)
	}
}
