package memlog

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	a = Partition{"a", 0}
	b = Partition{"b", 1}
)

func newLog() *Log {
	l := New()
	l.Grow("a", 1)
	l.Grow("b", 2)
	return l
}

func text(p Partition, s string) Record { return Record{Partition: p, Value: []byte(s)} }

func keyed(p Partition, key, value string) Record {
	r := Record{Partition: p, Key: []byte(key)}
	if value != "" {
		r.Value = []byte(value)
	}
	return r
}

// reads checks what a reader gets from an offset on.
func reads(t *testing.T, l *Log, p Partition, from int64, limit int, wantNext int64, want ...string) {
	t.Helper()
	records, next := l.Read(p, from, limit)
	var got []string
	for _, r := range records {
		got = append(got, string(r.Value))
	}
	if diff := cmp.Diff(want, got); diff != "" || next != wantNext {
		t.Errorf("read %v from %d: next is %d, want %d; records (-want +got):\n%s", p, from, next, wantNext, diff)
	}
}

func TestReadersSeeCommittedRecordsOnly(t *testing.T) {
	l := newLog()
	l.Append(text(a, "0"))
	back := l.Begin()
	back.Produce(text(a, "1"))
	kept := l.Begin()
	kept.Produce(text(a, "2"))
	kept.End(true) // marker at 3
	reads(t, l, a, 0, 10, 1, "0")
	if got := l.Stable(a); got != 1 {
		t.Errorf("stable is %d behind an open transaction, want 1", got)
	}
	back.End(false) // marker at 4
	reads(t, l, a, 0, 10, 5, "0", "2")
	reads(t, l, a, 1, 1, 3, "2")
	reads(t, l, a, 3, 10, 5)
	if got := l.End(a); got != 5 {
		t.Errorf("end is %d, want 5", got)
	}
}

func TestTransactionsSpanPartitionsAndOffsets(t *testing.T) {
	l := newLog()
	txn := l.Begin()
	txn.Produce(text(a, "x"))
	txn.Produce(text(b, "y"))
	txn.Send("g", a, Offset{At: 7, Metadata: "head=9"})
	if _, known := l.Committed("g", a); known || !l.Unstable("g", a) {
		t.Error("the offset is known before the transaction ends, or not pending")
	}
	txn.End(true)
	o, known := l.Committed("g", a)
	if o != (Offset{7, "head=9"}) || !known || l.Unstable("g", a) {
		t.Errorf("committed %+v, known %v", o, known)
	}
	reads(t, l, a, 0, 10, 2, "x")
	reads(t, l, b, 0, 10, 2, "y")

	second := l.Begin()
	second.Send("g", a, Offset{At: 8})
	second.End(false)
	if o, _ := l.Committed("g", a); o.At != 7 {
		t.Errorf("a transaction that was taken back committed offset %d", o.At)
	}
	if _, known := l.Committed("other", a); known {
		t.Error("another group's offset is known")
	}
}

func TestLatest(t *testing.T) {
	l := newLog()
	write := func(commit bool, records ...Record) {
		txn := l.Begin()
		for _, r := range records {
			txn.Produce(r)
		}
		txn.End(commit)
	}
	write(true, keyed(a, "m/1", "old"), keyed(a, "m/2", "kept"), keyed(a, "n/1", "other"))
	write(true, keyed(a, "m/1", "new"), keyed(a, "m/3", "gone"))
	write(true, keyed(a, "m/3", ""))
	write(false, keyed(a, "m/2", "never"))
	want := map[string][]byte{"m/1": []byte("new"), "m/2": []byte("kept")}
	if diff := cmp.Diff(want, l.Latest(a, "m/")); diff != "" {
		t.Errorf("latest (-want +got):\n%s", diff)
	}
}

func TestGrowKeepsRecords(t *testing.T) {
	l := newLog()
	l.Append(text(a, "0"))
	l.Grow("a", 3)
	l.Grow("a", 2)
	if n := len(l.Partitions("a")); n != 3 {
		t.Errorf("the topic has %d partitions, want 3", n)
	}
	reads(t, l, a, 0, 10, 1, "0")
}
