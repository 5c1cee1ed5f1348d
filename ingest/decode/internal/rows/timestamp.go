package rows

import (
	"fmt"
	"math"
	"time"

	"github.com/flyball-io/flyball"
)

// TimeReader reads event times in one format.
type TimeReader struct {
	layout string // for strings, when set
	unit   int    // numbers count 10^unit ns, or autoUnit
}

const autoUnit = -1

// NewTimeReader reads a JSONMapping.TimestampFormat; "" is "auto".
func NewTimeReader(format string) (TimeReader, error) {
	switch format {
	case "", "auto":
		return TimeReader{layout: time.RFC3339, unit: autoUnit}, nil
	case "rfc3339":
		return TimeReader{layout: time.RFC3339, unit: noUnit}, nil
	case "unix_s":
		return TimeReader{unit: 9}, nil
	case "unix_ms":
		return TimeReader{unit: 6}, nil
	case "unix_us":
		return TimeReader{unit: 3}, nil
	case "unix_ns":
		return TimeReader{unit: 0}, nil
	}
	probe := time.Date(2026, 11, 25, 17, 48, 59, 0, time.UTC)
	if back, err := time.Parse(format, probe.Format(format)); err != nil || !back.Equal(probe) {
		return TimeReader{}, fmt.Errorf("timestamp format %q is not auto, rfc3339, unix_s, unix_ms, unix_us, unix_ns "+
			"or a Go layout with date and time to the second", format)
	}
	return TimeReader{layout: format, unit: noUnit}, nil
}

const noUnit = -2 // numbers are not read

// Read returns the time that s spells; quoted says that it was a string.
func (r TimeReader) Read(s []byte, quoted bool) (flyball.Time, Fault) {
	if r.unit != noUnit {
		d, ok := parseDecimal(s)
		if ok {
			return r.scale(d)
		}
	}
	if r.layout == "" || !quoted {
		return 0, FaultTimeForm
	}
	t, err := time.Parse(r.layout, Text(s))
	if err != nil {
		return 0, FaultTimeForm
	}
	const maxSeconds = math.MaxInt64 / int64(time.Second)
	if sec := t.Unix(); sec >= maxSeconds || sec <= -maxSeconds {
		return 0, FaultTimeRange
	}
	return flyball.TimeOf(t), NoFault
}

// scale turns a number into a time, exactly; digits finer than a nanosecond are
// dropped.
func (r TimeReader) scale(d decimal) (flyball.Time, Fault) {
	unit := r.unit
	if unit == autoUnit {
		unit = d.unitBySize()
	}
	ns, ok := d.shift(unit)
	if !ok {
		return 0, FaultTimeRange
	}
	return flyball.Time(ns), NoFault
}

// decimal is ±digits × 10^exp. It keeps 19 digits, as many as the largest number
// of nanoseconds has, so that times never go through floating point.
type decimal struct {
	negative bool
	digits   uint64
	n        int // how many digits, without leading zeros
	exp      int
}

const maxDigits = 19

// parseDecimal reads a JSON number.
func parseDecimal(s []byte) (d decimal, ok bool) {
	i := 0
	if i < len(s) && s[i] == '-' {
		d.negative = true
		i++
	}
	from := i
	i = d.take(s, i, 1)
	if i == from {
		return d, false
	}
	if i < len(s) && s[i] == '.' {
		from = i + 1
		if i = d.take(s, from, 0); i == from {
			return d, false
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		var e int
		if e, i = exponent(s, i+1); i < 0 {
			return d, false
		}
		d.exp += e
	}
	return d, i == len(s)
}

// take reads digits from s[i]: before the point, where a digit dropped counts as
// a zero (whole = 1), or after it.
func (d *decimal) take(s []byte, i, whole int) int {
	for ; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
		if d.n == maxDigits {
			d.exp += whole
			continue
		}
		d.digits = d.digits*10 + uint64(s[i]-'0')
		d.exp += whole - 1
		if d.digits > 0 {
			d.n++
		}
	}
	return i
}

// exponent reads a signed integer from s[i]; it is cut off where the number is
// out of every range.
func exponent(s []byte, i int) (e, next int) {
	sign := 1
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		if s[i] == '-' {
			sign = -1
		}
		i++
	}
	from := i
	for ; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
		e = min(e*10+int(s[i]-'0'), 1<<20)
	}
	if i == from {
		return 0, -1
	}
	return sign * e, i
}

// unitBySize tells the unit of a time since the epoch by its size: seconds up to
// 10^11 (the year 5138), then milliseconds, microseconds, nanoseconds, three
// digits more for each. Milliseconds before 1973 would be taken for seconds.
func (d *decimal) unitBySize() int {
	switch whole := d.n + d.exp; {
	case whole <= 11:
		return 9
	case whole <= 14:
		return 6
	case whole <= 17:
		return 3
	}
	return 0
}

// shift returns d × 10^by as an integer, or false when it does not fit.
func (d *decimal) shift(by int) (int64, bool) {
	v := d.digits
	for e := d.exp + by; e != 0 && v != 0; {
		if e < 0 {
			v /= 10
			e++
			continue
		}
		if v > math.MaxInt64/10 {
			return 0, false
		}
		v *= 10
		e--
	}
	if v > math.MaxInt64 {
		return 0, false
	}
	if d.negative {
		return -int64(v), true
	}
	return int64(v), true
}
