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
	switch s := &b.Spec; {
	case s.Indicator != nil || s.IndicatorRef != "":
		b.Report("spec.objectives", kind.CodeConflict, "the SLO has an indicator, and so have its objectives", "a composite has those of its objectives only")
		return
	case b.base.Method != flyball.Occurrences:
		b.Report("spec.budgetingMethod", kind.CodeUnsupported, fmt.Sprintf("a composite SLO with the budgeting method %s is not supported, Occurrences is", s.BudgetingMethod), "")
		return
	}
	if len(b.base.GroupBy) > 0 {
		b.Report(strictyaml.Join("metadata.annotations", objective.GroupByAnnotation), kind.CodeUnsupported,
			"a composite SLO has a budget per entity: it cannot be grouped", "delete the line")
	}
	weights := b.weights()
	for i, o := range b.Spec.Objectives {
		path := fmt.Sprintf("spec.objectives[%d]", i)
		if first := b.Spec.Objectives[0]; o.Target != first.Target || o.TargetPercent != first.TargetPercent {
			b.Report(path, kind.CodeConflict, "the objectives of a composite SLO have one target", "write the target of the first")
		}
		if b.compiler.SLOsOnly {
			continue
		}
		sli := b.partSLI(path, o)
		if sli == nil || sli.indicator == "" {
			continue
		}
		if sli.threshold {
			b.Report(path, kind.CodeUnsupported, "a thresholdMetric cannot be part of a composite SLO, a ratioMetric can", "let an Indicator count the samples beyond the threshold as bad")
			continue
		}
		if b.base.Indicator == "" {
			b.base.Indicator, b.base.Selector, b.compiled = sli.indicator, sli.selector, sli
		}
		b.fits(path, sli.indicator)
		if i < len(weights) {
			b.base.Parts = append(b.base.Parts, flyball.Part{Indicator: sli.indicator, Selector: sli.selector, Weight: weights[i]})
		}
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

// maxWeight bounds weights, so that weighted counts stay far below 2^63.
const maxWeight = 1000

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
	for i, w := range list {
		n := new(big.Int).Div(w.Num(), least)
		if n.Cmp(big.NewInt(maxWeight)) > 0 {
			b.Report(fmt.Sprintf("spec.objectives[%d].compositeWeight", i), strictyaml.CodeOutOfRange,
				fmt.Sprintf("in whole numbers the weight is %v, more than %d", n, maxWeight), "use rounder weights")
			return nil
		}
		out = append(out, n.Int64())
	}
	return out
}
