package config

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

// TiersAnnotation is the annotation of an SLO that sets its burn-rate tiers:
// "page_fast=14.4x1h/5m:page, ticket=3x1d/2h:ticket". A factor is a decimal or a
// fraction (14/15).
const TiersAnnotation = "flyball.dev/burn-rate-tiers"

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

// DefaultTiers returns the tiers of an SLO that names none: over 30 days 14.4×
// in 1h/5m, 6× in 6h/30m, 3× in 1d/2h, 1× in 3d/6h. For another period the
// windows stay and the factors scale, so that the same share of the budget is
// spent: factor = share × period ÷ long.
func DefaultTiers(period time.Duration) []flyball.BurnRateTier {
	var out []flyball.BurnRateTier
	for _, t := range defaultTiers {
		factor := burnRate(t.percent, period, t.long)
		out = append(out, flyball.BurnRateTier{Name: t.name, Severity: t.severity,
			FactorNum: factor.Num().Int64(), FactorDen: factor.Denom().Int64(), Long: t.long, Short: t.short})
	}
	return out
}

// burnRate returns the rate that spends percent of the budget of a period within
// long.
func burnRate(percent int64, period, long time.Duration) *big.Rat {
	return new(big.Rat).SetFrac(
		new(big.Int).Mul(big.NewInt(percent), big.NewInt(int64(period))),
		new(big.Int).Mul(big.NewInt(100), big.NewInt(int64(long))))
}

var (
	tierForm   = regexp.MustCompile(`^([a-z][a-z0-9_]*)=([^x×]+)[x×]([^/]+)/([^:]+):(page|ticket)$`)
	factorForm = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{1,9})?$|^[0-9]{1,18}/[0-9]{1,18}$`)
)

// ParseTiers reads the annotation [TiersAnnotation]. Issues count columns in
// the text. The tiers come most urgent first: by severity, then by factor.
func ParseTiers(text string) ([]flyball.BurnRateTier, []ExprIssue) {
	var out []flyball.BurnRateTier
	var issues []ExprIssue
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
			issues = append(issues, ExprIssue{Line: line, Col: col, Message: err.Error(),
				Hint: "such as page_fast=14.4x1h/5m:page"})
			continue
		}
		out = append(out, tier)
	}
	slices.SortStableFunc(out, func(a, b flyball.BurnRateTier) int {
		if c := strings.Compare(a.Severity, b.Severity); c != 0 {
			return c // "page" before "ticket"
		}
		return factorOf(b).Cmp(factorOf(a))
	})
	return out, issues
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
	long, short, factorText := m[3], m[4], m[2]
	factor, ok := new(big.Rat), factorForm.MatchString(factorText)
	if ok {
		_, ok = factor.SetString(factorText)
	}
	if !ok || factor.Sign() <= 0 || !factor.Num().IsInt64() || !factor.Denom().IsInt64() {
		return flyball.BurnRateTier{}, fmt.Errorf("cannot read tier %q: want a factor above 0 such as 14.4 or 14/15, got %q", item, factorText)
	}
	t := flyball.BurnRateTier{Name: m[1], Severity: m[5], FactorNum: factor.Num().Int64(), FactorDen: factor.Denom().Int64()}
	var err error
	if t.Long, err = spec.ParseDuration(long); err != nil {
		return t, fmt.Errorf("cannot read tier %q: %w", item, err)
	}
	if t.Short, err = spec.ParseDuration(short); err != nil {
		return t, fmt.Errorf("cannot read tier %q: %w", item, err)
	}
	if t.Short <= 0 || t.Short >= t.Long {
		return t, fmt.Errorf("cannot read tier %q: the short window must be shorter than the long one", item)
	}
	return t, nil
}

// FormatTiers writes tiers in the form that [ParseTiers] reads.
func FormatTiers(tiers []flyball.BurnRateTier) string {
	var items []string
	for _, t := range tiers {
		items = append(items, fmt.Sprintf("%s=%sx%v/%v:%s", t.Name, formatFactor(t), spec.Duration(t.Long), spec.Duration(t.Short), t.Severity))
	}
	return strings.Join(items, ", ")
}

// formatFactor writes a factor as a decimal if that is exact, else as a fraction.
func formatFactor(t flyball.BurnRateTier) string {
	r := factorOf(t)
	if digits, exact := r.FloatPrec(); exact && digits <= 9 {
		return r.FloatString(digits)
	}
	return r.String()
}

func factorOf(t flyball.BurnRateTier) *big.Rat { return big.NewRat(t.FactorNum, t.FactorDen) }
