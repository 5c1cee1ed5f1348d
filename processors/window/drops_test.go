package window

import (
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// TestDroppedCellsLeaveNoTrace: of a store that drops its windows, a successor knows only
// what is not settled, so that what is must not count towards the limit of series.
func TestDroppedCellsLeaveNoTrace(t *testing.T) {
	spec := flyball.Indicator{Name: "i", Entity: "service.name", GroupBy: []string{"service.name"},
		Pane: 10 * time.Second, Window: 10 * time.Minute, Lateness: 15 * time.Second, SeriesLimit: 1}
	at := func(seconds int) flyball.Time { return flyball.Time(0).Add(time.Duration(seconds) * time.Second) }
	labels := func(service string) string { return flyball.LabelsOf("service.name", service).JSON() }
	dropping := func() *Store {
		s := NewStore(spec, 0)
		s.RebuildAtMost(time.Minute)
		s.DropWindows()
		return s
	}
	add := func(s *Store, service string, seconds int) string {
		t.Helper()
		sr, err := s.Add(processors.PaneRow{Indicator: "i", Entity: service, Labels: labels(service), Start: at(seconds), Count: 1}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return sr.Labels
	}
	was, successor := dropping(), dropping()
	add(was, "a", 0)
	was.Settle(at(47)) // what ends at 25 s or before
	was.Commit(at(47))
	successor.Settle(at(49)) // in the same pane
	for _, s := range []*Store{was, successor} {
		if got := add(s, "b", 30); got != labels("b") {
			t.Errorf("b, in another cell than a, went to %s", got)
		}
		if got := add(s, "c", 30); got == labels("c") {
			t.Errorf("c is one series too many")
		}
		if got := add(s, "c", 0); got != labels("c") {
			t.Errorf("c, in a cell that is settled, went to %s", got)
		}
	}
}
