package complaint

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

func newTracker() *Tracker {
	return New(func(source string, at flyball.Time) string { return fmt.Sprint(source, "@", int64(at)) })
}

func mark(partition int32, complaint string) []processors.Mark {
	return []processors.Mark{{Source: "orders", Topic: "orders", Partition: partition, Complaint: complaint}}
}

// take takes marks at a time, and returns what is found in short.
func take(t *Tracker, at flyball.Time, marks []processors.Mark) (out []string) {
	sources := []flyball.Source{{Name: "orders"}, {Name: "other"}}
	for _, f := range t.Take(0, sources, marks, func(string) flyball.Time { return at }) {
		out = append(out, fmt.Sprintf("%s %d %s: %s", f.ID, f.Revision, f.State, f.Summary))
	}
	return out
}

const (
	opened   = "orders@5 1 opened: records of source orders do not have the schema that is wanted: schema 7: gone (orders/0)"
	resolved = "orders@5 2 resolved: records of source orders have the schema that is wanted again"
)

func TestItOpensAndIsResolved(t *testing.T) {
	tr := newTracker()
	f := func(at flyball.Time, marks []processors.Mark, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, take(tr, at, marks)); diff != "" {
			t.Errorf("at %d (−want +got):\n%s", at, diff)
		}
		tr.Commit()
	}
	f(1, mark(0, ""))
	f(flyball.NoTime, mark(0, "schema 7: gone")) // nothing was ever read: there is no time
	f(5, mark(1, ""), opened)
	f(6, mark(1, "schema 7: gone"))
	f(7, mark(0, ""))
	f(8, mark(1, ""), resolved)
	f(9, mark(1, ""))
	if got := tr.Take(1, []flyball.Source{{Name: "orders"}}, mark(0, "x"), func(string) flyball.Time { return 1 }); got != nil {
		t.Error("another partition speaks, too")
	}
}

// TestAbortAndRestore: what is taken back is said again in the same words, and a successor
// goes on where its predecessor was.
func TestAbortAndRestore(t *testing.T) {
	tr := newTracker()
	topic := map[string][]byte{}
	changed := func() {
		tr.Changed(func(key string, value []byte) {
			if delete(topic, key); value != nil {
				topic[key] = value
			}
		})
		tr.Commit()
	}
	take(tr, 5, mark(0, "schema 7: gone"))
	tr.Abort()
	if got := take(tr, 5, mark(0, "schema 7: gone")); len(got) != 1 || got[0] != opened {
		t.Fatalf("after an abort it says %q", got)
	}
	changed()
	take(tr, 6, mark(0, ""))
	tr.Abort()
	next := newTracker()
	for key, value := range topic {
		if err := next.Restore(key, value); err != nil {
			t.Fatal(err)
		}
	}
	for _, tr := range []*Tracker{tr, next} {
		if got := take(tr, 7, mark(0, "")); len(got) != 1 || got[0] != resolved {
			t.Errorf("it says %q", got)
		}
	}
	changed()
	if len(topic) != 0 {
		t.Errorf("%q is left", topic)
	}
	if newTracker().Restore("%", nil) == nil || newTracker().Restore("a", []byte("{")) == nil {
		t.Error("it takes what is no state")
	}
}
