package slo

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/flyball-io/flyball"
)

// periods counts by periods of a calendar: the current one, the one before it for
// late samples, and those in the future. The zero value counts nothing.
type periods struct {
	calendar *flyball.Calendar
	list     []period // by start; replaced, never changed, so that an abort goes back
	was      []period // as of the last commit
	touched  []string // keys changed since
	owed     []string // keys that a restore counted over or away, not committed yet
	asked    period   // the last that was looked up
}

// period is the budget of one period.
type period struct {
	start, end flyball.Time
	first      flyball.Time // the first slice with samples
	sum        counts
}

// holding returns the bounds of the period that holds t.
func (p *periods) holding(t flyball.Time) (start, end flyball.Time) {
	if t < p.asked.start || t >= p.asked.end {
		p.asked.start, p.asked.end = p.calendar.Period(t)
	}
	return p.asked.start, p.asked.end
}

func (p *periods) add(t flyball.Time, c counts) {
	if p.calendar == nil {
		return
	}
	start, end := p.holding(t)
	list := slices.Clone(p.list)
	i, ok := p.find(start)
	if !ok {
		list = slices.Insert(list, i, period{start: start, end: end, first: t})
	}
	list[i].sum = list[i].sum.plus(c)
	list[i].first = min(list[i].first, t)
	if list[i].sum == (counts{}) {
		list = slices.Delete(list, i, i+1)
	}
	p.list = list
	p.touch(keyOf(start))
}

func (p *periods) find(start flyball.Time) (int, bool) {
	return slices.BinarySearchFunc(p.list, start, func(x period, s flyball.Time) int { return cmp.Compare(x.start, s) })
}

func (p *periods) touch(key string) {
	if !slices.Contains(p.touched, key) {
		p.touched = append(p.touched, key)
	}
}

// of returns the period that holds t, with nothing in it if nothing was counted.
func (p *periods) of(t flyball.Time) period {
	start, end := p.holding(t)
	if i, ok := p.find(start); ok {
		return p.list[i]
	}
	return period{start: start, end: end, first: end}
}

// expire forgets what came before the period before the one that ends at at or
// later.
func (p *periods) expire(at flyball.Time) {
	if len(p.list) == 0 {
		return
	}
	current, _ := p.holding(at - 1)
	for len(p.list) > 0 && p.list[0].end < current {
		p.touch(keyOf(p.list[0].start))
		p.list = p.list[1:]
	}
}

// forget drops everything.
func (p *periods) forget() {
	for _, x := range p.list {
		p.touch(keyOf(x.start))
	}
	p.list = nil
}

const periodKey = "p."

func keyOf(start flyball.Time) string { return periodKey + strconv.FormatInt(int64(start), 10) }

func (p *periods) dirty() bool { return len(p.touched)+len(p.owed) > 0 }

func (p *periods) changed(f func(string, []byte)) {
	keys := slices.Concat(p.touched, p.owed)
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		i := slices.IndexFunc(p.list, func(x period) bool { return keyOf(x.start) == key })
		if i < 0 {
			f(key, nil)
			continue
		}
		x := p.list[i]
		data := binary.AppendVarint(nil, int64(x.first))
		data = binary.AppendUvarint(data, uint64(x.sum.total))
		f(key, binary.AppendUvarint(data, uint64(x.sum.bad)))
	}
}

func (p *periods) commit() { p.was, p.touched, p.owed = p.list, nil, nil }
func (p *periods) abort()  { p.list, p.touched = p.was, nil }

// owe makes what changed since the last commit something that an abort does not
// take back.
func (p *periods) owe() {
	p.was, p.owed, p.touched = p.list, append(p.owed, p.touched...), nil
}

var errPeriod = errors.New("it is no count of a period")

// restore adds what changed gave. A period that the calendar has no longer is
// counted into that of its first samples.
func (p *periods) restore(key string, value []byte) error {
	start, err := strconv.ParseInt(strings.TrimPrefix(key, periodKey), 10, 64)
	if err != nil {
		return err
	}
	first, n := binary.Varint(value)
	if n <= 0 {
		return errPeriod
	}
	total, m := binary.Uvarint(value[n:])
	if m <= 0 {
		return errPeriod
	}
	bad, k := binary.Uvarint(value[n+m:])
	if k <= 0 || n+m+k != len(value) {
		return errPeriod
	}
	if bad > total || total > maxSlice {
		return fmt.Errorf("%d of %d samples are bad", bad, total)
	}
	if p.calendar == nil {
		p.owed = append(p.owed, key) // to be deleted
		return nil
	}
	if s, _ := p.holding(flyball.Time(start)); s == flyball.Time(start) {
		first = max(first, start) // so that it is counted where it belongs
	}
	p.add(flyball.Time(first), counts{int64(total), int64(bad)})
	if now, _ := p.holding(flyball.Time(first)); now == flyball.Time(start) && len(p.touched) == 1 {
		p.was, p.touched = p.list, nil // as it was written
		return nil
	}
	p.touch(key)
	p.owe()
	return nil
}
