package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// Rows that ClickHouse will never take go to the dead-letter topic with its reason,
// and those after them are written.
func TestRefusedRowsAreSetAside(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	db := embeddedtest.ClickHouse(t)
	topic := b.topic(t, "spans", 1)
	p := run(t, b.settings(db.DSN()).write(t, spanSource(topic)+getIndicator))
	conn := db.Open(t)
	minute := 0
	// send makes a window of a service, and waits for a row of it.
	send := func(service string) {
		at := epoch.Add(time.Duration(minute) * time.Minute)
		b.produce(t, &kgo.Record{Topic: topic, Value: spans(t, span{service: service, name: "get", end: at, took: time.Millisecond})})
		minute++
		b.produce(t, closers(t, topic, 1, epoch.Add(time.Duration(minute)*time.Minute))...)
	}
	rows := func(want int) {
		t.Helper()
		await(t, patience, "rows of cart", func() string {
			if n := count(t, conn, "SELECT count() FROM v_windows WHERE entity = 'cart'"); n != want {
				return fmt.Sprintf("%d of %d", n, want)
			}
			return ""
		})
	}
	send("cart")
	rows(1)
	if err := conn.Exec(t.Context(), "ALTER TABLE windows ADD CONSTRAINT taste CHECK entity != 'toast'"); err != nil {
		t.Fatal(err)
	}
	send("toast")
	f := b.follow(t, b.names().DeadLetters())
	f.until(patience, "a dead letter", func() string {
		for _, r := range f.records[b.names().DeadLetters()] {
			d, err := sinkkafka.ReadDeadLetter(r)
			if err != nil {
				t.Fatal(err)
			}
			if d.Stage != "record" || d.Reason != "insert_refused" || !strings.Contains(d.Message, "taste") || d.Record.Topic != b.names().Windows() {
				t.Errorf("dead letter of %s: stage %q, reason %q, message %q", d.Record.Topic, d.Stage, d.Reason, d.Message)
			}
			for id := range decodeWindows(t, []*kgo.Record{r}) {
				if strings.Contains(id.Labels, "toast") {
					return ""
				}
			}
		}
		return "not the one of toast"
	})
	send("cart")
	rows(2)
	await(t, patience, "the dead letter in its table", func() string {
		if n := count(t, conn, "SELECT count() FROM dead_letters FINAL WHERE stage = 'record'"); n < 1 {
			return "no row"
		}
		return ""
	})
	p.stop()
}
