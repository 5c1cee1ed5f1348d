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
// from the counts alone. Where samples are missing it says of a tier that its state
// stays, which is for the caller to know.
type Detector struct {
	slo flyball.SLO
}

// New returns the detector of an SLO.
func New(slo flyball.SLO) *Detector { return &Detector{slo} }

// Observe judges every tier; the first that fires, in the order of the SLO,
// gives severity and evidence. What windows without samples mean is the SLO's
// policy. One that was silent for as long as its longest window has no state any
// more: then nothing fires.
func (d *Detector) Observe(o detectors.SLOObservation) detectors.Signal {
	var s detectors.Signal
	for i := range d.slo.Tiers {
		t := &d.slo.Tiers[i]
		w := windows{}
		w.longTotal, w.longBad = o.Sum(t.Long)
		w.shortTotal, w.shortBad = o.Sum(t.Short)
		w.gap = o.Gap
		w.excluded = o.Excluded != nil && o.Excluded(t.Short)
		tier := d.judge(t, &w, o.Silent)
		if tier.Firing && t.After > 0 {
			d.wait(t, &tier, &o)
		}
		s.Tiers = append(s.Tiers, tier)
		if tier.Firing && !s.Firing {
			d.speak(&s, t, &tier, &w)
		}
		if tier.Suppressed != "" && s.Summary == "" {
			s.Summary = fmt.Sprintf("tier %s of %s is held back: %s", t.Name, d.slo.Name, tier.Suppressed)
		}
	}
	switch {
	case o.Silent:
		s.Summary = fmt.Sprintf("%s had no samples for %s", d.slo.Name, spell(d.longest()))
	case d.slo.NoData == flyball.NoDataAlert && len(s.Tiers) > 0 && s.Tiers[0].NoData && !d.excused(&o):
		d.speakOfSilence(&s)
	}
	return s
}

// windows are the counts that a tier is judged by.
type windows struct {
	longTotal, longBad, shortTotal, shortBad int64
	// gap is how long ago the last sample was.
	gap time.Duration
	// excluded is set when the shorter one touches time that is left out.
	excluded bool
}

// excused reports whether silence in the window by which it is judged means nothing.
func (d *Detector) excused(o *detectors.SLOObservation) bool {
	return o.Excluded != nil && o.Excluded(min(d.slo.Tiers[0].Short, d.slo.Tiers[0].Long))
}

// wait holds a tier back until it has burnt at every pane edge for as long as it
// says.
func (d *Detector) wait(t *flyball.BurnRateTier, tier *detectors.Tier, o *detectors.SLOObservation) {
	for past := o.At.Add(-o.Pane); past >= o.At.Add(-t.After); past = past.Add(-o.Pane) {
		long, longBad := o.SumAt(past, t.Long)
		short, shortBad := o.SumAt(past, t.Short)
		if !t.Burning(d.slo.TargetPPB, long, longBad) || !t.Burning(d.slo.TargetPPB, short, shortBad) {
			tier.Firing = false
			tier.Suppressed = fmt.Sprintf("it has not burnt for %s yet (alertAfter)", spell(t.After))
			return
		}
	}
}

func (d *Detector) judge(t *flyball.BurnRateTier, w *windows, silent bool) detectors.Tier {
	tier := detectors.Tier{
		Name:  t.Name,
		Long:  d.slo.BurnRate(w.longTotal, w.longBad),
		Short: d.slo.BurnRate(w.shortTotal, w.shortBad),
	}
	measured := w.longTotal > 0 && w.shortTotal > 0
	switch {
	case silent:
	case measured:
		tier.Firing = t.Burning(d.slo.TargetPPB, w.longTotal, w.longBad) && t.Burning(d.slo.TargetPPB, w.shortTotal, w.shortBad)
	case d.slo.NoData == flyball.NoDataBad && !w.excluded && w.shortTotal == 0:
		long, longBad := withSilence(w.longTotal, w.longBad, w.gap, t.Long)
		tier.Firing = t.Burning(d.slo.TargetPPB, long, longBad) && t.Burning(d.slo.TargetPPB, 1, 1)
	case d.slo.NoData != flyball.NoDataGood:
		tier.NoData = true
	}
	if tier.Firing && measured {
		tier.Suppressed = d.suppressed(w)
		tier.Firing = tier.Suppressed == ""
	}
	return tier
}

// withSilence adds to the counts of a window the silence at its end, as if all that
// time had gone on as before and been bad: of a window in which the last sample was
// gap ago, the share gap ÷ window is bad, and of the rest what was counted.
func withSilence(total, bad int64, gap, window time.Duration) (int64, int64) {
	gap, window = gap/time.Second, window/time.Second
	if total == 0 || gap >= window {
		return 1, 1
	}
	// Seconds, so that the products stay within int64 for 2^40 samples in 90 days.
	return total * int64(window), bad*int64(window-gap) + total*int64(gap)
}

// suppressed says why a tier that burns must not fire: there is too little to tell
// by.
func (d *Detector) suppressed(w *windows) string {
	switch {
	case w.longTotal < d.slo.MinTotal:
		return fmt.Sprintf("%d %s are fewer than the %d wanted (min-total)", w.longTotal, d.unit(), d.slo.MinTotal)
	case w.longBad < d.slo.MinBad:
		return fmt.Sprintf("%d bad %s of %d are fewer than the %d wanted (min-bad)", w.longBad, d.unit(), w.longTotal, d.slo.MinBad)
	}
	return ""
}

// unit names what is counted.
func (d *Detector) unit() string {
	switch d.slo.Method {
	case flyball.Timeslices:
		return "slices"
	case flyball.RatioTimeslices:
		return "slices⋅10⁻⁹"
	}
	return "samples"
}

// speak fills in what the tier that fires has to say.
func (d *Detector) speak(s *detectors.Signal, t *flyball.BurnRateTier, tier *detectors.Tier, w *windows) {
	factor := t.Factor()
	s.Firing, s.Tier, s.Severity = true, t.Name, t.Severity
	s.Summary = fmt.Sprintf("error budget of %s burns %.1f times too fast over %s and %.1f times over %s (limit %g): %d of %d bad",
		d.slo.Name, tier.Long, spell(t.Long), tier.Short, spell(t.Short), factor, w.longBad, w.longTotal)
	if w.longTotal == 0 || w.shortTotal == 0 {
		s.Summary = fmt.Sprintf("%s has no samples, which counts as bad: %d of %d bad over %s, %d of %d over %s",
			d.slo.Name, w.longBad, w.longTotal, spell(t.Long), w.shortBad, w.shortTotal, spell(t.Short))
	}
	s.Evidence = nil
	add := func(name string, value float64, threshold *float64, unit string, window time.Duration) {
		if value == value { // an empty window has no rate
			s.Evidence = append(s.Evidence, flyball.Evidence{Name: name, Value: value, Threshold: threshold, Unit: unit, Window: spell(window)})
		}
	}
	add("burn_long", tier.Long, &factor, "x", t.Long)
	add("burn_short", tier.Short, &factor, "x", t.Short)
	add("bad", float64(w.longBad), nil, d.unit(), t.Long)
	add("total", float64(w.longTotal), nil, d.unit(), t.Long)
}

// speakOfSilence makes the signal one about samples that do not come any more.
func (d *Detector) speakOfSilence(s *detectors.Signal) {
	first := d.slo.Tiers[0]
	window := spell(min(first.Short, first.Long))
	s.Firing, s.Tier, s.Severity = true, detectors.TierNoData, first.Severity
	s.Summary = fmt.Sprintf("%s has had no samples for %s", d.slo.Name, window)
	s.Evidence = []flyball.Evidence{{Name: "total", Value: 0, Unit: d.unit(), Window: window}}
}

func (d *Detector) longest() time.Duration {
	var out time.Duration
	for _, t := range d.slo.Tiers {
		out = max(out, t.Long, t.Short)
	}
	return out
}

// spell writes a duration without zero units: 1h, 5m, 90s.
func spell(d time.Duration) string {
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
