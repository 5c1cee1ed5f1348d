package chart

import (
	"encoding/json"
	"math"
	"testing"
	"time"
)

func TestFormat(t *testing.T) {
	f := func(x float64, unit, want string) {
		t.Helper()
		if got := Format(x, unit); got != want {
			t.Errorf("%v in %q is %q, want %q", x, unit, got, want)
		}
	}
	f(math.NaN(), Share, "–")
	f(math.Inf(1), Times, "∞")
	f(1, Share, "100 %")
	f(0.99999, Share, "99.999 %")
	f(0.9999999, Share, "99.999 %") // never 100 while something is missing
	f(0.5, Share, "50 %")
	f(0.0123, Share, "1.23 %")
	f(0.00004, Share, "0.004 %")
	f(-3.025, Share, "−302.5 %")
	f(12.34, PerSecond, "12.3/s")
	f(1234567, PerSecond, "1.23M/s")
	f(11.27, Times, "11.3×")
	f(2.5e6, Duration, "2.5 ms")
	f(1.5e9, Duration, "1.5 s")
	f(900, Duration, "900 ns")
	f(42, Plain, "42")
	f(42, "bytes", "42 bytes")
}

func TestSpan(t *testing.T) {
	f := func(d time.Duration, want string) {
		t.Helper()
		if got := Span(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
	f(0, "0 ms")
	f(90*time.Second, "1 min 30 s")
	f(time.Hour, "1 h")
	f(26*time.Hour+5*time.Minute, "26 h 5 min")
	f(73*time.Hour, "3 d 1 h")
	f(-time.Minute, "−1 min")
}

func TestAxisPutsValuesWhereTheyBelong(t *testing.T) {
	from := time.Date(2026, 1, 1, 12, 0, 2, 0, time.UTC)
	a := NewAxis(from, from.Add(18*time.Second), 5*time.Second) // 12:00:00 to 12:00:20
	v := a.Blank()
	a.Set(v, from.Truncate(5*time.Second), 1)
	a.Set(v, from.Add(13*time.Second), 2.5)
	a.Set(v, from.Add(-time.Minute), 9)
	a.Set(v, from.Add(time.Minute), 9)
	text, err := json.Marshal(struct {
		X []Instant
		Y Values
	}{a.Times(), v})
	if want := `{"X":[1767268800,1767268805,1767268810,1767268815],"Y":[1,null,null,2.5]}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v, want %s", text, err, want)
	}
	if high, at := v.Highest(); v.Last() != 2.5 || high != 2.5 || at != 3 || !v.Known() || a.Blank().Known() {
		t.Errorf("last %v, highest %v at %d", v.Last(), high, at)
	}
}

func TestTrim(t *testing.T) {
	from := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	f := func(known, want int) {
		t.Helper()
		a := NewAxis(from, from.Add(10*time.Minute), time.Minute)
		y := a.Blank()
		if known >= 0 {
			y[known] = 1
		}
		s := Sheet{From: At(from), X: a.Times(), Charts: []Chart{{Lines: []Line{{Y: y}}}}}
		s.Trim()
		if got := int(s.From.Sub(from) / time.Minute); got != want {
			t.Errorf("first known %d: it begins at %d, want %d", known, got, want)
		}
	}
	f(-1, 0)
	f(0, 0)
	f(3, 0)
	f(8, 6)
}
