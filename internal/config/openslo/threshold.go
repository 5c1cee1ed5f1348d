package openslo

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
	"github.com/flyball-io/flyball/processors/histogram"
)

// threshold reads op and value of an objective, which belong to a thresholdMetric. It
// returns nil where there is none, or after a report.
func (b *sloBuilder) threshold(path string, o spec.Objective, sli *compiledSLI) *flyball.Threshold {
	isThreshold := sli != nil && sli.threshold
	for _, f := range []struct {
		name    string
		written bool
	}{{"op", o.Op != ""}, {"value", o.Value != ""}} {
		at := path + "." + f.name
		switch {
		case !b.Doc.OK(at):
			return nil
		case b.compiler.SLOsOnly:
		case f.written && !isThreshold:
			b.Report(at, kind.CodeConflict, f.name+" belongs to an SLI with thresholdMetric", "delete the line")
		case !f.written && isThreshold:
			b.Report(at, strictyaml.CodeMissingField, fmt.Sprintf("%q is required for a thresholdMetric", f.name), "such as op: lte and value: 300ms")
			return nil
		}
	}
	if !isThreshold || b.compiler.SLOsOnly || b.compiler.Indicators[sli.indicator] == nil {
		return nil
	}
	i := b.compiler.Indicators[sli.indicator]
	if i.Value == "" {
		b.Report(path+".value", kind.CodeConflict, fmt.Sprintf("indicator %q has no value to compare", i.Name), "give the indicator a value")
		return nil
	}
	value, err := thresholdValue(string(o.Value), sli.unit, i)
	if err != nil {
		b.Report(path+".value", strictyaml.CodeInvalidValue, err.Error(), "such as value: 300ms")
		return nil
	}
	t := &flyball.Threshold{Op: o.Op, Value: value}
	b.interval(path+".value", t, i)
	return t
}

// interval warns of a threshold within a bucket of the histogram.
func (b *sloBuilder) interval(path string, t *flyball.Threshold, i *kind.Indicator) {
	low, high := histogram.BucketOf(t.Value, 5)
	if high == t.Value && (t.Op == "lte" || t.Op == "gt") || low == high {
		return
	}
	show := func(v float64) string {
		if i.Unit == "ns" {
			return time.Duration(math.Round(v)).String()
		}
		return strconv.FormatFloat(v, 'g', 6, 64)
	}
	counts := show(low)
	if t.Op == "gt" || t.Op == "gte" {
		counts = show(high)
	}
	b.Warn(path, kind.CodeUnusual, fmt.Sprintf("%s lies within a bucket of the histogram, from %s to %s: values in it count as bad, as if the threshold were %s",
		show(t.Value), show(low), show(high), counts), "")
}

var units = map[string]float64{"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}

// thresholdValue returns a threshold in the indicator's unit; unit is that of the SLI.
func thresholdValue(text, unit string, i *kind.Indicator) (float64, error) {
	value, err := strconv.ParseFloat(text, 64)
	switch {
	case err == nil && (math.IsNaN(value) || math.IsInf(value, 0)):
		return 0, fmt.Errorf("want a number, got %q", text)
	case err == nil && i.Unit != "ns":
		return value, nil
	case err == nil && unit == "":
		return 0, fmt.Errorf("%s of what? %q is a duration: give value a unit, or the metric source unit: ms", text, i.Value)
	case err == nil:
		return value * units[unit], nil
	case i.Unit != "ns":
		return 0, fmt.Errorf("want a number in the unit of indicator %q, got %q", i.Name, text)
	}
	d, err := spec.ParseDuration(text)
	return float64(d), err
}
