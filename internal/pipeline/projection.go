package pipeline

import (
	"slices"

	"github.com/flyball-io/flyball"
)

// indicatorsOf returns the indicators of a source.
func indicatorsOf(all []flyball.Indicator, source string) []flyball.Indicator {
	return slices.DeleteFunc(slices.Clone(all), func(i flyball.Indicator) bool { return i.Source != source })
}
