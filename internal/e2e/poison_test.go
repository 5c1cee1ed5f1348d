package e2e

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// poison is one record that cannot be used as it is.
type poison struct {
	value  []byte
	reason string
	good   int // spans in it that count all the same
}

// poisons returns records that are wrong in every way there is a word for.
func poisons(t *testing.T, at time.Time) []poison {
	t.Helper()
	healthy := func(n int) []span {
		var list []span
		for range n {
			list = append(list, span{service: "cart", name: "get", end: at, took: time.Millisecond})
		}
		return list
	}
	withOne := func(bad span) []byte {
		list := healthy(100)
		list[50] = bad
		return spans(t, list...)
	}
	future := span{service: "cart", name: "get", end: time.Now().Add(time.Hour), took: time.Millisecond}
	backwards := span{service: "cart", name: "get", end: at, took: -time.Second}
	whole := spans(t, healthy(3)...)
	return []poison{
		{[]byte("\xff\xff\xff\xff not a protobuf"), "malformed", 0},
		{whole[:len(whole)-5], "malformed", 0},
		{[]byte(`{"resourceSpans":[]}`), "malformed", 0},
		{withOne(backwards), "bad_value", 99},
		{withOne(future), "too_far_ahead", 99},
		{spans(t, future), "too_far_ahead", 0},
		{withOne(span{service: "cart", name: "get", end: time.Unix(0, 0), took: 0}), "no_timestamp", 99},
	}
}

const getIndicator = `---
apiVersion: flyball.dev/v1
kind: Indicator
metadata: {name: gets}
spec: {source: spans, groupBy: [span.name], pane: 1s, window: 5s}
`

// Records that cannot be used go to the dead-letter topic as they came, and to its
// table, and cost nobody else anything.
func TestPoisonIsSetAside(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	db := embeddedtest.ClickHouse(t)
	topic := b.topic(t, "spans", 2)
	p := run(t, b.settings(db.DSN()).write(t, spanSource(topic)+getIndicator))

	const rounds = 40
	var records []*kgo.Record
	dead := map[string]*kgo.Record{} // by partition and offset
	reasons := map[string]string{}
	good := 0
	offsets := [2]int64{}
	send := func(i int, value []byte) *kgo.Record {
		r := &kgo.Record{
			Topic: topic, Partition: int32(i % 2), Key: []byte(fmt.Sprintf("key %d", i)), Value: value,
			Headers: []kgo.RecordHeader{{Key: "trace", Value: []byte(strconv.Itoa(i))}},
		}
		offsets[i%2]++
		records = append(records, r)
		return r
	}
	for round := range rounds {
		at := epoch.Add(time.Duration(round) * time.Second / 2)
		for i, bad := range poisons(t, at) {
			send(i, spans(t, span{service: "cart", name: "get", end: at, took: time.Millisecond}))
			r := send(i, bad.value)
			place := fmt.Sprintf("%d:%d", r.Partition, offsets[i%2]-1)
			dead[place], reasons[place] = r, bad.reason
			good += 1 + bad.good
		}
	}
	b.produce(t, records...)
	b.produce(t, closers(t, topic, 2, epoch.Add(time.Minute))...)

	conn := db.Open(t)
	await(t, patience, "all good spans and all dead letters in ClickHouse", func() string {
		n := count(t, conn, "SELECT toUInt64(sum(samples)) FROM v_windows WHERE entity = 'cart'")
		m := count(t, conn, "SELECT count() FROM dead_letters FINAL")
		if n != good || m != len(dead) {
			return fmt.Sprintf("%d spans of %d, %d dead letters of %d", n, good, m, len(dead))
		}
		return ""
	})
	p.stop()
	checkDeadLetters(t, b.read(t, b.names().DeadLetters()), dead, reasons)
	checkDeadRows(t, conn, dead, reasons)
	for id, v := range decodeWindows(t, b.read(t, b.names().Windows())) {
		if id.Revision != 1 {
			t.Errorf("%+v is a correction: %+v", id, v)
		}
	}
}

// checkDeadLetters compares the topic with the records that were sent.
func checkDeadLetters(t *testing.T, got []*kgo.Record, want map[string]*kgo.Record, reasons map[string]string) {
	t.Helper()
	seen := map[string]bool{}
	for _, r := range got {
		d, err := sinkkafka.ReadDeadLetter(r)
		if err != nil {
			t.Fatal(err)
		}
		place := fmt.Sprintf("%d:%d", d.Record.Partition, d.Record.Offset)
		w := want[place]
		if w == nil || seen[place] {
			t.Errorf("unexpected dead letter of %s, or the second one: %s", place, d.Message)
			continue
		}
		seen[place] = true
		if string(r.Key) != string(w.Key) || string(r.Value) != string(w.Value) {
			t.Errorf("dead letter of %s is not what was sent", place)
		}
		if d.Stage != "aggregate" || d.Reason != reasons[place] || d.Message == "" || d.Record.Topic != w.Topic {
			t.Errorf("dead letter of %s: stage %q, reason %q (want %q), message %q, topic %q", place, d.Stage, d.Reason, reasons[place], d.Message, d.Record.Topic)
		}
		if diff := cmp.Diff(w.Headers, r.Headers[:len(w.Headers)]); diff != "" {
			t.Errorf("headers of the dead letter of %s: %s", place, diff)
		}
		if !d.Record.Timestamp.Equal(w.Timestamp.Truncate(time.Millisecond)) {
			t.Errorf("dead letter of %s has the time %s, want %s", place, d.Record.Timestamp, w.Timestamp)
		}
	}
	if len(seen) != len(want) {
		t.Errorf("%d dead letters, want %d", len(seen), len(want))
	}
}

// checkDeadRows compares the table with the records that were sent.
func checkDeadRows(t *testing.T, conn driver.Conn, want map[string]*kgo.Record, reasons map[string]string) {
	t.Helper()
	type row struct{ Place, Stage, Reason, Key, Value string }
	rows := query(t, conn, `SELECT concat(toString(source_partition), ':', toString(source_offset)), stage, reason, key, value FROM dead_letters FINAL`,
		func(r driver.Rows) (row, error) {
			var v row
			return v, r.Scan(&v.Place, &v.Stage, &v.Reason, &v.Key, &v.Value)
		})
	for _, r := range rows {
		w := want[r.Place]
		if w == nil {
			t.Errorf("unexpected row of %s", r.Place)
			continue
		}
		if diff := cmp.Diff(row{r.Place, "aggregate", reasons[r.Place], string(w.Key), string(w.Value)}, r); diff != "" {
			t.Errorf("row of %s: %s", r.Place, diff)
		}
	}
}
