package flyball

import (
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"
)

func location(t testing.TB, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestCalendarPeriods(t *testing.T) {
	f := func(zone, anchor, at, wantStart, wantEnd string, c Calendar) {
		t.Helper()
		l := location(t, zone)
		parse := func(text string) Time {
			p, err := time.ParseInLocation("2006-01-02 15:04", text, l)
			if err != nil {
				t.Fatal(err)
			}
			return TimeOf(p)
		}
		c.Anchor = parse(anchor).Std().In(l)
		start, end := c.Period(parse(at))
		if start != parse(wantStart) || end != parse(wantEnd) {
			t.Errorf("%s of %s: from %v to %v, want %s to %s", at, zone, start.Std().In(l), end.Std().In(l), wantStart, wantEnd)
		}
		if again, _ := c.Period(start); again != start {
			t.Errorf("the period of %v starts at %v", start, again)
		}
		if next, _ := c.Period(end); next != end {
			t.Errorf("the period of %v starts at %v", end, next)
		}
		if last, _ := c.Period(end - 1); last != start {
			t.Errorf("the period of the last moment starts at %v, want %v", last, start)
		}
	}
	month, day := Calendar{Months: 1}, Calendar{Days: 1}
	const ny = "America/New_York"
	f(ny, "2020-01-01 00:00", "2026-03-08 03:00", "2026-03-01 00:00", "2026-04-01 00:00", month)
	f(ny, "2020-01-01 00:00", "2026-11-30 23:59", "2026-11-01 00:00", "2026-12-01 00:00", month)
	f(ny, "2020-01-01 00:00", "2019-12-31 23:59", "2019-12-01 00:00", "2020-01-01 00:00", month)
	f(ny, "2020-01-31 12:30", "2026-02-28 12:29", "2026-01-31 12:30", "2026-02-28 12:30", month)
	f(ny, "2020-01-31 12:30", "2026-02-28 12:30", "2026-02-28 12:30", "2026-03-31 12:30", month)
	f(ny, "2020-01-01 00:00", "2026-03-08 12:00", "2026-03-08 00:00", "2026-03-09 00:00", day)
	f("Australia/Lord_Howe", "2020-01-06 09:00", "2026-04-05 12:00", "2026-03-30 09:00", "2026-04-06 09:00", Calendar{Days: 7})
	f("Asia/Kathmandu", "2020-01-01 00:00", "2026-02-14 00:00", "2026-01-01 00:00", "2026-04-01 00:00", Calendar{Months: 3})
	f("UTC", "2020-02-29 00:00", "2026-02-28 00:00", "2026-02-28 00:00", "2027-02-28 00:00", Calendar{Months: 12})
	f("UTC", "2020-01-01 00:00", "1969-12-31 23:59", "1969-12-31 18:00", "1970-01-01 00:00", Calendar{Fixed: 6 * time.Hour})
}

func TestCalendarLengths(t *testing.T) {
	f := func(zone string, m time.Month, want time.Duration) {
		t.Helper()
		l := location(t, zone)
		c := Calendar{Anchor: time.Date(2020, 1, 1, 0, 0, 0, 0, l), Months: 1}
		start, end := c.Period(TimeOf(time.Date(2026, m, 15, 0, 0, 0, 0, l)))
		if end.Sub(start) != want {
			t.Errorf("%v in %s is %v long, want %v", m, zone, end.Sub(start), want)
		}
	}
	f("America/New_York", time.March, 743*time.Hour)
	f("America/New_York", time.November, 721*time.Hour)
	f("UTC", time.March, 744*time.Hour)
	f("Australia/Lord_Howe", time.April, 720*time.Hour+30*time.Minute)
}

// TestCalendarTiles: periods follow each other without gaps, and hold what they
// are asked for.
func TestCalendarTiles(t *testing.T) {
	zones := []string{"UTC", "America/New_York", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"}
	rapid.Check(t, func(t *rapid.T) {
		l, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		moment := rapid.Int64Range(-1e9, 4e9) // 1938 to 2096
		c := Calendar{Anchor: time.Unix(moment.Draw(t, "anchor"), 0).In(l)}
		switch rapid.IntRange(0, 2).Draw(t, "unit") {
		case 0:
			c.Months = rapid.IntRange(1, 12).Draw(t, "months")
		case 1:
			c.Days = rapid.IntRange(1, 60).Draw(t, "days")
		default:
			c.Fixed = time.Duration(rapid.IntRange(1, 1000).Draw(t, "hours")) * time.Hour
		}
		at := Time(moment.Draw(t, "at") * 1e9)
		start, end := c.Period(at)
		if start > at || end <= at {
			t.Fatalf("%v is not in [%v, %v)", at, start, end)
		}
		if again, next := c.Period(end); again != end || next <= end {
			t.Fatalf("[%v, %v) is followed by [%v, %v)", start, end, again, next)
		}
		if anchor, _ := c.Period(TimeOf(c.Anchor)); anchor != TimeOf(c.Anchor) {
			t.Fatalf("the anchor %v lies in the period from %v", c.Anchor, anchor)
		}
	})
}
