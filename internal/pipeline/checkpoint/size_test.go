package checkpoint

import (
	"testing"

	"github.com/flyball-io/flyball/processors"
)

func TestSizesFollowWhatIsCommitted(t *testing.T) {
	type shown struct {
		keys  int
		bytes int64
	}
	last := map[int32]shown{}
	s := &Sizes{Show: func(p int32, keys int, bytes int64) { last[p] = shown{keys, bytes} }}
	want := func(keys int, bytes int64) {
		t.Helper()
		if got := last[3]; got != (shown{keys, bytes}) {
			t.Errorf("%+v, want %d keys and %d bytes", got, keys, bytes)
		}
	}
	s.Change(3, []processors.StateChange{{Key: "x", Value: []byte("before it was restored")}})
	s.Restored(3, map[string][]byte{"a": []byte("12"), "bb": []byte("3456")})
	want(2, 3+6)
	s.Change(3, []processors.StateChange{{Key: "a", Value: []byte("1")}, {Key: "bb"}, {Key: "c", Value: []byte{}}})
	want(2, 9)
	s.End(false)
	want(2, 9)
	s.Change(3, []processors.StateChange{{Key: "a", Value: []byte("1")}, {Key: "bb"}, {Key: "c", Value: []byte{}}})
	s.End(true)
	want(2, 2+1)
	s.End(true)
	want(2, 3)
	s.Drop(3)
	want(0, 0)
}
