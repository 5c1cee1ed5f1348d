package changes

import (
	"fmt"
	"testing"

	"github.com/flyball-io/flyball"
	"github.com/google/go-cmp/cmp"
)

// sets are label sets by their id.
type sets [][]string

func (s sets) Values(set uint32, dst []string) []string { return append(dst, s[set]...) }

func source(t *testing.T) flyball.Source {
	t.Helper()
	m, err := flyball.ParseMatcher(`kind=~"deployed|rolledback"`)
	if err != nil {
		t.Fatal(err)
	}
	return flyball.Source{Name: "ci", Changes: []flyball.Changes{{Filter: []flyball.Matcher{m}, Entity: "app", Kind: "kind", Version: "tag", Target: "deploy/{{entity}}"}}}
}

func TestReader(t *testing.T) {
	labels := []string{"app", "kind", "tag"}
	dict := sets{{"cart", "deployed", "42"}, {"cart", "tested", "43"}, {"", "deployed", "1"}}
	r := New(source(t), labels, dict)
	r.Take([]int64{10, 11, 12, 10}, []uint32{0, 1, 2, 0}) // the last is the first, once more
	got, more := r.Found()
	want := []flyball.Control{{Kind: flyball.ControlChange, At: 10, Who: "source ci", Why: "deployed 42", Target: "deploy/cart",
		Change: &flyball.Change{Entity: "cart", Kind: "deployed", Version: "42"}}}
	if more != 0 || len(got) != 1 {
		t.Fatalf("got %v and %d more", got, more)
	}
	id := got[0].ID
	want[0].ID = id
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	r.Reset()
	r.Take([]int64{10, 20}, []uint32{0, 0})
	if got, _ = r.Found(); len(got) != 2 || got[0].ID != id || got[1].ID == id {
		t.Errorf("read again: %v, want the id %s and another", got, id)
	}
}

func TestReaderIsBounded(t *testing.T) {
	var dict sets
	var times []int64
	var ids []uint32
	for i := range Max + 3 {
		dict, times, ids = append(dict, []string{fmt.Sprint("app-", i), "deployed", ""}), append(times, 1), append(ids, uint32(i))
	}
	r := New(source(t), []string{"app", "kind", "tag"}, dict)
	r.Take(times, ids)
	if got, more := r.Found(); len(got) != Max || more != 3 {
		t.Errorf("%d are told and %d not, want %d and 3", len(got), more, Max)
	}
}

func TestNoChanges(t *testing.T) {
	r := New(flyball.Source{Name: "spans"}, nil, sets{})
	r.Take([]int64{1}, []uint32{0})
	r.Reset()
	if got, more := r.Found(); got != nil || more != 0 {
		t.Errorf("got %v, %d", got, more)
	}
}
