package series

import (
	"math"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
)

// TestExpectations: while nothing is known nothing is expected, and then what is
// expected and the limits lie where the values are.
func TestExpectations(t *testing.T) {
	d := New(flyball.Detector{FalseAlarms: 0.1, Horizon: time.Hour, MinSamples: 1}, flyball.ValueP99, flyball.Indicator{Window: time.Minute, Unit: "ns"})
	var r detectors.SeriesReading
	at := flyball.Time(0)
	for i := range 300 {
		at = at.Add(time.Minute)
		r = d.Observe(detectors.SeriesPoint{At: at, Value: 1e8 + 1e6*math.Sin(float64(i)*12.9898), Count: 10})
		if i == 0 && !math.IsNaN(r.Expected) {
			t.Errorf("of the first point %g is expected", r.Expected)
		}
	}
	if math.Abs(r.Expected-1e8) > 1e6 || !(r.Low < 0.99e8 && r.High > 1.01e8 && r.High < 2e8) {
		t.Errorf("expected are %g, from %g to %g", r.Expected, r.Low, r.High)
	}
	r = d.Observe(detectors.SeriesPoint{At: at.Add(time.Minute), Value: 3e8, Count: 10})
	if !r.Alarm || r.Direction != 1 || r.Threshold < 5 || r.Threshold > 5.1 {
		t.Errorf("of a jump it says %+v", r)
	}
	if want := "300ms is above"; len(r.Reason.String()) < len(want) || r.Reason.String()[:len(want)] != want {
		t.Errorf("its reason is %q", r.Reason)
	}
}
