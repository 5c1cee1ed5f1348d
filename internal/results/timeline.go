package results

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/flyball-io/flyball"
)

// Key is the place of something in a list, the latest first.
type Key struct {
	// At is when it was, ID what it is.
	At flyball.Time
	ID string
}

func (k Key) compare(other Key) int {
	return cmp.Or(cmp.Compare(k.At, other.At), cmp.Compare(k.ID, other.ID))
}

// Cursor returns the key as text without a meaning; see [ParseCursor].
func (k Key) Cursor() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", int64(k.At), k.ID))
}

// ParseCursor reads what Cursor returned.
func ParseCursor(text string) (Key, error) {
	plain, err := base64.RawURLEncoding.DecodeString(text)
	at, id, found := strings.Cut(string(plain), " ")
	n, numErr := strconv.ParseInt(at, 10, 64)
	if err != nil || !found || numErr != nil {
		return Key{}, fmt.Errorf("cannot read cursor %q: it is none that was given", text)
	}
	return Key{flyball.Time(n), id}, nil
}

// timeline holds the latest of something in the order of their keys, the latest last.
// What is in it is replaced, never written to.
type timeline[T any] struct {
	rows []keyed[T]
	most int
}

type keyed[T any] struct {
	Key
	value *T
}

// set adds a value, or takes the place of the one with its key. It keeps a quarter more
// than the most, so that the oldest need not go one by one. Added is false for a key that
// was there, and for one that is older than all when there are enough; trimmed is true
// when the oldest have gone.
func (t *timeline[T]) set(k Key, v *T) (added, trimmed bool) {
	at, found := slices.BinarySearchFunc(t.rows, k, func(r keyed[T], k Key) int { return r.compare(k) })
	if found {
		t.rows[at].value = v
		return false, false
	}
	if at == 0 && len(t.rows) >= t.most {
		return false, false
	}
	t.rows = slices.Insert(t.rows, at, keyed[T]{k, v})
	if len(t.rows) <= t.most+t.most/4 {
		return true, false
	}
	t.rows = slices.Delete(t.rows, 0, len(t.rows)-t.most)
	return true, true
}

// Page is one page of a list, the latest first.
type Page[T any] struct {
	// Items are at most as many as were asked for.
	Items []T
	// Next is the cursor of the page after it; "" when there is none.
	Next string
}

// page returns those that are wanted, from before a key on.
func (t *timeline[T]) page(before *Key, limit int, want func(*T) bool) Page[T] {
	end := len(t.rows)
	if before != nil {
		end, _ = slices.BinarySearchFunc(t.rows, *before, func(r keyed[T], k Key) int { return r.compare(k) })
	}
	p := Page[T]{Items: []T{}}
	var last Key
	for i := end - 1; i >= 0; i-- {
		if !want(t.rows[i].value) {
			continue
		}
		if len(p.Items) == limit {
			p.Next = last.Cursor()
			break
		}
		p.Items, last = append(p.Items, *t.rows[i].value), t.rows[i].Key
	}
	return p
}
