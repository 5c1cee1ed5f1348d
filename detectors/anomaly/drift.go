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
	fresh     [change.Bins]uint8
	recent    change.Histogram
	aged      change.Histogram
	seen      int
	tail      tail.Upper
	ageRate   float64 // of driftEvery points
	last      float64
	same      float64 // share of the recent values that repeat the one before
}

const (
	driftEvery = 12 // points between comparisons
	// driftRecent is the weight of so many points among the recent ones, about 144.
	driftRecent = 1.0 / 12
	driftCenter = 0.001
	// driftNeeds is after how many comparisons recent points are that.
	driftNeeds = 4 / driftRecent
	// driftSame is the share of repeated values from which a histogram around the mean says
	// nothing: of a count that is mostly zero it would tell how large the rest is.
	driftSame = 0.3
	// driftFloor is the smallest mean excess of the index to believe in.
	driftFloor = 0.01
)

func newDrift(cfg *Config) *drift {
	return &drift{
		// One in twelve points is compared.
		tail:    tail.NewUpper(max(cfg.Generation/driftEvery, minGeneration)),
		ageRate: 0.5 * driftEvery / float64(cfg.Generation),
	}
}

// driftBin returns the bin of a residual in units of its usual size: equal steps
// to three of them on either side.
func driftBin(z float64) int {
	z = max(-change.Bins, min(change.Bins, z)) // what no int holds has a bin, too
	return max(0, min(change.Bins-1, int(math.Floor(z*2))+change.Bins/2))
}

func (d *drift) observe(f *frame, o *opinion) {
	o.digits = 0
	a := &d.reference
	again := 0.0
	if f.value == d.last {
		again = 1
	}
	d.same += driftRecent / driftEvery * (again - d.same)
	d.last = f.value
	if a.Seen == 0 {
		a.Mean = f.value - f.base
	} else {
		a.Mean += f.rebase
	}
	residual := f.value - f.base - a.Mean
	scale := sigmaOfSpread*a.Spread + f.floor
	if a.Seen >= average.Trust && scale > 0 {
		d.seen++
		d.fresh[driftBin(residual/scale)]++
		if d.seen%driftEvery == 0 {
			d.compare(f, o)
		}
	}
	a.Learn(residual, driftCenter, driftCenter, f.steps, f.floor)
}

// compare takes in the latest points, and judges them all by how the recent differ from
// those long before.
func (d *drift) compare(f *frame, o *opinion) {
	n := float64(d.seen / driftEvery)
	d.recent.Add(&d.fresh, max(driftRecent, 1/n))
	d.aged.Add(&d.fresh, max(d.ageRate, 1/n))
	d.fresh = [change.Bins]uint8{}
	if n < driftNeeds || d.same > driftSame {
		return
	}
	psi := change.Stability(d.aged[:], d.recent[:])
	o.digits, o.side, o.level = d.tail.Digits(psi, driftFloor), 1, psi
	d.tail.Add(psi, max(f.event/driftEvery, 1))
}

func (d *drift) code(c *snapshot.Codec) {
	d.reference.Code(c)
	for i := range d.fresh {
		c.Uint8(&d.fresh[i])
	}
	c.Float64s(d.recent[:])
	c.Float64s(d.aged[:])
	c.Count(&d.seen)
	c.Float64(&d.last)
	c.Float64(&d.same)
	d.tail.Code(c)
}
