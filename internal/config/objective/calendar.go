package objective

import (
	"fmt"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/spec"
)

const startForm = "2006-01-02 15:04:05"

// ParseCalendar reads a time window of the calendar; field names what is wrong:
// duration, calendar.startTime or calendar.timeZone.
func ParseCalendar(w spec.TimeWindow) (c *flyball.Calendar, field string, err error) {
	place, err := time.LoadLocation(w.Calendar.TimeZone)
	if err != nil || w.Calendar.TimeZone == "" || w.Calendar.TimeZone == "Local" {
		return nil, "calendar.timeZone", fmt.Errorf("unknown time zone %q: want a name such as Europe/Berlin, or UTC", w.Calendar.TimeZone)
	}
	anchor, err := ParseStart(string(w.Calendar.StartTime), place)
	if err != nil {
		return nil, "calendar.startTime", err
	}
	c = &flyball.Calendar{Anchor: anchor, Months: w.Duration.Months}
	switch d := w.Duration.Fixed; {
	case c.Months > 12:
		return nil, "duration", fmt.Errorf("%v is longer than a year", w.Duration)
	case c.Months > 0:
	case d < time.Minute || d > 366*24*time.Hour:
		return nil, "duration", fmt.Errorf("want a period from 1m to 366d, got %v", w.Duration)
	case d%(24*time.Hour) == 0:
		c.Days = int(d / (24 * time.Hour))
	default:
		c.Fixed = d
	}
	return c, "", nil
}

// FormatCalendar writes what ParseCalendar reads.
func FormatCalendar(c *flyball.Calendar) spec.TimeWindow {
	fixed := c.Fixed + time.Duration(c.Days)*24*time.Hour
	return spec.TimeWindow{Duration: spec.Period{Months: c.Months, Fixed: fixed}, Calendar: &spec.Calendar{
		StartTime: spec.Text(c.Anchor.Format(startForm)), TimeZone: c.Anchor.Location().String()}}
}

// ParseStart reads a time of the calendar of a place.
func ParseStart(text string, place *time.Location) (time.Time, error) {
	t, err := time.ParseInLocation(startForm, text, place)
	if err != nil || t.Year() < 1900 || t.Year() > 2200 {
		return t, fmt.Errorf("cannot read start time %q: want it as 2026-01-01 00:00:00", text)
	}
	return t, nil
}

// FormatStart writes what ParseStart reads.
func FormatStart(t time.Time) string { return t.Format(startForm) }
