package watch

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/anomaly"
	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/spec"
)

// Format returns the spec of a document that gives a detector.
func Format(d *flyball.Detector) spec.Detector {
	out := spec.Detector{Algorithms: d.Algorithms, FalseAlarmsPerWeek: spec.Decimal(strconv.FormatFloat(d.FalseAlarms, 'f', -1, 64)),
		Direction: string(d.Direction), MinSamples: d.MinSamples, Horizon: spec.Duration(d.Horizon), Severity: d.Severity, SeriesLimit: d.SeriesLimit}
	if len(d.Algorithms) == 0 {
		out.Algorithms = []string{Auto}
	}
	var values []flyball.WindowValue
	for _, w := range d.Watches {
		out.Indicators = append(out.Indicators, w.Indicator)
		values = append(values, w.Values...)
	}
	out.Values = texts(inOrder(values))
	for _, m := range d.Selector {
		out.Match = append(out.Match, m.String())
	}
	for _, p := range d.Periods {
		out.Periods = append(out.Periods, spec.Duration(p))
	}
	if d.Range != nil {
		out.Range = &spec.Range{Min: spec.Number(d.Range.Min), Max: spec.Number(d.Range.Max)}
	}
	return out
}

// revisionOf returns a hash of what a detector learns, and how. Its sensitivity, direction and
// severity are not in it: when they change, what was learned is judged anew.
func revisionOf(d *flyball.Detector, indicators map[string]*kind.Indicator) string {
	said := []any{anomaly.Version, d.Algorithms, d.Periods, d.MinSamples, d.Range, d.Horizon, selector(d.Selector)}
	for _, w := range d.Watches {
		i := cmp.Or(indicators[w.Indicator], &kind.Indicator{})
		said = append(said, w, i.Source, selector(i.Filter), selector(i.Bad), i.GroupBy, i.Value, i.Window, i.Hop)
	}
	text, err := json.Marshal(said)
	if err != nil {
		panic(fmt.Sprintf("BUG: what a detector learns does not encode: %v", err))
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}

func selector(list []flyball.Matcher) []string {
	var out []string
	for _, m := range list {
		out = append(out, m.String())
	}
	return out
}
