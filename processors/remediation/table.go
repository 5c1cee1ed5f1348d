package remediation

// table is a map whose changes can be taken back, and which knows what has
// changed.
type table[K comparable, V any] struct {
	live map[K]V
	// before holds what a key had at the last commit, for keys touched since.
	before map[K]former[V]
	// dirty holds the keys touched since the last call of changes.
	dirty map[K]struct{}
}

// former is what a key had, if anything.
type former[V any] struct {
	value V
	found bool
}

func newTable[K comparable, V any]() *table[K, V] {
	return &table[K, V]{live: map[K]V{}, before: map[K]former[V]{}, dirty: map[K]struct{}{}}
}

func (t *table[K, V]) get(k K) (V, bool) { v, ok := t.live[k]; return v, ok }

func (t *table[K, V]) len() int { return len(t.live) }

func (t *table[K, V]) set(k K, v V) {
	t.touch(k)
	t.live[k] = v
}

func (t *table[K, V]) del(k K) {
	t.touch(k)
	delete(t.live, k)
}

func (t *table[K, V]) touch(k K) {
	if _, ok := t.before[k]; !ok {
		v, found := t.live[k]
		t.before[k] = former[V]{v, found}
	}
	t.dirty[k] = struct{}{}
}

// changes hands out the keys touched since it was last called, in no order.
func (t *table[K, V]) changes(each func(K)) {
	for k := range t.dirty {
		each(k)
	}
	clear(t.dirty)
}

func (t *table[K, V]) commit() { clear(t.before) }

func (t *table[K, V]) abort() {
	for k, f := range t.before {
		if f.found {
			t.live[k] = f.value
		} else {
			delete(t.live, k)
		}
	}
	clear(t.before)
	clear(t.dirty)
}
