package sloreplay

import (
	"encoding/json"
	"math"
	"math/big"

	"github.com/flyball-io/flyball"
)

// Number is a float that JSON shows as null when there is none.
type Number float64

// MarshalJSON writes NaN and infinities as null.
func (n Number) MarshalJSON() ([]byte, error) {
	if f := float64(n); math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// The states of an SLO in a Summary.
const (
	StateMet      = "OK"        // the budget is not used up
	StateViolated = "EXHAUSTED" // it is
	StateNoData   = "NO_DATA"   // nothing was counted
)

// Summary is where an SLO stands.
type Summary struct {
	// SLO is its name, At the end of the last slice. Entity and Labels, as JSON, tell
	// which of its budgets it is, where it was not replayed from slices of one.
	SLO    string       `json:"slo"`
	Entity string       `json:"entity,omitempty"`
	Labels string       `json:"labels,omitempty"`
	At     flyball.Time `json:"at"`
	// State is OK, EXHAUSTED or NO_DATA.
	State string `json:"state"`
	// SLI is the good share, Target the objective, Gap their difference.
	SLI    Number `json:"sli"`
	Target Number `json:"target"`
	Gap    Number `json:"gap"`
	// Total and Bad samples of the period; Allowed is how many may be bad.
	Total   int64 `json:"total"`
	Bad     int64 `json:"bad"`
	Allowed int64 `json:"allowed"`
	// BudgetConsumed and BudgetRemaining are shares of the budget; what remains
	// may be negative.
	BudgetConsumed  Number `json:"budget_consumed"`
	BudgetRemaining Number `json:"budget_remaining"`
	// BurnRate is the rate over the period.
	BurnRate Number `json:"burn_rate"`
	// Burn holds the rates of every tier at the end.
	Burn map[string]Burn `json:"burn"`
	// PeriodStart and PeriodSeconds say of what period; BudgetSeconds is how long
	// of it everything may be bad, RemainingSeconds what is left of that.
	PeriodStart      flyball.Time `json:"period_start"`
	PeriodSeconds    Number       `json:"period_seconds"`
	BudgetSeconds    Number       `json:"budget_seconds"`
	RemainingSeconds Number       `json:"remaining_seconds"`
	// ExcludedTotal and ExcludedBad were counted in the period and left out;
	// ExcludedShare is their share of all that was counted.
	ExcludedTotal int64  `json:"excluded_total"`
	ExcludedBad   int64  `json:"excluded_bad"`
	ExcludedShare Number `json:"excluded_share"`
	// Forecast is when the budget will be gone.
	Forecast Forecast `json:"forecast"`
}

// Burn is the state of a tier.
type Burn struct {
	// Long and Short are the burn rates, null without samples.
	Long  Number `json:"long"`
	Short Number `json:"short"`
	// Firing is whether the tier fires.
	Firing bool `json:"firing"`
	// Suppressed says why it does not although the budget burns fast enough.
	Suppressed string `json:"suppressed,omitempty"`
}

func (r *run) summary(at flyball.Time) Summary {
	b := r.tracker.Budget(at)
	total, bad := b.Total, b.Bad
	budget := new(big.Rat).SetFrac64(1e9-r.spec.TargetPPB, 1e9)
	period := new(big.Rat).SetFrac64(int64(b.Length()), 1e9)
	consumed := r.spec.BurnRate(total, bad)
	s := Summary{
		SLO: r.spec.Name, At: at, State: StateMet, Total: total, Bad: bad,
		SLI: Number(flyball.SLI(total, bad)), Target: Number(r.spec.Target()),
		Allowed:        floor(new(big.Rat).Mul(budget, new(big.Rat).SetInt64(total))),
		BudgetConsumed: Number(consumed), BudgetRemaining: Number(remaining(budget, total, bad)),
		BurnRate: Number(consumed), Burn: map[string]Burn{},
		PeriodStart: b.Start, PeriodSeconds: number(period),
		BudgetSeconds: number(new(big.Rat).Mul(budget, period)),
	}
	s.ExcludedTotal, s.ExcludedBad = b.ExcludedTotal, b.ExcludedBad
	s.ExcludedShare = Number(flyball.SLI(total+b.ExcludedTotal, total))
	s.Forecast = r.forecast(at, b)
	s.Gap = Number(gap(r.spec.TargetPPB, total, bad))
	s.RemainingSeconds = s.BudgetRemaining * s.BudgetSeconds
	switch {
	case total == 0:
		s.State = StateNoData
	case s.BudgetRemaining <= 0:
		s.State = StateViolated
	}
	for _, t := range r.observe(at).Tiers {
		s.Burn[t.Name] = Burn{Long: Number(t.Long), Short: Number(t.Short), Firing: t.Firing, Suppressed: t.Suppressed}
	}
	return s
}

// remaining returns 1 − bad ÷ (budget·total), rounded once.
func remaining(budget *big.Rat, total, bad int64) float64 {
	if total <= 0 || budget.Sign() <= 0 {
		return math.NaN()
	}
	used := new(big.Rat).Quo(new(big.Rat).SetFrac64(bad, total), budget)
	f, _ := used.Sub(new(big.Rat).SetInt64(1), used).Float64()
	return f
}

// gap returns the good share less the target, rounded once.
func gap(targetPPB, total, bad int64) float64 {
	if total <= 0 {
		return math.NaN()
	}
	sli := new(big.Rat).SetFrac64(total-bad, total)
	f, _ := sli.Sub(sli, new(big.Rat).SetFrac64(targetPPB, 1e9)).Float64()
	return f
}

func floor(r *big.Rat) int64 { return new(big.Int).Quo(r.Num(), r.Denom()).Int64() }

func number(r *big.Rat) Number {
	f, _ := r.Float64()
	return Number(f)
}
