package openslo

import (
	"strings"

	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/objective"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// target returns the target of an objective in parts per thousand million, and
// as a decimal text; ok is false when it was reported.
func target(o *kind.Object[spec.SLO], path string, in spec.Objective) (n int64, ok bool) {
	percent := in.TargetPercent != ""
	switch {
	case in.Target != "" && percent:
		o.Report(path+".targetPercent", kind.CodeConflict, "target and targetPercent say the same thing twice", "delete one of them")
		return 0, false
	case in.Target == "" && !percent:
		if o.Doc.OK(path) {
			o.Report(path+".target", strictyaml.CodeMissingField, `"target" is required`, "such as target: 0.999")
		}
		return 0, false
	}
	at, d, shift := path+".target", in.Target, 0
	if percent {
		at, d, shift = path+".targetPercent", in.TargetPercent, 2
	}
	n, err := objective.ParsePPB(d, shift)
	if err == nil {
		return n, true
	}
	hint := ""
	if whole, _, _ := strings.Cut(string(d), "."); !percent && len(strings.TrimLeft(whole, "0")) > 0 {
		hint = "a percentage is written targetPercent: " + string(d)
	}
	o.Report(at, strictyaml.CodeOutOfRange, err.Error(), hint)
	return 0, false
}
