package evaluate

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/window"
)

// windowKey identifies a window of a series.
type windowKey struct {
	indicator, labels string
	start             flyball.Time
}

func (k windowKey) path() string {
	return fmt.Sprintf("revision/%s/%d/%s", url.PathEscape(k.indicator), int64(k.start), url.PathEscape(k.labels))
}

func compareKeys(a, b windowKey) int {
	return cmp.Or(cmp.Compare(a.indicator, b.indicator), cmp.Compare(a.start, b.start), cmp.Compare(a.labels, b.labels))
}

// corrections are the closed windows that the panes of one record changed.
type corrections map[windowKey]*store

// correct reports each window once per record, with the next revision.
func (m *Machine) correct(c corrections) {
	for _, k := range slices.SortedFunc(maps.Keys(c), compareKeys) {
		c[k].Correct(k.labels, k.start, m.revisions.next(k), &m.windows)
	}
}

// revisions counts the corrections of windows that have any and can still get
// more.
type revisions struct {
	last map[windowKey]uint32
	undo map[windowKey]uint32 // as of the last commit; 0 for absent
}

func newRevisions() revisions {
	return revisions{last: map[windowKey]uint32{}, undo: map[windowKey]uint32{}}
}

func (r *revisions) save(k windowKey) {
	if _, ok := r.undo[k]; !ok {
		r.undo[k] = r.last[k]
	}
}

// next returns the revision of the next correction; a window closes with 1.
func (r *revisions) next(k windowKey) uint32 {
	r.save(k)
	r.last[k] = max(r.last[k], 1) + 1
	return r.last[k]
}

// expire forgets windows that can no longer be corrected.
func (r *revisions) expire(st *window.Store, watermark flyball.Time) {
	for k := range r.last {
		if k.indicator == st.Spec().Name && st.Expired(k.start, watermark) {
			r.save(k)
			delete(r.last, k)
		}
	}
}

func (r *revisions) changed(f func(key string, value []byte)) {
	for _, k := range slices.SortedFunc(maps.Keys(r.undo), compareKeys) {
		if n, ok := r.last[k]; ok {
			f(k.path(), strconv.AppendUint(nil, uint64(n), 10))
		} else {
			f(k.path(), nil)
		}
	}
}

func (r *revisions) commit() { clear(r.undo) }

func (r *revisions) abort() {
	for k, n := range r.undo {
		if n == 0 {
			delete(r.last, k)
		} else {
			r.last[k] = n
		}
	}
	clear(r.undo)
}

func (r *revisions) restore(path string, value []byte) error {
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
	r.last[windowKey{indicator, labels, flyball.Time(start)}] = uint32(n)
	return nil
}
