// Package objective reads and writes those parts of an SLO document that are
// more than a field: decimals, burn-rate tiers, periods of the calendar.
package objective
