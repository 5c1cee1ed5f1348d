package season

import (
	"math"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
)

const (
	habitDays  = 7 // looked back at
	habitSlots = habitDays + 1
	habitHours = 24
	// habitNeeds is on how many of the last seven days a value must have been
	// reached about this hour. Two would let a weekend excuse a quiet Monday.
	habitNeeds = 3
	noDay      = math.MinInt64
)

// Habit remembers the highest and lowest value of every hour of the last seven
// days, to know what a series does every day at about this time: the nightly
// job, the hourly peak. An hour early or late counts too, so that a change of
// the clocks is no surprise.
type Habit struct {
	day  [habitSlots]int64
	high [habitSlots][habitHours]float32
	low  [habitSlots][habitHours]float32
}

// NewHabit returns a memory of nothing.
func NewHabit() Habit {
	var h Habit
	for i := range h.day {
		h.day[i] = noDay
	}
	return h
}

func split(t flyball.Time) (day int64, hour int) {
	hours := int64(t) / int64(time.Hour)
	if int64(t)%int64(time.Hour) < 0 {
		hours--
	}
	day = hours / habitHours
	hour = int(hours % habitHours)
	if hour < 0 {
		hour += habitHours
		day--
	}
	return day, hour
}

func slot(day int64) int {
	return int((day%habitSlots + habitSlots) % habitSlots)
}

// Learn remembers a value.
func (h *Habit) Learn(t flyball.Time, value float64) {
	day, hour := split(t)
	s := slot(day)
	if h.day[s] != day {
		if h.day[s] > day {
			return // from a week that is over
		}
		h.day[s] = day
		for i := range habitHours {
			h.high[s][i] = float32(math.Inf(-1))
			h.low[s][i] = float32(math.Inf(1))
		}
	}
	v := float32(value)
	h.high[s][hour] = max(h.high[s][hour], v)
	h.low[s][hour] = min(h.low[s][hour], v)
}

// Usual reports whether a value as high (side 1) or as low (side −1) was reached
// about this hour on at least three of the seven days before.
func (h *Habit) Usual(t flyball.Time, value float64, side int8) bool {
	day, hour := split(t)
	days := 0
	for back := int64(1); back <= habitDays; back++ {
		for _, around := range [...]int{0, -1, 1} {
			d, at := day-back, hour+around
			if at < 0 {
				at, d = at+habitHours, d-1
			} else if at >= habitHours {
				at, d = at-habitHours, d+1
			}
			if d < day && h.reached(d, at, value, side) {
				days++
				break
			}
		}
	}
	return days >= habitNeeds
}

func (h *Habit) reached(day int64, hour int, value float64, side int8) bool {
	s := slot(day)
	if h.day[s] != day {
		return false
	}
	if side > 0 {
		return float64(h.high[s][hour]) >= value
	}
	return float64(h.low[s][hour]) <= value
}

// Code walks over the memory.
func (h *Habit) Code(c *snapshot.Codec) {
	for i := range h.day {
		c.Int64(&h.day[i])
		c.Float32s(h.high[i][:])
		c.Float32s(h.low[i][:])
	}
}
