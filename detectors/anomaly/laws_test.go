package anomaly

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
)

// course is a series with everything in it: a daily cycle, noise, spikes, shifts
// of level, ramps, frozen values, gaps, duplicates and missing values.
func course(seed uint64, n int) []Point {
	r := rand.New(rand.NewPCG(seed, 1))
	step := time.Duration(1+r.IntN(60)) * time.Minute
	at := flyball.TimeOf(time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC))
	var points []Point
	level, ramp, frozen := 50*r.Float64(), 0, 0
	for range n {
		day := float64(at%flyball.Time(24*time.Hour)) / float64(24*time.Hour)
		x := level + 10*math.Sin(2*math.Pi*day) + r.NormFloat64()
		switch r.IntN(300) {
		case 0:
			x += 50 * r.Float64()
		case 1:
			x = math.NaN()
		case 2:
			at = at.Add(time.Duration(r.IntN(20)) * step)
		case 3:
			at = at.Add(-step)
		case 4:
			level += 10 * r.NormFloat64()
		case 5:
			ramp = 60
		case 6:
			frozen = 40
		}
		if ramp > 0 {
			ramp--
			level++
		} else if level > 120 {
			level = 50
		}
		if frozen > 0 && len(points) > 0 {
			frozen--
			x = points[len(points)-1].Value
		}
		points = append(points, Point{at, x, int64(r.IntN(5))})
		at = at.Add(step)
	}
	return points
}

// configs returns one configuration for each algorithm alone and for ensembles.
func configs(t testing.TB) map[string]Config {
	t.Helper()
	list := map[string]Config{"ensemble": Default()}
	declared := Default()
	declared.Min, declared.Max = 0, 200
	list["declared"] = declared
	everything := declared
	everything.Detectors = Kinds()
	list["everything"] = everything
	for _, k := range Kinds() {
		c := declared
		c.Detectors = []Kind{k}
		list[k.String()] = c
	}
	for name, c := range list {
		c.Generation = 200 // so that short series see several
		list[name] = c
	}
	return list
}

func mustNew(t testing.TB, cfg Config) *Ensemble {
	t.Helper()
	d, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func observeAll(d Detector, points []Point) []Reading {
	var list []Reading
	for _, p := range points {
		list = append(list, d.Observe(p))
	}
	return list
}

var nan = cmpopts.EquateNaNs()

func TestSomethingIsFound(t *testing.T) {
	// Without this the laws below could hold of a detector that says nothing.
	for name, cfg := range configs(t) {
		loud := 0
		for seed := range uint64(5) {
			for _, r := range observeAll(mustNew(t, cfg), course(seed, 3000)) {
				if r.Digits > 1 {
					loud++
				}
			}
		}
		if loud == 0 {
			t.Errorf("%s: nothing surprises it", name)
		}
	}
}

func TestReadingsDependOnThePastOnly(t *testing.T) {
	list := configs(t)
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(list))).Draw(rt, "detector")
		cfg := list[name]
		seed := rapid.Uint64().Draw(rt, "seed")
		cut := rapid.IntRange(0, 500).Draw(rt, "cut")
		points := course(seed, 500)
		other := append(append([]Point{}, points[:cut]...), course(seed+1, 500-cut)...)
		a := observeAll(mustNew(t, cfg), points)
		b := observeAll(mustNew(t, cfg), other)
		if diff := cmp.Diff(a[:cut], b[:cut], nan); diff != "" {
			rt.Fatalf("%s: readings before %d depend on what came after: %s", name, cut, diff)
		}
	})
}

func TestSnapshotKeepsEverything(t *testing.T) {
	list := configs(t)
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(list))).Draw(rt, "detector")
		cfg := list[name]
		points := course(rapid.Uint64().Draw(rt, "seed"), 600)
		cut := rapid.IntRange(0, 600).Draw(rt, "cut")
		whole := mustNew(t, cfg)
		observeAll(whole, points[:cut])
		memory := whole.AppendSnapshot(nil)
		restored := mustNew(t, cfg)
		observeAll(restored, course(7, 50)) // leftovers must go
		if err := restored.Restore(memory); err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(memory, restored.AppendSnapshot(nil)); diff != "" {
			rt.Fatalf("%s: snapshot of the restored detector differs", name)
		}
		if diff := cmp.Diff(observeAll(whole, points[cut:]), observeAll(restored, points[cut:]), nan); diff != "" {
			rt.Fatalf("%s: restored at %d it says: %s", name, cut, diff)
		}
	})
}

func TestScaleDoesNotMatter(t *testing.T) {
	list := configs(t)
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(list))).Draw(rt, "detector")
		cfg := list[name]
		// Powers of two, so that rounding scales along.
		factor := math.Ldexp(1, rapid.IntRange(-30, 30).Draw(rt, "log2 factor"))
		points := course(rapid.Uint64().Draw(rt, "seed"), 500)
		scaled := append([]Point{}, points...)
		for i := range scaled {
			scaled[i].Value *= factor
		}
		scaledCfg := cfg
		scaledCfg.Min, scaledCfg.Max = cfg.Min*factor, cfg.Max*factor
		a := observeAll(mustNew(t, cfg), points)
		b := observeAll(mustNew(t, scaledCfg), scaled)
		for i := range a {
			if math.Abs(a[i].Digits-b[i].Digits) > 1e-9 || a[i].Detector != b[i].Detector {
				rt.Fatalf("%s: point %d: %g digits by %s, scaled by %g: %g by %s", name, i, a[i].Digits, a[i].Detector, factor, b[i].Digits, b[i].Detector)
			}
		}
	})
}

func TestRestoreRefusesForeignBytes(t *testing.T) {
	cfg := Default()
	d := mustNew(t, cfg)
	observeAll(d, course(3, 400))
	good := d.AppendSnapshot(nil)
	f := func(what string, bytes []byte) {
		t.Helper()
		if err := mustNew(t, cfg).Restore(bytes); err == nil {
			t.Errorf("%s: restored", what)
		}
	}
	f("nothing", nil)
	f("a byte short", good[:len(good)-1])
	f("a byte long", append(append([]byte{}, good...), 0))
	other := append([]byte{}, good...)
	other[0]++
	f("another version", other)
	cfg.Detectors = []Kind{Spike}
	f("other detectors", good)
	f("of another detector", mustNew(t, Config{
		Detectors: []Kind{Level}, Min: math.NaN(), Max: math.NaN(), FalseAlarms: 1, Generation: 500, Horizon: time.Hour,
	}).AppendSnapshot(nil))
}

func FuzzRestore(f *testing.F) {
	cfg := Default()
	cfg.Detectors = Kinds()
	cfg.Min, cfg.Max = 0, 200
	d := mustNew(f, cfg)
	f.Add(d.AppendSnapshot(nil))
	observeAll(d, course(3, 400))
	f.Add(d.AppendSnapshot(nil))
	f.Fuzz(func(t *testing.T, memory []byte) {
		d := mustNew(t, cfg)
		if err := d.Restore(memory); err != nil {
			return
		}
		// Whatever was restored, observing must not panic.
		observeAll(d, course(5, 100))
	})
}
