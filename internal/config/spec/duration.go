package spec

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time. It is written as Go writes durations, with days
// (24 h) and weeks besides: "300ms", "1m30s", "30d", "4w". It is never negative.
type Duration time.Duration

const day = 24 * time.Hour

// Std returns d as a time.Duration.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String returns the shortest form: "30d", "1m", "1m30s".
func (d Duration) String() string {
	t := time.Duration(d)
	if t > 0 && t%day == 0 {
		return strconv.FormatInt(int64(t/day), 10) + "d"
	}
	s := t.String()
	// Go writes 1h0m0s: cut the zeros that follow another unit.
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText returns String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what [ParseDuration] reads.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// ParseDuration reads a Go duration in which the units d (24 h) and w (7 d) are
// allowed too.
func ParseDuration(s string) (time.Duration, error) {
	if s == "0" {
		return 0, nil
	}
	if s == "" {
		return 0, fmt.Errorf("cannot read duration %q: want a number and a unit, such as 30s", s)
	}
	if s[0] == '-' {
		return 0, fmt.Errorf("cannot read duration %q: it must not be negative", s)
	}
	var total time.Duration
	for rest := s; rest != ""; {
		number := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if number < 0 {
			return 0, fmt.Errorf("cannot read duration %q: the unit is missing, such as %ss", s, s)
		}
		unit := strings.IndexAny(rest[number:], "0123456789.")
		if unit < 0 {
			unit = len(rest) - number
		}
		part, err := parsePart(rest[:number], rest[number:number+unit])
		if err != nil {
			return 0, fmt.Errorf("cannot read duration %q: %w", s, err)
		}
		if total > math.MaxInt64-part {
			return 0, fmt.Errorf("cannot read duration %q: it is longer than 292 years", s)
		}
		total, rest = total+part, rest[number+unit:]
	}
	return total, nil
}

func parsePart(number, unit string) (time.Duration, error) {
	hours := int64(0)
	switch unit {
	case "d":
		hours = 24
	case "w":
		hours = 7 * 24
	case "M", "Q", "Y":
		return 0, fmt.Errorf("%s has no fixed length: write days, such as 30d", unit)
	}
	if number == "" {
		return 0, fmt.Errorf("want a number before %q", unit)
	}
	if hours == 0 {
		d, err := time.ParseDuration(number + unit)
		if err != nil {
			return 0, fmt.Errorf("want a number and one of the units ns, us, ms, s, m, h, d, w, got %q", number+unit)
		}
		return d, nil
	}
	// Whole days stay exact; fractions go through hours.
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		if n > int64(math.MaxInt64/time.Hour)/hours {
			return 0, fmt.Errorf("%s%s is longer than 292 years", number, unit)
		}
		return time.Duration(n*hours) * time.Hour, nil
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || f*float64(hours) > math.MaxInt64/float64(time.Hour)/2 {
		return 0, fmt.Errorf("want a number before %q, got %q", unit, number)
	}
	return time.Duration(f * float64(hours) * float64(time.Hour)), nil
}
