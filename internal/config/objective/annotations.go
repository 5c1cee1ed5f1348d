package objective

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/spec"
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
	// ExhaustsWithinAnnotation is how long before the budget is gone, as things go, a
	// finding is raised: "6h".
	ExhaustsWithinAnnotation = "flyball.dev/exhausts-within"
	// GroupByAnnotation lists the group labels of the indicator, besides its entity, by
	// which budgets are told apart: "http.route, region".
	GroupByAnnotation = "flyball.dev/group-by"
	// GroupLimitAnnotation is how many budgets there may be: "500".
	GroupLimitAnnotation = "flyball.dev/group-limit"
	// GroupTTLAnnotation is after how long without samples a budget is forgotten: "7d".
	GroupTTLAnnotation = "flyball.dev/group-ttl"
	// NotifyAnnotation names who is to know of findings, as notification targets do:
	// "oncall, mail".
	NotifyAnnotation = "flyball.dev/notify"
	// ShortWindowAnnotation gives the condition of an alert policy a second, shorter
	// window in which the budget must burn, too: "5m".
	ShortWindowAnnotation = "flyball.dev/short-window"
)

// Annotations returns the names of all annotations that are read.
func Annotations() []string {
	return []string{TiersAnnotation, MinTotalAnnotation, MinBadAnnotation, NoDataAnnotation, ExhaustsWithinAnnotation,
		GroupByAnnotation, GroupLimitAnnotation, GroupTTLAnnotation, NotifyAnnotation}
}

// ParseCount reads the value of an annotation that is a number of samples.
func ParseCount(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > 1e15 {
		return 0, fmt.Errorf("want a number of samples, got %q", text)
	}
	return n, nil
}

// ParseList reads the value of an annotation that is a list of names.
func ParseList(text string) []string {
	var out []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

// ParseLength reads the value of an annotation that is a length of time above 0.
func ParseLength(text string) (time.Duration, error) {
	d, err := spec.ParseDuration(text)
	if err == nil && (d <= 0 || d > 366*24*time.Hour) {
		err = fmt.Errorf("want a length above 0 and up to 366d, got %q", text)
	}
	return d, err
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
	if s.ExhaustsWithin > 0 {
		out[ExhaustsWithinAnnotation] = spec.Duration(s.ExhaustsWithin).String()
	}
	if len(s.GroupBy) > 0 {
		out[GroupByAnnotation] = strings.Join(s.GroupBy, ", ")
	}
	if s.GroupLimit > 0 {
		out[GroupLimitAnnotation] = strconv.Itoa(s.GroupLimit)
	}
	if s.GroupTTL > 0 {
		out[GroupTTLAnnotation] = spec.Duration(s.GroupTTL).String()
	}
	if len(s.Notify) > 0 {
		out[NotifyAnnotation] = strings.Join(s.Notify, ", ")
	}
	return out
}
