// Package burnrate fires when an error budget burns too fast in a long and a
// short window at once (Google, The Site Reliability Workbook, chapter 5,
// "Multiwindow, Multi-Burn-Rate Alerts"): the long window says that it matters,
// the short one that it still goes on.
package burnrate

import (
	"fmt"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
)

// Detector judges the tiers of one SLO. It has no state: what it says follows
// from the counts alone.
type Detector struct {
	slo flyball.SLO
}

// New returns the detector of an SLO.
func New(slo flyball.SLO) *Detector { return &Detector{slo} }

// Observe judges every tier; the first that fires, in the order of the SLO,
// gives severity and evidence.
func (d *Detector) Observe(o detectors.SLOObservation) detectors.Signal {
	var s detectors.Signal
	for _, t := range d.slo.Tiers {
		longTotal, longBad := o.Sum(t.Long)
		shortTotal, shortBad := o.Sum(t.Short)
		tier := detectors.Tier{
			Name:  t.Name,
			Long:  d.slo.BurnRate(longTotal, longBad),
			Short: d.slo.BurnRate(shortTotal, shortBad),
			Firing: t.Burning(d.slo.TargetPPB, longTotal, longBad) &&
				t.Burning(d.slo.TargetPPB, shortTotal, shortBad),
		}
		s.Tiers = append(s.Tiers, tier)
		if !tier.Firing || s.Firing {
			continue
		}
		factor := t.Factor()
		s.Firing, s.Tier, s.Severity = true, t.Name, t.Severity
		s.Summary = fmt.Sprintf("error budget of %s burns %.1f times too fast over %s and %.1f times over %s (limit %g): %d of %d bad",
			d.slo.Name, tier.Long, short(t.Long), tier.Short, short(t.Short), factor, longBad, longTotal)
		s.Evidence = []flyball.Evidence{
			{Name: "burn_long", Value: tier.Long, Threshold: &factor, Unit: "x", Window: short(t.Long)},
			{Name: "burn_short", Value: tier.Short, Threshold: &factor, Unit: "x", Window: short(t.Short)},
			{Name: "bad", Value: float64(longBad), Unit: "samples", Window: short(t.Long)},
			{Name: "total", Value: float64(longTotal), Unit: "samples", Window: short(t.Long)},
		}
	}
	return s
}

// short writes a duration without zero units: 1h, 5m, 90s.
func short(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}
