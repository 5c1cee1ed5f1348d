package memory

import (
	"slices"
	"time"

	"github.com/flyball-io/flyball"
)

// recurHours is how many hours of commands a Recurrence counts: a day, and the week
// before it.
const recurHours = 8 * 24

// Recurrence counts the commands of a rule for a service by the hour.
type Recurrence struct {
	Rule    string `json:"rule"`
	Service string `json:"service"`
	// Last is the start of the latest hour that has one, Counts those of that hour and
	// of the hours before it, the latest last. They are replaced, never written to.
	Last   flyball.Time `json:"last"`
	Counts []int        `json:"counts"`
	// Finding is the id of the open finding that they come more and more often, ""
	// when none is; OpenedAt is when it opened.
	Finding  string       `json:"finding,omitempty"`
	OpenedAt flyball.Time `json:"opened_at"`
	Notify   []string     `json:"notify,omitempty"`
}

// Key implements Row.
func (r Recurrence) Key() Key { return Key{r.Rule, r.Service} }

// With returns the counts with one more command; one that is older than all that is
// counted is left out.
func (r Recurrence) With(at flyball.Time) Recurrence {
	hour := at.Floor(time.Hour)
	if len(r.Counts) == 0 {
		r.Last = hour
	}
	ahead := int(max(0, hour.Sub(r.Last)) / time.Hour)
	counts := append(slices.Clone(r.Counts), make([]int, min(ahead, recurHours))...)
	if len(counts) == 0 {
		counts = []int{0}
	}
	r.Last = max(r.Last, hour)
	for back := int(r.Last.Sub(hour) / time.Hour); back >= len(counts) && back < recurHours; {
		counts = slices.Insert(counts, 0, 0)
	}
	if i := len(counts) - 1 - int(r.Last.Sub(hour)/time.Hour); i >= 0 {
		counts[i]++
	}
	r.Counts = counts[max(0, len(counts)-recurHours):]
	return r
}

// Recent returns how many commands there were in the last 24 hours, that of at
// included, and how many in the seven days before those.
func (r Recurrence) Recent(at flyball.Time) (day, before int) {
	now := at.Floor(time.Hour)
	for i, n := range r.Counts {
		age := now.Sub(r.Last)/time.Hour + time.Duration(len(r.Counts)-1-i)
		switch {
		case age < 0 || age >= recurHours:
		case age < 24:
			day += n
		default:
			before += n
		}
	}
	return day, before
}

// Past is how much of the seven days before the last 24 hours was decided about.
func (m *Memory) Past(at flyball.Time) time.Duration {
	if m.Began == flyball.NoTime {
		return 0
	}
	return min(7*24*time.Hour, max(0, at.Floor(time.Hour).Add(-23*time.Hour).Sub(m.Began)))
}
