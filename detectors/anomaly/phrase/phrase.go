// Package phrase writes numbers the way people say them.
package phrase

import (
	"math"
	"strconv"
	"time"
)

// Finite reports whether x is a number.
func Finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// Number writes a number in five places at most.
func Number(x float64) string { return strconv.FormatFloat(x, 'g', 5, 64) }

// Duration writes nanoseconds in four places at most.
func Duration(ns float64) string {
	if !Finite(ns) || math.Abs(ns) > math.MaxInt64/2 {
		return Number(ns)
	}
	unit := math.Pow(10, max(math.Floor(math.Log10(math.Abs(ns)+1))-3, 0))
	return time.Duration(math.Round(ns/unit) * unit).String()
}

// Odds writes 10^digits the way people say it.
func Odds(digits float64) string {
	if digits >= 9 {
		return "more than a billion"
	}
	x := math.Pow(10, digits)
	unit := math.Pow(10, max(math.Floor(digits)-1, 0)) // two places
	return strconv.FormatInt(int64(math.Round(x/unit)*unit), 10)
}

// Period names a period of the calendar.
func Period(p time.Duration) string {
	switch p {
	case time.Hour:
		return "hour"
	case 24 * time.Hour:
		return "day"
	case 7 * 24 * time.Hour:
		return "week"
	}
	return p.String() + " period"
}
