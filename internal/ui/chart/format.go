package chart

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// None stands for a value that is not known.
const None = "–"

// Format writes a value in its unit, as people read it.
func Format(x float64, unit string) string {
	if math.IsNaN(x) {
		return None
	}
	if x < 0 {
		return "−" + Format(-x, unit)
	}
	if math.IsInf(x, 0) {
		return "∞"
	}
	switch unit {
	case Share:
		return Percent(x)
	case PerSecond:
		return short(x) + "/s"
	case Times:
		return short(x) + "×"
	case Duration:
		return latency(x)
	}
	return strings.TrimSpace(short(x) + " " + unit)
}

// Percent writes a share as percent. Shares near one keep the digits that tell them from
// it: 99.95 % is not 100 %.
func Percent(x float64) string {
	switch p := 100 * x; {
	case math.IsNaN(x):
		return None
	case x < 0:
		return "−" + Percent(-x)
	case p == 0 || p == 100:
		return strconv.Itoa(int(p)) + " %"
	case p > 99 && p < 100:
		return trim(strconv.FormatFloat(math.Floor(p*1000)/1000, 'f', 3, 64)) + " %"
	case math.Abs(p) < 0.01:
		return strconv.FormatFloat(p, 'g', 1, 64) + " %"
	case math.Abs(p) < 10:
		return trim(strconv.FormatFloat(p, 'f', 2, 64)) + " %"
	case math.Abs(p) < 1000:
		return trim(strconv.FormatFloat(p, 'f', 1, 64)) + " %"
	default:
		return short(p) + " %"
	}
}

// short writes a number with three digits and k, M or G.
func short(x float64) string {
	for _, s := range []struct {
		over float64
		unit string
	}{{1e9, "G"}, {1e6, "M"}, {1e4, "k"}} {
		if math.Abs(x) >= s.over {
			divisor := s.over
			if s.unit == "k" {
				divisor = 1e3
			}
			return digits(x/divisor) + s.unit
		}
	}
	return digits(x)
}

func digits(x float64) string {
	switch a := math.Abs(x); {
	case a >= 100 || a == math.Trunc(a) && a >= 1:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case a >= 10:
		return trim(strconv.FormatFloat(x, 'f', 1, 64))
	case a >= 0.01 || a == 0:
		return trim(strconv.FormatFloat(x, 'f', 2, 64))
	default:
		return strconv.FormatFloat(x, 'g', 2, 64)
	}
}

func trim(s string) string {
	for len(s) > 0 && s[len(s)-1] == '0' {
		s = s[:len(s)-1]
	}
	if len(s) > 0 && s[len(s)-1] == '.' {
		s = s[:len(s)-1]
	}
	return s
}

func latency(ns float64) string {
	switch a := math.Abs(ns); {
	case a >= 1e9:
		return digits(ns/1e9) + " s"
	case a >= 1e6:
		return digits(ns/1e6) + " ms"
	case a >= 1e3:
		return digits(ns/1e3) + " µs"
	default:
		return digits(ns) + " ns"
	}
}

// Span writes a length of time with its two largest units.
func Span(d time.Duration) string {
	if d < 0 {
		return "−" + Span(-d)
	}
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return pair(int(d.Minutes()), "min", int(d.Seconds())%60, "s")
	case d < 48*time.Hour:
		return pair(int(d.Hours()), "h", int(d.Minutes())%60, "min")
	default:
		return pair(int(d.Hours())/24, "d", int(d.Hours())%24, "h")
	}
}

func pair(a int, unit string, b int, small string) string {
	if b == 0 {
		return fmt.Sprintf("%d %s", a, unit)
	}
	return fmt.Sprintf("%d %s %d %s", a, unit, b, small)
}
