package anomaly

import (
	"math"

	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
	"github.com/flyball-io/flyball/detectors/anomaly/tail"
)

// variance is surprised by a series that grows noisy or calm: by the recent mean
// of squared residuals of the forecast, each bounded so that one spike does not
// do.
type variance struct {
	power float64
	seen  int
	tails tail.Both
}

const (
	varianceRate = 1.0 / 48
	varianceMost = 25.0
	// varianceLeast keeps the logarithm of a dead calm finite.
	varianceLeast = 1e-6
	// varianceFloor is the smallest mean excess of a logarithm to believe in.
	varianceFloor = 0.05
)

func newVariance(cfg *Config) *variance { return &variance{tails: tail.NewBoth(cfg.Generation)} }

func (v *variance) observe(f *frame, o *opinion) {
	o.digits = 0
	if !f.known {
		return
	}
	v.seen++
	rate := max(varianceRate, 1/float64(v.seen))
	v.power += rate * (min(f.surprise*f.surprise, varianceMost) - v.power)
	if float64(v.seen)*varianceRate < 1 {
		return
	}
	o.digits, o.side = v.tails.Step(math.Log(v.power+varianceLeast), varianceFloor, f.event)
	o.level = math.Sqrt(v.power)
}

func (v *variance) code(c *snapshot.Codec) {
	c.Float64(&v.power)
	c.Count(&v.seen)
	v.tails.Code(c)
}
