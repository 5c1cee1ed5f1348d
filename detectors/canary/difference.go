package canary

import (
	"fmt"
	"math"
	"time"
)

// FormatDifference writes a difference in its unit: "%" is a share, in percentage
// points, "ns" a time.
func FormatDifference(v float64, unit string) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case math.IsInf(v, 0):
		return "any"
	case unit == "%":
		return fmt.Sprintf("%.3g pp", 100*v)
	case unit == "ns":
		d := time.Duration(v)
		for digit := time.Nanosecond; digit <= time.Second; digit *= 10 { // three of them
			if d.Abs() < 1000*digit {
				return d.Round(digit).String()
			}
		}
		return d.Round(time.Second).String()
	case unit == "":
		return fmt.Sprintf("%.3g", v)
	}
	return fmt.Sprintf("%.3g %s", v, unit)
}
