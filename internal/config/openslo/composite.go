package openslo

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/objective"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// isComposite reports whether the objectives have SLIs of their own.
func (b *sloBuilder) isComposite() bool {
	return slices.ContainsFunc(b.Spec.Objectives, func(o spec.Objective) bool { return o.Indicator != nil || o.IndicatorRef != "" })
}

// composite makes the objectives parts of one SLO, whose samples add up by their
// weights.
func (b *sloBuilder) composite() {
	if s := &b.Spec; s.Indicator != nil || s.IndicatorRef != "" {
		b.Report("spec.objectives", kind.CodeConflict, "the SLO has an indicator, and so have its objectives", "a composite has those of its objectives only")
		return
	}
	if len(b.base.GroupBy) > 0 {
		b.Report(strictyaml.Join("metadata.annotations", objective.GroupByAnnotation), kind.CodeUnsupported,
			"a composite SLO has a budget per entity: it cannot be grouped", "delete the line")
	}
	weights := b.weights()
	for i, o := range b.Spec.Objectives {
		path := fmt.Sprintf("spec.objectives[%d]", i)
		b.alike(path, o)
		if b.compiler.SLOsOnly {
			continue
		}
		sli := b.partSLI(path, o)
		if sli == nil || sli.indicator == "" {
			continue
		}
		if b.base.Indicator == "" {
			b.base.Indicator, b.base.Selector, b.compiled = sli.indicator, sli.selector, sli
		}
		b.fits(path, sli.indicator)
		part := flyball.Part{Indicator: sli.indicator, Selector: sli.selector, Threshold: b.threshold(path, o, sli)}
		if i < len(weights) {
			part.Weight = weights[i]
		}
		if b.base.Method == flyball.Timeslices {
			part.SliceTargetPPB = b.sliceTarget(path, o)
		}
		b.base.Parts = append(b.base.Parts, part)
	}
}

// alike reports what an objective of a composite cannot have for itself.
func (b *sloBuilder) alike(path string, o spec.Objective) {
	first := b.Spec.Objectives[0]
	if o.Target != first.Target || o.TargetPercent != first.TargetPercent {
		b.Report(path, kind.CodeConflict, "the objectives of a composite SLO have one target", "write the target of the first")
	}
	if o.TimeSliceWindow != first.TimeSliceWindow {
		b.Report(path, kind.CodeConflict, "the objectives of a composite SLO have one timeSliceWindow", "write that of the first")
	}
	if b.base.Method == flyball.Timeslices && o.CompositeWeight != "" {
		b.Report(path+".compositeWeight", kind.CodeConflict,
			"slices of time have no weights: one is bad that is bad in any objective", "delete the line, or count RatioTimeslices")
	}
}

// partSLI finds the SLI of an objective.
func (b *sloBuilder) partSLI(path string, o spec.Objective) *compiledSLI {
	switch {
	case o.Indicator != nil && o.IndicatorRef != "":
		b.Report(path+".indicatorRef", kind.CodeConflict, "indicator and indicatorRef are given", "delete one of them")
	case o.Indicator != nil:
		return b.compiler.compileSLI(b.Doc, path+".indicator.spec", &o.Indicator.Spec)
	case o.IndicatorRef != "":
		return b.sliNamed(path+".indicatorRef", o.IndicatorRef)
	case b.Doc.OK(path):
		b.Report(path, strictyaml.CodeMissingField, "an objective of a composite SLO needs indicator or indicatorRef", "")
	}
	return nil
}

// fits reports an indicator whose panes cannot be added to those of the first.
func (b *sloBuilder) fits(path, name string) {
	first, i := b.indicator(), b.compiler.Indicators[name]
	if first == nil || i == nil {
		return
	}
	if i.Source != first.Source || i.Entity != first.Entity || i.Pane != first.Pane || i.Window != first.Window || i.Lateness != first.Lateness {
		b.Report(path, kind.CodeConflict, fmt.Sprintf("indicators %q and %q differ in source, entity, pane, window or lateness: their samples cannot be added up", first.Name, name), "")
	}
}

// maxWeight bounds weights, and maxRatioWeights their sum where they are those of
// shares of slices, so that weighted counts stay below 2^63.
const (
	maxWeight       = 1000
	maxRatioWeights = 200
)

// weights returns the weights of the objectives in whole numbers, as small as they
// can be.
func (b *sloBuilder) weights() []int64 {
	var list []*big.Rat
	common := big.NewInt(1) // denominator
	for i, o := range b.Spec.Objectives {
		w := big.NewRat(1, 1)
		if o.CompositeWeight != "" {
			if _, ok := w.SetString(string(o.CompositeWeight)); !ok || w.Sign() <= 0 {
				b.Report(fmt.Sprintf("spec.objectives[%d].compositeWeight", i), strictyaml.CodeOutOfRange, fmt.Sprintf("want a weight above 0, got %s", o.CompositeWeight), "")
				return nil
			}
		}
		list = append(list, w)
		gcd := new(big.Int).GCD(nil, nil, common, w.Denom())
		common.Mul(common, new(big.Int).Div(w.Denom(), gcd))
	}
	least := new(big.Int)
	for _, w := range list {
		w.Mul(w, new(big.Rat).SetInt(common))
		least.GCD(nil, nil, least, w.Num())
	}
	var out []int64
	sum := int64(0)
	for i, w := range list {
		n := new(big.Int).Div(w.Num(), least)
		if n.Cmp(big.NewInt(maxWeight)) > 0 {
			b.Report(fmt.Sprintf("spec.objectives[%d].compositeWeight", i), strictyaml.CodeOutOfRange,
				fmt.Sprintf("in whole numbers the weight is %v, more than %d", n, maxWeight), "use rounder weights")
			return nil
		}
		out, sum = append(out, n.Int64()), sum+n.Int64()
	}
	if b.base.Method == flyball.RatioTimeslices && sum > maxRatioWeights {
		b.Report("spec.objectives", strictyaml.CodeOutOfRange, fmt.Sprintf("in whole numbers the weights add up to %d, more than %d", sum, maxRatioWeights), "use rounder weights")
	}
	return out
}
