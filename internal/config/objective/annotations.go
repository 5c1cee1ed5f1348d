package objective

import (
	"fmt"
	"strconv"

	"github.com/flyball-io/flyball"
)

// The annotations of an SLO that are read.
const (
	// TiersAnnotation sets the burn-rate tiers:
	// "page_fast=14.4x1h/5m:page, ticket=3x1d/2h:ticket". A factor is a decimal or
	// a fraction (14/15).
	TiersAnnotation = "flyball.dev/burn-rate-tiers"
	// MinTotalAnnotation is how many samples the long window of a tier must have
	// for the tier to fire: "100".
	MinTotalAnnotation = "flyball.dev/min-total"
	// MinBadAnnotation is how many bad ones it must have: "5".
	MinBadAnnotation = "flyball.dev/min-bad"
	// NoDataAnnotation is what windows without samples mean: freeze, alert, good
	// or bad.
	NoDataAnnotation = "flyball.dev/no-data"
)

// Annotations returns the names of all annotations that are read.
func Annotations() []string {
	return []string{TiersAnnotation, MinTotalAnnotation, MinBadAnnotation, NoDataAnnotation}
}

// ParseCount reads the value of an annotation that is a number of samples.
func ParseCount(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > 1e15 {
		return 0, fmt.Errorf("want a number of samples, got %q", text)
	}
	return n, nil
}

// NoDataPolicies returns the names of the policies.
func NoDataPolicies() []string {
	var out []string
	for p := flyball.NoDataFreeze; p <= flyball.NoDataBad; p++ {
		out = append(out, p.String())
	}
	return out
}

// ParseNoData reads the name of a policy.
func ParseNoData(text string) (flyball.NoDataPolicy, error) {
	for p := flyball.NoDataFreeze; p <= flyball.NoDataBad; p++ {
		if p.String() == text {
			return p, nil
		}
	}
	return 0, fmt.Errorf("unknown policy %q", text)
}

// FormatAnnotations writes what an SLO has in annotations.
func FormatAnnotations(s *flyball.SLO) map[string]string {
	out := map[string]string{TiersAnnotation: FormatTiers(s.Tiers)}
	if s.MinTotal > 0 {
		out[MinTotalAnnotation] = strconv.FormatInt(s.MinTotal, 10)
	}
	if s.MinBad > 0 {
		out[MinBadAnnotation] = strconv.FormatInt(s.MinBad, 10)
	}
	if s.NoData != flyball.NoDataFreeze {
		out[NoDataAnnotation] = s.NoData.String()
	}
	return out
}
