package counter

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Row is a row of a record of panes.
type Row struct {
	Offset int64
	Row    int
}

func compareRows(a, b Row) int {
	return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Row, b.Row))
}

// Passed are the points that counted for nothing because they came late. Unlike other
// rows, whether one did cannot be told from the log and the watermark alone: a successor
// is told.
type Passed struct {
	now  map[Row]bool
	undo map[Row]bool // whether it was there at the last commit
}

// NewPassed returns none.
func NewPassed() Passed { return Passed{now: map[Row]bool{}, undo: map[Row]bool{}} }

// Add notes one.
func (p *Passed) Add(k Row) {
	if _, saved := p.undo[k]; !saved {
		p.undo[k] = p.now[k]
	}
	p.now[k] = true
}

// Has reports whether a row is one.
func (p *Passed) Has(k Row) bool { return p.now[k] }

// Expire forgets those before an offset, that nobody reads again.
func (p *Passed) Expire(low int64) {
	for k := range p.now {
		if k.Offset < low {
			if _, saved := p.undo[k]; !saved {
				p.undo[k] = true
			}
			delete(p.now, k)
		}
	}
}

// Changed calls f with what differs from the last commit; value is nil for one that is
// gone.
func (p *Passed) Changed(f func(key string, value []byte)) {
	for _, k := range slices.SortedFunc(maps.Keys(p.undo), compareRows) {
		var value []byte // it may have been reported earlier in the transaction
		if p.now[k] {
			value = []byte("1")
		}
		f(fmt.Sprintf("%d/%d", k.Offset, k.Row), value)
	}
}

// Commit makes changes permanent.
func (p *Passed) Commit() { clear(p.undo) }

// Abort takes back what changed since the last Commit.
func (p *Passed) Abort() {
	for k, was := range p.undo {
		if was {
			p.now[k] = true
		} else {
			delete(p.now, k)
		}
	}
	clear(p.undo)
}

// Restore takes a key that Changed gave.
func (p *Passed) Restore(path string) error {
	at, row, _ := strings.Cut(path, "/")
	offset, err1 := strconv.ParseInt(at, 10, 64)
	n, err2 := strconv.Atoi(row)
	if err := cmp.Or(err1, err2); err != nil {
		return err
	}
	p.now[Row{offset, n}] = true
	return nil
}
