package flyball

import "time"

// Calendar cuts event time into periods of the calendar of a place: a month
// begins there at midnight, whatever the offset to UTC is by then. Exactly one of
// Months, Days and Fixed is set.
type Calendar struct {
	// Anchor is the start of one period, with the place's location.
	Anchor time.Time
	// Months is the length of a period in calendar months. Where a month is too
	// short for the anchor's day, the period begins at its last day.
	Months int
	// Days is the length in calendar days, of which some have 23 or 25 hours.
	Days int
	// Fixed is the length as time that passes.
	Fixed time.Duration
}

// Period returns the period [start, end) that holds t.
func (c *Calendar) Period(t Time) (start, end Time) {
	n := int(t.Sub(TimeOf(c.Anchor)) / c.Nominal()) // near enough to walk from
	for start = c.start(n); start > t; start = c.start(n) {
		n--
	}
	for end = c.start(n + 1); end <= t; end = c.start(n + 1) {
		n, start = n+1, end
	}
	return start, end
}

// Nominal returns about how long a period is: a month counts 30 days, a year 365.
func (c *Calendar) Nominal() time.Duration {
	const day = 24 * time.Hour
	if c.Months > 0 {
		return time.Duration(c.Months/12*365+c.Months%12*30) * day
	}
	return time.Duration(c.Days)*day + c.Fixed
}

// start returns the start of the n-th period after the anchor's.
func (c *Calendar) start(n int) Time {
	if c.Fixed > 0 {
		return TimeOf(c.Anchor).Add(time.Duration(n) * c.Fixed)
	}
	year, month, day := c.Anchor.Date()
	hour, minute, second := c.Anchor.Clock()
	month += time.Month(n * c.Months)
	last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	if c.Months > 0 {
		day = min(day, last)
	}
	return TimeOf(time.Date(year, month, day+n*c.Days, hour, minute, second, c.Anchor.Nanosecond(), c.Anchor.Location()))
}
