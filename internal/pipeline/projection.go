package pipeline

import (
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
)

// projectionOf returns the columns that these indicators need of their source.
func projectionOf(indicators []flyball.Indicator) ingest.Projection {
	var p ingest.Projection
	for _, ind := range indicators {
		p.Labels = append(p.Labels, ind.GroupBy...)
		if ind.Value != "" {
			p.Values = append(p.Values, ind.Value)
		}
		for _, m := range slices.Concat(ind.Filter, ind.Bad) {
			if m.Numeric() {
				p.Values = append(p.Values, m.Name)
			} else {
				p.Labels = append(p.Labels, m.Name)
			}
		}
	}
	slices.Sort(p.Labels)
	slices.Sort(p.Values)
	p.Labels, p.Values = slices.Compact(p.Labels), slices.Compact(p.Values)
	return p
}

// indicatorsOf returns the indicators of a source.
func indicatorsOf(all []flyball.Indicator, source string) []flyball.Indicator {
	return slices.DeleteFunc(slices.Clone(all), func(i flyball.Indicator) bool { return i.Source != source })
}
