package anomaly

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/evaluate/anomaly/release"
	"github.com/flyball-io/flyball/processors/slo"
)

const day = 24 * time.Hour

// after is a version of the entity that appeared just before something began.
type after struct {
	Version string `json:"version"`
	Entity  string `json:"entity"`
	By      int64  `json:"by"` // nanoseconds
}

// String continues a reason.
func (a *after) String() string {
	if a == nil {
		return ""
	}
	return fmt.Sprintf("; began %s after %s %s appeared", time.Duration(a.By), a.Entity, a.Version)
}

// after returns what appeared just before a time, nil for nothing.
func (m *Machine) after(w *watch, sr *series, began flyball.Time) *after {
	v, ok := m.releases.Before(release.Key{Source: w.spec.Source, Entity: sr.name}, began)
	if !ok {
		return nil
	}
	return &after{Version: v.Name, Entity: sr.name, By: int64(began.Sub(v.Since))}
}

// versionsIn returns the windows of a step that tell of versions, in the order of their
// ends.
func (m *Machine) versionsIn(s *Step) []int {
	var rows []int
	for i := s.First; i < s.Windows.Len(); i++ {
		if m.releases.In(s.Windows.Labels[i]) != "" {
			rows = append(rows, i)
		}
	}
	w := s.Windows
	slices.SortStableFunc(rows, func(a, b int) int {
		return cmp.Or(cmp.Compare(w.End[a], w.End[b]), cmp.Compare(w.Entity[a], w.Entity[b]), cmp.Compare(w.Labels[a], w.Labels[b]))
	})
	return rows
}

// see takes in the versions of the windows up to an end, and returns the rest.
func (m *Machine) see(rows []int, s *Step, end flyball.Time) []int {
	for len(rows) > 0 && flyball.Time(s.Windows.End[rows[0]]) <= end {
		i := rows[0]
		m.releases.See(release.Key{Source: s.Source, Entity: s.Windows.Entity[i]}, m.releases.In(s.Windows.Labels[i]), flyball.Time(s.Windows.End[i]))
		rows = rows[1:]
	}
	return rows
}

// exclusion is time that a detector leaves out, in whole panes.
type exclusion struct {
	name string
	*slo.Exclusions
}

func exclusionsOf(d *flyball.Detector, pane time.Duration) []exclusion {
	var list []exclusion
	for _, e := range d.Exclusions {
		list = append(list, exclusion{e.Name, slo.NewExclusions([]flyball.Exclusion{e}, pane)})
	}
	return list
}

// excludedBy returns the exclusion that a window touches, "" for none.
func (w *watch) excludedBy(start, end flyball.Time) string {
	for _, e := range w.excluded {
		if e.Touches(start, end) {
			return e.name
		}
	}
	return ""
}

// mute records that windows are neither judged nor learned, and why, beside the bands.
func (m *Machine) mute(w *watch, rows []int, end flyball.Time, why string, s *Step, out *Output) {
	for _, i := range rows {
		row := s.Windows.Row(i)
		sr := w.byLabels[row.Labels]
		if sr == nil {
			continue
		}
		for _, v := range w.values {
			out.Bands.Append(processors.BandRow{
				Detector: w.detector.Name, Indicator: w.spec.Name, Value: v, Entity: sr.name, Labels: sr.labels,
				Start: row.Start, End: end, Observed: valueOf(&row, v), Expected: math.NaN(), Low: math.NaN(), High: math.NaN(), Muted: why,
			})
		}
	}
}
