package aggregate

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// markScript drives the marks of a machine whose panes are 10 s wide, by flushes.
// Event time and wall clock are in seconds.
type markScript struct {
	t   *testing.T
	m   *Machine
	now int
}

func newMarkScript(t *testing.T, panes ...time.Duration) *markScript {
	cfg := latencyConfig()
	spec := cfg.Indicators[0]
	cfg.Indicators = nil
	for _, p := range panes {
		spec.Pane = p
		cfg.Indicators = append(cfg.Indicators, spec)
	}
	cfg.Partitions = 2
	return &markScript{t: t, m: newMachine(t, cfg, &table{rows: [][]string{{"a", "", ""}}}), now: 1000}
}

// sample reads one sample of a partition at event time at.
func (s *markScript) sample(partition int32, at float64) *markScript {
	in := samplesOf(partition, 1, sample{flyball.Time(at * 1e9), 0, []float64{1}})
	s.m.Step(Input{Samples: []Samples{in}})
	return s
}

type mark struct {
	Partition int32
	At        float64 // -1 for no time
	Idle      bool
}

// flush ends a transaction after that many seconds of wall clock.
func (s *markScript) flush(after int, owned []SourcePartition, commit bool, want ...mark) *markScript {
	s.t.Helper()
	s.now += after
	ready := s.m.Step(Input{Flush: &Flush{Now: flyball.Time(s.now) * second, Partitions: owned}})
	if commit {
		s.m.Commit()
	} else {
		s.m.Abort()
	}
	var got []mark
	for _, m := range marksOf(ready) {
		at := -1.0
		if m.Watermark != flyball.NoTime {
			at = float64(m.Watermark) / 1e9
		}
		if m.Source != "spans" || m.Topic != "otlp" || m.Of != 2 {
			s.t.Errorf("mark %+v", m)
		}
		got = append(got, mark{m.Partition, at, m.Idle})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("at %d: %s", s.now, diff)
	}
	return s
}

// marksOf returns the marks of a Ready, which every partition must be sent.
func marksOf(r processors.Ready) []processors.Mark {
	seen := map[int32][]processors.Mark{}
	for _, b := range r.Panes {
		if len(b.Marks) > 0 {
			seen[b.Partition] = b.Marks
		}
	}
	if len(seen) != 0 && len(seen) != 2 || !cmp.Equal(seen[0], seen[1]) {
		panic("the partitions are sent different marks")
	}
	return seen[0]
}

const (
	commit = true
	abort  = false
)

func parts(behind bool, ids ...int32) (out []SourcePartition) {
	for _, p := range ids {
		out = append(out, SourcePartition{Topic: "otlp", Partition: p, Of: 2, CaughtUp: !behind})
	}
	return out
}

func TestMarksCrossPaneEdges(t *testing.T) {
	s := newMarkScript(t, 10*time.Second)
	zero := parts(false, 0)
	s.flush(0, zero, commit, mark{0, -1, false}) // known to exist
	s.flush(1, zero, commit)
	s.sample(0, 12).flush(1, zero, commit, mark{0, 7, false}) // 5 s out of order
	s.sample(0, 14).flush(1, zero, commit)                    // no edge crossed
	s.sample(0, 14.9).flush(1, zero, commit)
	s.sample(0, 15).flush(1, zero, commit, mark{0, 10, false})
	s.sample(0, 3).flush(1, zero, commit) // out of order moves nothing back
	s.sample(0, 99).flush(1, zero, commit, mark{0, 94, false})
}

func TestMarksOfSeveralWidthsCrossTheEdgesOfEach(t *testing.T) {
	s := newMarkScript(t, 15*time.Second, 10*time.Second, 15*time.Second)
	zero := parts(false, 0)
	s.sample(0, 16).flush(0, zero, commit, mark{0, 11, false})
	s.sample(0, 19).flush(0, zero, commit)
	s.sample(0, 20).flush(0, zero, commit, mark{0, 15, false}) // an edge of 15 s
	s.sample(0, 24).flush(0, zero, commit)
	s.sample(0, 26).flush(0, zero, commit, mark{0, 21, false}) // of 10 s
}

func TestMarksBeforeTheEpoch(t *testing.T) {
	s := newMarkScript(t, 10*time.Second)
	zero := parts(false, 0)
	s.sample(0, -8).flush(0, zero, commit, mark{0, -13, false})
	s.sample(0, -6).flush(0, zero, commit)
	s.sample(0, -5).flush(0, zero, commit, mark{0, -10, false})
}

func TestIdleIsCaughtUpForTheTimeout(t *testing.T) {
	s := newMarkScript(t, 10*time.Second)
	zero, behind := parts(false, 0), parts(true, 0)
	s.sample(0, 20).flush(0, zero, commit, mark{0, 15, false})
	s.flush(9, zero, commit)
	s.flush(1, zero, commit, mark{0, 15, true})
	s.flush(9, zero, commit)
	s.flush(1, zero, commit, mark{0, 15, true}) // said again every pane
	s.flush(3, behind, commit, mark{0, 15, false})
	s.flush(30, behind, commit) // lag is not idleness
	s.flush(9, zero, commit)
	s.flush(1, zero, commit, mark{0, 15, true})
	s.sample(0, 21).flush(1, zero, commit, mark{0, 16, false}) // a sample wakes it
	s.sample(0, 22).flush(5, zero, commit)
	s.flush(9, zero, commit)
	s.flush(1, zero, commit, mark{0, 17, true})
}

func TestIdleWithoutAnySample(t *testing.T) {
	s := newMarkScript(t, 10*time.Second)
	zero := parts(false, 0)
	s.flush(0, zero, commit, mark{0, -1, false})
	s.flush(10, zero, commit, mark{0, -1, true})
}

func TestEmptyRunIsNoSilence(t *testing.T) {
	s := newMarkScript(t, 10*time.Second)
	zero := parts(false, 0)
	s.flush(0, zero, commit, mark{0, -1, false})
	for range 4 { // records come, but none of their samples could be read
		s.m.Step(Input{Samples: []Samples{samplesOf(0, 1)}})
		s.flush(5, zero, commit)
	}
}

func TestAbortTakesMarksBack(t *testing.T) {
	s := newMarkScript(t, 10*time.Second)
	zero := parts(false, 0)
	s.sample(0, 20).flush(0, zero, commit, mark{0, 15, false})
	s.sample(0, 50).flush(1, zero, abort, mark{0, 45, false})
	s.flush(1, zero, commit) // the sample of 50 s is not read again yet: no mark may speak of it
	s.sample(0, 30).flush(1, zero, commit, mark{0, 25, false})
	s.sample(0, 50).flush(1, zero, commit, mark{0, 45, false})
	// The very first mark, taken back, is sent again.
	s.flush(1, parts(false, 0, 1), abort, mark{1, -1, false})
	s.flush(1, parts(false, 0, 1), commit, mark{1, -1, false})
	// As is one that said idle.
	s.flush(10, parts(false, 0, 1), abort, mark{0, 45, true}, mark{1, -1, true})
	s.flush(1, parts(false, 0, 1), commit, mark{0, 45, true}, mark{1, -1, true})
}

func TestRevokedPartitionsStartAnew(t *testing.T) {
	s := newMarkScript(t, 10*time.Second)
	s.sample(0, 20).sample(1, 90).flush(0, parts(false, 0, 1), commit, mark{0, 15, false}, mark{1, 85, false})
	s.flush(1, parts(false, 0), commit)
	// Back again: its next owner may have read on, so that nothing is known.
	s.flush(1, parts(false, 0, 1), commit, mark{1, -1, false})
	s.sample(1, 120).flush(1, parts(false, 0, 1), commit, mark{1, 115, false})
}

// TestPartitionThatIsTooNewToBeListed: samples of a partition that the last look
// at the topic did not show yet are not forgotten.
func TestPartitionThatIsTooNewToBeListed(t *testing.T) {
	s := newMarkScript(t, 10*time.Second)
	s.sample(1, 90).flush(0, parts(false, 0), commit, mark{0, -1, false})
	s.flush(1, parts(false, 0, 1), commit, mark{1, 85, false})
}

// A partition with something left to read that gives nothing for the stall timeout
// is stalled; one that is read to its end, or gives anything, is not.
func TestStalledMarks(t *testing.T) {
	const second = flyball.Time(1e9)
	m := newMarker(flyball.Source{Name: "s", IdleTimeout: 10e9, StallTimeout: 60e9}, []time.Duration{10e9})
	f := func(now flyball.Time, fed, caughtUp bool, want string) {
		t.Helper()
		if fed {
			m.observe("t", 0, now)
		}
		got := ""
		for _, mark := range m.flush(&Flush{Now: now, Partitions: []SourcePartition{{Topic: "t", Of: 1, CaughtUp: caughtUp}}}) {
			got = "busy"
			if mark.Stalled {
				got = "stalled"
			}
			if mark.Idle {
				got += "idle"
			}
		}
		m.commit()
		if got != want {
			t.Errorf("at %d s: %q, want %q", now/second, got, want)
		}
	}
	f(0, true, false, "busy")
	f(59*second, false, false, "")
	f(60*second, false, false, "stalled")
	f(65*second, false, false, "")
	f(70*second, false, false, "stalled") // again, once every pane
	f(71*second, true, false, "busy")
	f(130*second, false, false, "")
	f(131*second, false, false, "stalled")
	f(132*second, false, true, "busy")
	f(200*second, false, true, "busyidle")
}
