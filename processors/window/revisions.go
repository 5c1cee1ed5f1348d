package window

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/flyball-io/flyball"
)

// Key identifies a window of a series.
type Key struct {
	Indicator, Labels string
	Start             flyball.Time
}

func (k Key) path() string {
	return fmt.Sprintf("%s/%d/%s", url.PathEscape(k.Indicator), int64(k.Start), url.PathEscape(k.Labels))
}

// CompareKeys orders keys by indicator, start and labels.
func CompareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Indicator, b.Indicator), cmp.Compare(a.Start, b.Start), cmp.Compare(a.Labels, b.Labels))
}

// Revisions counts the corrections of windows that have any and can still get
// more.
type Revisions struct {
	last map[Key]uint32
	undo map[Key]uint32 // as of the last commit; 0 for absent
}

// NewRevisions returns none.
func NewRevisions() Revisions {
	return Revisions{last: map[Key]uint32{}, undo: map[Key]uint32{}}
}

func (r *Revisions) save(k Key) {
	if _, ok := r.undo[k]; !ok {
		r.undo[k] = r.last[k]
	}
}

// Next returns the revision of the next correction; a window closes with 1.
func (r *Revisions) Next(k Key) uint32 {
	r.save(k)
	r.last[k] = max(r.last[k], 1) + 1
	return r.last[k]
}

// Expire forgets windows that can no longer be corrected.
func (r *Revisions) Expire(st *Store, watermark flyball.Time) {
	for k := range r.last {
		if k.Indicator == st.Spec().Name && st.Expired(k.Start, watermark) {
			r.save(k)
			delete(r.last, k)
		}
	}
}

// Changed calls f with what differs from the last commit; value is nil for one that is
// gone.
func (r *Revisions) Changed(f func(key string, value []byte)) {
	for _, k := range slices.SortedFunc(maps.Keys(r.undo), CompareKeys) {
		if n, ok := r.last[k]; ok {
			f(k.path(), strconv.AppendUint(nil, uint64(n), 10))
		} else {
			f(k.path(), nil)
		}
	}
}

// Commit makes changes permanent.
func (r *Revisions) Commit() { clear(r.undo) }

// Abort takes back what changed since the last Commit.
func (r *Revisions) Abort() {
	for k, n := range r.undo {
		if n == 0 {
			delete(r.last, k)
		} else {
			r.last[k] = n
		}
	}
	clear(r.undo)
}

// Restore takes a key and value that Changed gave.
func (r *Revisions) Restore(path string, value []byte) error {
	parts := strings.Split(path, "/")
	if len(parts) != 3 {
		return fmt.Errorf("its path has %d parts, want 3", len(parts))
	}
	indicator, err1 := url.PathUnescape(parts[0])
	start, err2 := strconv.ParseInt(parts[1], 10, 64)
	labels, err3 := url.PathUnescape(parts[2])
	n, err4 := strconv.ParseUint(string(value), 10, 32)
	if err := cmp.Or(err1, err2, err3, err4); err != nil {
		return err
	}
	r.last[Key{indicator, labels, flyball.Time(start)}] = uint32(n)
	return nil
}
