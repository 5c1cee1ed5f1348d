package canary

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// margin sets what is still allowed: a ratio, or a difference.
func (b *builder) margin(path string, m spec.CanaryMetric, out *flyball.CanaryMetric) {
	path += ".margin"
	if m.Kind != "count" {
		out.Unit = b.unit(m)
	}
	if !b.Doc.OK(path) {
		return
	}
	text := string(m.Margin)
	number, points := strings.CutSuffix(text, "pp")
	value, isTime := time.ParseDuration(text)
	switch {
	case points:
		out.Margin, _ = strconv.ParseFloat(number, 64)
		out.Absolute, out.Margin, out.Unit = true, out.Margin/100, "%"
	case strings.HasPrefix(text, "+"):
		out.Margin, _ = strconv.ParseFloat(text, 64)
		out.Absolute = true
	case isTime == nil && strings.ContainsAny(text, "nums"):
		out.Absolute, out.Margin, out.Unit = true, float64(value), "ns"
	default:
		out.Margin, _ = strconv.ParseFloat(text, 64)
	}
	if !out.Absolute {
		if out.Margin < 1 || out.Margin > 1e6 {
			b.Report(path, strictyaml.CodeInvalidValue, fmt.Sprintf("a margin is a ratio of at least 1, got %s", m.Margin),
				"write 1.1 to allow a change by a tenth"+b.instead(m))
		}
		return
	}
	b.difference(path, m, out)
}

// unit is that of the value of a metric's indicator.
func (b *builder) unit(m spec.CanaryMetric) string {
	if i := b.Indicators[m.Indicator]; i != nil {
		return i.Unit
	}
	return ""
}

// instead says how to write a difference.
func (b *builder) instead(m spec.CanaryMetric) string {
	switch {
	case m.Kind == "count":
		return ", or 0.5pp for half a percentage point"
	case b.unit(m) == "ns":
		return ", or 20ms for a difference"
	}
	return ", or +5 for a difference"
}

// difference checks a margin that is one.
func (b *builder) difference(path string, m spec.CanaryMetric, out *flyball.CanaryMetric) {
	points, times := out.Unit == "%", strings.Trim(string(m.Margin), "+0123456789.") != "" && out.Unit == "ns"
	switch {
	case out.Margin <= 0 || points && out.Margin >= 1:
		b.Report(path, strictyaml.CodeInvalidValue, fmt.Sprintf("a difference of %s allows nothing, or anything", m.Margin), "give what is still allowed, such as 0.5pp or 20ms")
	case (m.Kind == "count") != points:
		b.Report(path, kind.CodeConflict, fmt.Sprintf("%s is no difference of a metric of kind %s", m.Margin, m.Kind), strings.TrimPrefix(b.instead(m), ", or ")+", or a ratio such as 1.1")
	case times && b.Indicators[m.Indicator] != nil && b.unit(m) != "ns":
		b.Report(path, kind.CodeConflict, fmt.Sprintf("the value of indicator %q is no time", m.Indicator), "write +5 for a difference in its own unit")
	case b.Spec.Judge == "kayenta":
		b.Report(path, kind.CodeConflict, "the judge kayenta knows ratios only", "write a ratio such as 1.1, or use the judge sequential")
	case m.Kind == "latency" && m.Direction == "either":
		b.Report(path, kind.CodeConflict, "a latency with a difference as its margin has one direction", "give direction: increase, or a ratio")
	}
}

// formatMargin writes it as it can be read.
func formatMargin(m *flyball.CanaryMetric) spec.Margin {
	switch {
	case !m.Absolute:
		return spec.Margin(decimal(m.Margin))
	case m.Unit == "%":
		return spec.Margin(decimal(100*m.Margin)) + "pp"
	case m.Unit == "ns":
		return spec.Margin(decimal(m.Margin)) + "ns"
	}
	return "+" + spec.Margin(decimal(m.Margin))
}
