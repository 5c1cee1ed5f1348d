package flyball

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Time is a point in event time: nanoseconds since the Unix epoch, UTC.
// It is an integer so that window edges are exact and cheap to compare. In JSON
// it is an RFC 3339 string.
type Time int64

// NoTime is the value of a Time that is not known; every real time is later.
const NoTime Time = math.MinInt64

// TimeOf converts t.
func TimeOf(t time.Time) Time { return Time(t.UnixNano()) }

// Std converts t to a time.Time in UTC.
func (t Time) Std() time.Time { return time.Unix(0, int64(t)).UTC() }

// Add returns t moved by d. NoTime stays NoTime; what lies beyond the range of
// Time becomes its first or last point.
func (t Time) Add(d time.Duration) Time {
	if t == NoTime {
		return NoTime
	}
	sum := t + Time(d)
	switch {
	case d > 0 && sum < t:
		return math.MaxInt64
	case d < 0 && (sum > t || sum == NoTime):
		return NoTime + 1
	}
	return sum
}

// Sub returns t − u.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }

// Floor returns the start of the slice of width d that holds t, slices being
// aligned to the epoch. It rounds towards the past for times before 1970 too.
// NoTime stays NoTime; a slice that begins before the range of Time gives the
// next one. d must be positive.
func (t Time) Floor(d time.Duration) Time {
	if t == NoTime {
		return NoTime
	}
	r := int64(t) % int64(d)
	if r < 0 {
		r += int64(d)
	}
	floor := t - Time(r)
	if floor > t || floor == NoTime {
		floor += Time(d)
	}
	return floor
}

// String returns t in RFC 3339 with as many fraction digits as needed, or "-"
// for NoTime.
func (t Time) String() string {
	if t == NoTime {
		return "-"
	}
	return t.Std().Format(time.RFC3339Nano)
}

// MarshalJSON writes t as an RFC 3339 string, and NoTime as null.
func (t Time) MarshalJSON() ([]byte, error) {
	if t == NoTime {
		return []byte("null"), nil
	}
	return strconv.AppendQuote(nil, t.String()), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (t *Time) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*t = NoTime
		return nil
	}
	s, err := strconv.Unquote(string(data))
	if err != nil {
		return fmt.Errorf("cannot read time %s: not a string", data)
	}
	std, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return fmt.Errorf("cannot read time %q: want RFC 3339", s)
	}
	*t = TimeOf(std)
	return nil
}
