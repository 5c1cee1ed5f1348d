package flyball

import "time"

// SLO is a service level objective on the good share of an indicator's samples.
type SLO struct {
	// Name identifies the SLO.
	Name string
	// Service is the OpenSLO service that it belongs to.
	Service string
	// Indicator names the Indicator that counts total and bad samples.
	Indicator string
	// Selector narrows the indicator's series, by group labels; the SLO covers
	// the sum of the series that fit.
	Selector []Matcher
	// TargetPPB is the objective in parts per thousand million: 99.9 % is
	// 999,000,000. It is an integer so that budgets compare exactly.
	TargetPPB int64
	// Period is the length of the rolling window of the error budget.
	Period time.Duration
	// Tiers are the burn-rate conditions, most urgent first.
	Tiers []BurnRateTier
}

// BurnRateTier fires when the budget burns faster than Factor in both windows
// (Google, The Site Reliability Workbook, chapter 5, multiwindow multi-burn-rate).
type BurnRateTier struct {
	// Name of the tier, such as page_fast.
	Name string
	// Severity is "page" or "ticket".
	Severity string
	// FactorNum and FactorDen are the burn rate threshold as a fraction, 14.4
	// being 72/5.
	FactorNum, FactorDen int64
	// Long and Short are the two windows.
	Long, Short time.Duration
}
