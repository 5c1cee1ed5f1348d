package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
)

// While ClickHouse cannot be reached, commands are sent; once it can, every result
// is there, once.
func TestClickHouseMayBeAway(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	db := embeddedtest.ClickHouse(t)
	load := record(t, incidentLoad())
	topic := b.topic(t, "spans", int32(load.partitions))
	away := b.settings("http://127.0.0.1:1/flyball?dial_timeout=200ms")
	away.more = statusEvery
	p := run(t, away.write(t, spanSource(topic)+shopJudge))
	b.produce(t, load.to(topic, 0, len(load.records))...)
	b.produce(t, byteRecord{0, []byte("no span")}.record(topic))
	b.produce(t, closers(t, topic, load.partitions, epoch.Add(time.Hour))...)
	f := b.follow(t, b.names().Commands(), b.names().Findings())
	f.until(patience, "commands without ClickHouse", func() string {
		c, n := len(f.records[b.names().Commands()]), len(f.records[b.names().Findings()])
		if c != 2 || n != 6 {
			return fmt.Sprintf("%d commands, %d states of findings", c, n)
		}
		return ""
	})
	p.stop()

	got := b.outcome(t, b.names())
	back := b.settings(db.DSN())
	back.more = statusEvery
	run(t, back.write(t, spanSource(topic)+shopJudge), "record")
	conn := db.Open(t)
	for _, want := range []struct {
		table string
		rows  int
	}{
		{"windows", len(got.Windows)}, {"slo_status", len(got.SLO)}, {"findings", len(got.Findings)},
		{"decisions", len(got.Decisions)}, {"commands", len(got.Commands)}, {"dead_letters", 1},
	} {
		await(t, patience, "all rows of "+want.table, func() string {
			n := count(t, conn, "SELECT count() FROM "+want.table+" FINAL")
			if n != want.rows {
				return fmt.Sprintf("%d of %d", n, want.rows)
			}
			return ""
		})
		if n := count(t, conn, "SELECT count() FROM "+want.table); n != want.rows {
			t.Errorf("%s has %d rows before they are merged, want %d", want.table, n, want.rows)
		}
	}
}
