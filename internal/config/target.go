package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// ppb is one, in parts per thousand million.
const ppb = 1_000_000_000

// parsePPB reads a decimal into parts per thousand million, exactly: shift
// moves the point to the left (2 for percent).
func parsePPB(d spec.Decimal, shift int) (int64, error) {
	whole, fraction, _ := strings.Cut(string(d), ".")
	whole = strings.Repeat("0", shift) + whole
	digits := whole[:len(whole)-shift] + "." + whole[len(whole)-shift:] + fraction
	whole, fraction, _ = strings.Cut(digits, ".")
	whole, fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	if len(fraction) > 9 {
		return 0, fmt.Errorf("%s has more digits than can be kept: at most %d after the point", d, 9-shift)
	}
	n, err := strconv.ParseInt("0"+fraction+strings.Repeat("0", 9-len(fraction)), 10, 64)
	if err != nil || whole != "" || n == 0 {
		return 0, fmt.Errorf("want more than 0 and less than %s, got %s", map[int]string{0: "1", 2: "100"}[shift], d)
	}
	return n, nil
}

// formatPPB writes parts per thousand million as a decimal.
func formatPPB(n int64) spec.Decimal {
	return spec.Decimal(strings.TrimRight(fmt.Sprintf("0.%09d", n), "0"))
}

// target returns the target of an objective in parts per thousand million, and
// as a decimal text; ok is false when it was reported.
func target(o *object[spec.SLO], path string, objective spec.Objective) (n int64, ok bool) {
	percent := objective.TargetPercent != ""
	switch {
	case objective.Target != "" && percent:
		o.report(path+".targetPercent", CodeConflict, "target and targetPercent say the same thing twice", "delete one of them")
		return 0, false
	case objective.Target == "" && !percent:
		if o.doc.OK(path) {
			o.report(path+".target", strictyaml.CodeMissingField, `"target" is required`, "such as target: 0.999")
		}
		return 0, false
	}
	at, d, shift := path+".target", objective.Target, 0
	if percent {
		at, d, shift = path+".targetPercent", objective.TargetPercent, 2
	}
	n, err := parsePPB(d, shift)
	if err == nil {
		return n, true
	}
	hint := ""
	if whole, _, _ := strings.Cut(string(d), "."); !percent && len(strings.TrimLeft(whole, "0")) > 0 {
		hint = "a percentage is written targetPercent: " + string(d)
	}
	o.report(at, strictyaml.CodeOutOfRange, err.Error(), hint)
	return 0, false
}
