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
	// Selector narrows the indicator's series, by group labels; the SLO covers the sum of the
	// series that fit.
	Selector []Matcher
	// Parts make the SLO a composite: it counts the samples (or slices of time) of all of
	// them, by their weights, and Indicator and Selector are those of the first. Nil is none.
	Parts []Part
	// Threshold makes a sample good or bad by its value, in place of the indicator's
	// conditions; nil is those.
	Threshold *Threshold
	// TargetPPB is the objective in parts per thousand million: 99.9 % is 999,000,000. It is
	// an integer so that budgets compare exactly.
	TargetPPB int64
	// Period is the length of the rolling window of the error budget, or about the length of a
	// period of the calendar.
	Period time.Duration
	// Calendar gives the periods of a budget that begins anew with each; nil is a rolling
	// window.
	Calendar *Calendar
	// Method is what the budget counts.
	Method BudgetingMethod
	// Slice is the width of a slice of time, for the methods that count those: a multiple of
	// the indicator's pane.
	Slice time.Duration
	// SliceTargetPPB is the good share from which on a slice is good, for Timeslices.
	SliceTargetPPB int64
	// Tiers are the burn-rate conditions, most urgent first.
	Tiers []BurnRateTier
	// MinTotal and MinBad are how many samples, and how many bad ones, a tier's long window
	// must have for the tier to fire; in slices where the method counts those.
	MinTotal, MinBad int64
	// NoData is what windows without samples mean.
	NoData NoDataPolicy
	// Notify names who is to know of findings.
	Notify []string
	// Exclusions are stretches of time that do not count.
	Exclusions []Exclusion
	// ExhaustsWithin is how long before its budget is gone, as things go, a finding is raised;
	// 0 is never.
	ExhaustsWithin time.Duration
	// GroupBy lists the group labels of the indicator, besides the entity, by which budgets
	// are told apart: one for every value.
	GroupBy []string
	// GroupLimit bounds the budgets of an SLO; 0 is the indicator's SeriesLimit. The samples
	// of more share one.
	GroupLimit int
	// GroupTTL is after how long without samples a budget is forgotten; 0 is when nothing of
	// it counts any more.
	GroupTTL time.Duration
	// Revision changes when what is counted changes: a budget starts anew then.
	Revision string
}

// Part is one indicator of a composite SLO. All of an SLO have the same source, entity, pane,
// window and lateness.
type Part struct {
	// Indicator, Selector, Threshold and SliceTargetPPB are as in SLO.
	Indicator      string
	Selector       []Matcher
	Threshold      *Threshold
	SliceTargetPPB int64
	// Weight is as how many samples each counts, from 1 to 1,000; for RatioTimeslices as how
	// many slices. Timeslices have none: a slice is bad that is bad in any part.
	Weight int64
}

// Threshold says which values of an indicator are good. They are counted in its histogram,
// where values in the bucket that holds Value cannot be told apart: those are bad.
type Threshold struct {
	// Op is "lte", "lt", "gte" or "gt": a value is good that is so, compared with Value.
	Op string
	// Value in the indicator's unit, ns for durations.
	Value float64
}

// Exclusion is time that no budget counts, such as a maintenance window: one stretch, or a
// recurring one.
type Exclusion struct {
	// Name of the exclusion, for people.
	Name string
	// Start of the first stretch, with the location in which it recurs.
	Start time.Time
	// Length of a stretch, as time that passes.
	Length time.Duration
	// Rule is how it recurs, as an RRULE of RFC 5545 without DTSTART; empty is once.
	Rule string
}

// BurnRateTier fires when the budget burns faster than Factor in both windows (Google, The
// Site Reliability Workbook, chapter 5, multiwindow multi-burn-rate).
type BurnRateTier struct {
	// Name of the tier, such as page_fast.
	Name string
	// Severity is "page" or "ticket".
	Severity string
	// FactorNum and FactorDen are the burn rate threshold as a fraction, 14.4 being 72/5.
	FactorNum, FactorDen int64
	// Long and Short are the two windows; they are the same where there is one only.
	Long, Short time.Duration
	// OrEqual makes a rate exactly at the threshold burn, too.
	OrEqual bool
	// After is for how long the budget must have burnt so; 0 fires at once.
	After time.Duration
}

// BudgetingMethod is what an error budget counts (OpenSLO v1).
type BudgetingMethod uint8

// The budgeting methods.
const (
	// Occurrences counts samples.
	Occurrences BudgetingMethod = iota
	// Timeslices counts slices of time, good or bad as a whole.
	Timeslices
	// RatioTimeslices adds up the bad shares of slices of time: every slice with samples
	// weighs the same, however many they are.
	RatioTimeslices
)

// String returns the method's name in OpenSLO.
func (m BudgetingMethod) String() string {
	return [...]string{"Occurrences", "Timeslices", "RatioTimeslices"}[m]
}

// NoDataPolicy is what a window without samples means.
type NoDataPolicy uint8

// The policies.
const (
	// NoDataFreeze leaves what fires firing and opens nothing: nobody knows.
	NoDataFreeze NoDataPolicy = iota
	// NoDataAlert is NoDataFreeze, and opens a finding about the silence.
	NoDataAlert
	// NoDataGood takes a window without samples for good.
	NoDataGood
	// NoDataBad takes a window without samples for bad.
	NoDataBad
)

// String returns the policy's name in the configuration.
func (p NoDataPolicy) String() string { return [...]string{"freeze", "alert", "good", "bad"}[p] }
