package objective

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/spec"
)

// defaultTiers are those of Google, The Site Reliability Workbook, chapter 5,
// table 5-8 and the text above it: each spends a share of the budget within its
// long window.
var defaultTiers = []struct {
	name, severity string
	percent        int64
	long, short    time.Duration
}{
	{"page_fast", "page", 2, time.Hour, 5 * time.Minute},
	{"page_slow", "page", 5, 6 * time.Hour, 30 * time.Minute},
	{"ticket_fast", "ticket", 10, 24 * time.Hour, 2 * time.Hour},
	{"ticket_slow", "ticket", 10, 72 * time.Hour, 6 * time.Hour},
}

// standardPeriod is that of the workbook's table.
const standardPeriod = 30 * 24 * time.Hour

// DefaultTiers returns the tiers of an SLO that names none: over 30 days 14.4×
// in 1h/5m, 6× in 6h/30m, 3× in 1d/2h, 1× in 3d/6h. The windows of another
// period are longer or shorter as it is, so that the factors and the shares of
// the budget both stay: over 90 days 14.4× in 3h/15m. They are rounded up to
// whole panes, and the factor lowered accordingly, so that the share stays; not
// below 1, where an objective that is met would raise findings. A tier without
// room for two windows is left out.
func DefaultTiers(period, pane time.Duration) []flyball.BurnRateTier {
	var out []flyball.BurnRateTier
	for _, t := range defaultTiers {
		long, short := scale(t.long, period, pane), scale(t.short, period, pane)
		if short = min(short, long-pane); short <= 0 {
			continue
		}
		factor := burnRate(t.percent, period, long)
		if one := big.NewRat(1, 1); factor.Cmp(one) < 0 {
			factor = one
		}
		out = append(out, flyball.BurnRateTier{Name: t.name, Severity: t.severity,
			FactorNum: factor.Num().Int64(), FactorDen: factor.Denom().Int64(), Long: long, Short: short})
	}
	return out
}

// scale returns a window of the standard period for another one, in whole panes.
func scale(window, period, pane time.Duration) time.Duration {
	exact := new(big.Int).Mul(big.NewInt(int64(window)), big.NewInt(int64(period)))
	unit := new(big.Int).Mul(big.NewInt(int64(standardPeriod)), big.NewInt(int64(pane)))
	panes, rest := exact.QuoRem(exact, unit, new(big.Int))
	if rest.Sign() > 0 {
		panes.Add(panes, big.NewInt(1))
	}
	return time.Duration(panes.Int64()) * pane
}

// burnRate returns the rate that spends percent of the budget of a period within
// long.
func burnRate(percent int64, period, long time.Duration) *big.Rat {
	return new(big.Rat).SetFrac(
		new(big.Int).Mul(big.NewInt(percent), big.NewInt(int64(period))),
		new(big.Int).Mul(big.NewInt(100), big.NewInt(int64(long))))
}

// Issue is one thing that is wrong with a text.
type Issue struct {
	// Line and Col of the character in the text, counted from 1.
	Line, Col int
	// Message says what is wrong.
	Message string
	// Hint says what to do about it.
	Hint string
}

var (
	tierForm   = regexp.MustCompile(`^([a-z][a-z0-9_]*)=(>=)?([^x×]+)[x×]([^/@:]+)(?:/([^@:]+))?(?:@([^:]+))?:(page|ticket)$`)
	factorForm = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{1,9})?$|^[0-9]{1,18}/[0-9]{1,18}$`)
)

// ParseTiers reads the annotation [TiersAnnotation]. Issues count columns in
// the text. The tiers come most urgent first: see [SortTiers].
func ParseTiers(text string) ([]flyball.BurnRateTier, []Issue) {
	var out []flyball.BurnRateTier
	var issues []Issue
	offset := 0
	for item := range strings.SplitSeq(text, ",") {
		trimmed := strings.TrimSpace(item)
		line, col := lineCol(text[:offset+len(item)-len(strings.TrimLeft(item, " \t\n"))])
		offset += len(item) + 1
		tier, err := parseTier(trimmed)
		if err == nil && slices.ContainsFunc(out, func(o flyball.BurnRateTier) bool { return o.Name == tier.Name }) {
			err = fmt.Errorf("there are two tiers named %q", tier.Name)
		}
		if err != nil {
			issues = append(issues, Issue{Line: line, Col: col, Message: err.Error(),
				Hint: "such as page_fast=14.4x1h/5m:page"})
			continue
		}
		out = append(out, tier)
	}
	SortTiers(out)
	return out, issues
}

// SortTiers puts the most urgent tiers first: by severity, then by factor.
func SortTiers(tiers []flyball.BurnRateTier) {
	slices.SortStableFunc(tiers, func(a, b flyball.BurnRateTier) int {
		if c := strings.Compare(a.Severity, b.Severity); c != 0 {
			return c // "page" before "ticket"
		}
		return Factor(b).Cmp(Factor(a))
	})
}

// lineCol returns the place right after the text before it, from 1.
func lineCol(before string) (line, col int) {
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
}

func parseTier(item string) (flyball.BurnRateTier, error) {
	m := tierForm.FindStringSubmatch(item)
	if m == nil {
		return flyball.BurnRateTier{}, fmt.Errorf("cannot read tier %q: want name=FACTORxLONG/SHORT:page or :ticket", item)
	}
	factorText, long, short, after := m[3], m[4], m[5], m[6]
	factor, ok := new(big.Rat), factorForm.MatchString(factorText)
	if ok {
		_, ok = factor.SetString(factorText)
	}
	if !ok || factor.Sign() <= 0 || !factor.Num().IsInt64() || !factor.Denom().IsInt64() {
		return flyball.BurnRateTier{}, fmt.Errorf("cannot read tier %q: want a factor above 0 such as 14.4 or 14/15, got %q", item, factorText)
	}
	t := flyball.BurnRateTier{Name: m[1], Severity: m[7], OrEqual: m[2] != "", FactorNum: factor.Num().Int64(), FactorDen: factor.Denom().Int64()}
	var err error
	if t.Long, err = spec.ParseDuration(long); err != nil {
		return t, fmt.Errorf("cannot read tier %q: %w", item, err)
	}
	if t.Short = t.Long; short != "" {
		if t.Short, err = spec.ParseDuration(short); err != nil {
			return t, fmt.Errorf("cannot read tier %q: %w", item, err)
		}
	}
	if after != "" {
		if t.After, err = spec.ParseDuration(after); err != nil {
			return t, fmt.Errorf("cannot read tier %q: %w", item, err)
		}
	}
	if t.Short <= 0 || short != "" && t.Short >= t.Long {
		return t, fmt.Errorf("cannot read tier %q: the short window must be shorter than the long one", item)
	}
	return t, nil
}

// FormatTiers writes tiers in the form that [ParseTiers] reads.
func FormatTiers(tiers []flyball.BurnRateTier) string {
	var items []string
	for _, t := range tiers {
		item := t.Name + "="
		if t.OrEqual {
			item += ">="
		}
		item += fmt.Sprintf("%sx%v", FormatFactor(t), spec.Duration(t.Long))
		if t.Short != t.Long {
			item += fmt.Sprintf("/%v", spec.Duration(t.Short))
		}
		if t.After > 0 {
			item += fmt.Sprintf("@%v", spec.Duration(t.After))
		}
		items = append(items, item+":"+t.Severity)
	}
	return strings.Join(items, ", ")
}

// FormatFactor writes the factor of a tier as a decimal if that is exact, else as a fraction.
func FormatFactor(t flyball.BurnRateTier) string {
	r := Factor(t)
	if digits, exact := r.FloatPrec(); exact && digits <= 9 {
		return r.FloatString(digits)
	}
	return r.String()
}

// Factor returns the factor of a tier, exactly.
func Factor(t flyball.BurnRateTier) *big.Rat { return big.NewRat(t.FactorNum, t.FactorDen) }
