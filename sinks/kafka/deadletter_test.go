package kafka

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kgo"
)

func died() *kgo.Record {
	return &kgo.Record{
		Topic: "otlp_spans", Partition: 3, Offset: 42, Key: []byte("k"), Value: []byte("\x00\xffspan"),
		Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("v")}, {Key: "h", Value: nil}}, Timestamp: now.Std(),
	}
}

var sameRecord = cmp.Options{cmpopts.IgnoreUnexported(kgo.Record{}), cmpopts.IgnoreFields(kgo.Record{}, "Attrs"), cmpopts.EquateEmpty()}

func TestDeadLetter(t *testing.T) {
	r := died()
	dead := Topics{Prefix: "flyball."}.DeadLetter(r, "aggregate", "malformed", "cannot decode span")
	want := &kgo.Record{Topic: "flyball.deadletter", Key: r.Key, Value: r.Value, Headers: append(died().Headers,
		kgo.RecordHeader{Key: "__flyball.error.stage", Value: []byte("aggregate")},
		kgo.RecordHeader{Key: "__flyball.error.reason", Value: []byte("malformed")},
		kgo.RecordHeader{Key: "__flyball.error.message", Value: []byte("cannot decode span")},
		kgo.RecordHeader{Key: "__flyball.error.topic", Value: []byte("otlp_spans")},
		kgo.RecordHeader{Key: "__flyball.error.partition", Value: []byte("3")},
		kgo.RecordHeader{Key: "__flyball.error.offset", Value: []byte("42")},
		kgo.RecordHeader{Key: "__flyball.error.timestamp", Value: []byte("2026-01-01T00:00:00.25Z")})}
	if d := cmp.Diff(want, dead, sameRecord); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	r.Value[0], r.Key[0], r.Headers[0].Value[0] = 'x', 'x', 'x' // as when its memory is used again
	if dead.Value[0] == 'x' || dead.Key[0] == 'x' || dead.Headers[0].Value[0] == 'x' {
		t.Errorf("the dead letter shares memory with the record: %q", dead.Value)
	}
}

func TestReadDeadLetter(t *testing.T) {
	topics := Topics{Prefix: "flyball."}
	once := topics.DeadLetter(died(), "aggregate", "malformed", "first")
	got, err := ReadDeadLetter(once)
	if err != nil {
		t.Fatal(err)
	}
	want := Death{Stage: "aggregate", Reason: "malformed", Message: "first", Record: died()}
	if d := cmp.Diff(want, got, sameRecord); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}

	// What dies again is a dead letter of a dead letter.
	once.Partition, once.Offset, once.Timestamp = 1, 7, now.Std().Add(time.Hour)
	twice := topics.DeadLetter(once, "redrive", "again", "second")
	if got, err = ReadDeadLetter(twice); err != nil {
		t.Fatal(err)
	}
	want = Death{Stage: "redrive", Reason: "again", Message: "second", Record: once}
	if d := cmp.Diff(want, got, sameRecord); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if Header(twice, HeaderStage) != "redrive" || Header(twice, HeaderOffset) != "7" {
		t.Error("Header gives the first death, not the last")
	}
}

func TestDeadPart(t *testing.T) {
	value := []byte("part")
	dead := Topics{}.DeadPart(value, "evaluate", "too_late", "by an hour")
	value[0] = 'x'
	got, err := ReadDeadLetter(dead)
	if err != nil {
		t.Fatal(err)
	}
	want := Death{Stage: "evaluate", Reason: "too_late", Message: "by an hour", Record: &kgo.Record{Value: []byte("part")}}
	if d := cmp.Diff(want, got, sameRecord); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestDeadMessageIsBounded(t *testing.T) {
	dead := Topics{}.DeadPart(nil, "s", "r", "\xff"+strings.Repeat("ä", maxDeadMessage))
	m := Header(dead, HeaderMessage)
	if len(m) > maxDeadMessage || len(m) < maxDeadMessage-4 || !utf8.ValidString(m) {
		t.Errorf("the message has %d bytes, valid %v", len(m), utf8.ValidString(m))
	}
}

func TestReadDeadLetterRefuses(t *testing.T) {
	f := func(want string, headers ...string) {
		t.Helper()
		r := &kgo.Record{}
		for i := 0; i < len(headers); i += 2 {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: headers[i], Value: []byte(headers[i+1])})
		}
		if _, err := ReadDeadLetter(r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	f("header __flyball.error.stage is missing")
	f("header __flyball.error.partition", HeaderStage, "s", HeaderTopic, "t")
	f("header __flyball.error.offset", HeaderStage, "s", HeaderTopic, "t", HeaderPartition, "1", HeaderOffset, "x")
	f("header __flyball.error.timestamp", HeaderStage, "s", HeaderTopic, "t", HeaderPartition, "1", HeaderOffset, "2", HeaderTimestamp, "x")
}

func TestDeadLetterOfAnOversizedRecordFits(t *testing.T) {
	topics := Topics{Prefix: "t."}
	value := bytes.Repeat([]byte("x"), MaxMessageBytes+1)
	for _, out := range []*kgo.Record{
		topics.DeadLetter(&kgo.Record{Topic: "in", Value: value}, "aggregate", "malformed", "no"),
		topics.DeadPart(value, "evaluate", "malformed", "no"),
	} {
		if len(out.Value) != maxDeadValue {
			t.Errorf("%d bytes, want %d", len(out.Value), maxDeadValue)
		}
		if got := Header(out, HeaderTruncated); got != strconv.Itoa(len(value)) {
			t.Errorf("the header says %q, want %d", got, len(value))
		}
	}
	if got := Header(topics.DeadPart([]byte("x"), "s", "r", "m"), HeaderTruncated); got != "" {
		t.Errorf("a small value is said to be truncated from %q", got)
	}
}

// A record whose key and headers are as large as values may be still finds room.
func TestDeadLetterOfManyHeadersFits(t *testing.T) {
	large := bytes.Repeat([]byte("x"), MaxMessageBytes/2)
	r := &kgo.Record{Topic: "in", Partition: 3, Offset: 7, Key: large, Value: large, Headers: []kgo.RecordHeader{{Key: "trace", Value: large}}}
	out := Topics{Prefix: "t."}.DeadLetter(r, "aggregate", "malformed", "no")
	size := len(out.Key) + len(out.Value)
	for _, h := range out.Headers {
		size += len(h.Key) + len(h.Value)
	}
	if size > MaxMessageBytes-64<<10 {
		t.Errorf("it takes %d bytes of %d", size, MaxMessageBytes)
	}
	d, err := ReadDeadLetter(out)
	if err != nil || d.Record.Topic != "in" || d.Record.Partition != 3 || d.Record.Offset != 7 || Header(out, HeaderTruncated) == "" {
		t.Errorf("it says %+v, %v", d, err)
	}
}
