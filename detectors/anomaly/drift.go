package anomaly

import (
	"math"

	"github.com/flyball-io/flyball/detectors/anomaly/average"
	"github.com/flyball-io/flyball/detectors/anomaly/change"
	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
	"github.com/flyball-io/flyball/detectors/anomaly/tail"
)

// drift is surprised by a distribution that changes, whatever its mean does: by
// the population stability index between a histogram of the last points and one
// that ages slowly, PSI = Σ (a−e) ln(a/e) (Siddiqi, 2006).
type drift struct {
	reference average.Average // centres the histograms; slow
	recent    change.Histogram
	aged      change.Histogram
	seen      int
	tail      tail.Upper
	ageRate   float64
}

const (
	driftRecent = 1.0 / 144
	driftEvery  = 12 // points between comparisons
	driftCenter = 0.001
	// driftFloor is the smallest mean excess of the index to believe in.
	driftFloor = 0.01
)

func newDrift(cfg *Config) *drift {
	return &drift{
		// One in twelve points is compared.
		tail:    tail.NewUpper(max(cfg.Generation/driftEvery, minGeneration)),
		ageRate: 0.5 / float64(cfg.Generation),
	}
}

// driftBin returns the bin of a residual in units of its usual size: equal steps
// to three of them on either side.
func driftBin(z float64) int {
	return max(0, min(change.Bins-1, int(math.Floor(z*2))+change.Bins/2))
}

func (d *drift) observe(f *frame) opinion {
	o := opinion{center: math.NaN()}
	a := &d.reference
	if a.Seen == 0 {
		a.Mean = f.value - f.base
	} else {
		a.Mean += f.rebase
	}
	residual := f.value - f.base - a.Mean
	scale := sigmaOfSpread*a.Spread + f.floor
	if a.Seen >= average.Trust && scale > 0 {
		d.seen++
		bin := driftBin(residual / scale)
		d.recent.Add(bin, max(driftRecent, 1/float64(d.seen)))
		d.aged.Add(bin, max(d.ageRate, 1/float64(d.seen)))
		if d.seen%driftEvery == 0 && float64(d.seen)*driftRecent >= 4 {
			psi := change.Stability(d.aged[:], d.recent[:])
			o.digits, o.side = d.tail.Digits(psi, driftFloor), 1
			o.level = psi
			d.tail.Add(psi, max(f.event/driftEvery, 1))
		}
	}
	a.Learn(residual, driftCenter, driftCenter, f.steps, f.floor)
	return o
}

func (d *drift) code(c *snapshot.Codec) {
	d.reference.Code(c)
	c.Float64s(d.recent[:])
	c.Float64s(d.aged[:])
	c.Count(&d.seen)
	d.tail.Code(c)
}
