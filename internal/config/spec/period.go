package spec

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Period is a length of time as OpenSLO writes it: a [Duration], or calendar
// months (1M), quarters (1Q) or years (1Y).
type Period struct {
	// Months of the calendar; 0 for a fixed length.
	Months int `yaml:"-"`
	// Fixed is the length when it has no months.
	Fixed time.Duration `yaml:"-"`
}

var monthsForm = regexp.MustCompile(`^([0-9]{1,3})([MQY])$`)

var monthsOf = map[string]int{"M": 1, "Q": 3, "Y": 12}

// UnmarshalText reads the forms that the type's comment names.
func (p *Period) UnmarshalText(text []byte) error {
	if m := monthsForm.FindSubmatch(text); m != nil {
		n, err := strconv.Atoi(string(m[1]))
		if err != nil || n == 0 {
			return fmt.Errorf("cannot read period %q: want a number above 0", text)
		}
		*p = Period{Months: n * monthsOf[string(m[2])]}
		return nil
	}
	d, err := ParseDuration(string(text))
	*p = Period{Fixed: d}
	return err
}

// String returns the form that UnmarshalText reads.
func (p Period) String() string {
	if p.Months > 0 {
		return strconv.Itoa(p.Months) + "M"
	}
	return Duration(p.Fixed).String()
}

// MarshalText returns String.
func (p Period) MarshalText() ([]byte, error) { return []byte(p.String()), nil }
