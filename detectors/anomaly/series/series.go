// Package series makes the detectors of package anomaly from what the configuration
// says, in the form that the engine works with.
package series

import (
	"cmp"
	"fmt"
	"math"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/detectors/anomaly"
)

// Detector judges one series. It implements detectors.SeriesDetector.
type Detector struct {
	ensemble  *anomaly.Ensemble
	last      reading
	threshold float64
	duration  bool
}

// New returns the detector of one number of an indicator's windows. The configuration
// has been checked.
func New(d flyball.Detector, value flyball.WindowValue, of flyball.Indicator) detectors.SeriesDetector {
	cfg, err := Config(d, value)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	e, err := anomaly.New(cfg)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	measured := value != flyball.ValueRate && value != flyball.ValueErrorRatio
	return &Detector{ensemble: e, threshold: cfg.Threshold(cmp.Or(of.Hop, of.Window)), duration: measured && of.Unit == "ns"}
}

// Config returns the settings of a detector for one number of windows.
func Config(d flyball.Detector, value flyball.WindowValue) (anomaly.Config, error) {
	cfg := anomaly.Default()
	cfg.FalseAlarms, cfg.Horizon = d.FalseAlarms, d.Horizon
	if value != flyball.ValueRate {
		cfg.MinCount = d.MinSamples
	}
	if len(d.Periods) > 0 {
		cfg.Periods = d.Periods
	}
	switch {
	case d.Range != nil:
		cfg.Min, cfg.Max = d.Range.Min, d.Range.Max
	case value == flyball.ValueErrorRatio:
		cfg.Min, cfg.Max = 0, 1
	}
	if len(d.Algorithms) > 0 {
		cfg.Detectors = nil
	}
	for _, name := range d.Algorithms {
		k, err := anomaly.KindNamed(name)
		if err != nil {
			return cfg, fmt.Errorf("cannot use detector %q: %w", d.Name, err)
		}
		cfg.Detectors = append(cfg.Detectors, k)
	}
	return cfg, cfg.Validate()
}

// reading explains itself when it is asked.
type reading struct{ anomaly.Reading }

func (r *reading) String() string { return r.Explain() }

// Observe implements detectors.SeriesDetector.
func (d *Detector) Observe(p detectors.SeriesPoint) detectors.SeriesReading {
	d.last.Reading = d.ensemble.Observe(anomaly.Point{At: p.At, Value: p.Value, Count: p.Count})
	r := &d.last.Reading
	r.Duration = d.duration
	out := detectors.SeriesReading{
		Digits: r.Digits, News: r.News, Rarity: r.Rarity, Threshold: d.threshold, Alarm: r.Alarm, Direction: r.Direction,
		Expected: r.Course.Expected, Low: r.Course.Low, High: r.Course.High, Algorithm: r.Detector.String(), Seen: r.Seen, Reason: &d.last,
	}
	if math.IsNaN(out.Expected) && r.Digits > 0 {
		out.Expected = r.Expected
	}
	if r.Digits > 0 && (r.Detector == anomaly.Shift || r.Detector == anomaly.Stuck) {
		out.Age = r.For
	}
	if r.Second != anomaly.None {
		out.Second = r.Second.String()
	}
	return out
}

// AppendSnapshot implements detectors.SeriesDetector.
func (d *Detector) AppendSnapshot(dst []byte) []byte { return d.ensemble.AppendSnapshot(dst) }

// Restore implements detectors.SeriesDetector.
func (d *Detector) Restore(from []byte) error { return d.ensemble.Restore(from) }

var _ detectors.SeriesDetector = (*Detector)(nil)
