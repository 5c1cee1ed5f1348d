package e2e

import (
	"testing"
	"time"
)

// A process that is asked to leave does so in time, in the midst of work, again
// and again: nothing is lost, nothing is done twice, and its successor need not
// wait until anybody is declared dead.
func TestGracefulStop(t *testing.T) {
	t.Parallel()
	load := record(t, incidentLoad())
	one := runOne(t, load)
	s := newShare(t, load)
	f := s.follow(t, s.names().Windows())
	p := s.start()
	for _, part := range []float64{0.1, 0.3, 0.5, 0.7, 0.9} {
		began := time.Now()
		s.send(part)
		sent := time.Duration(part * float64(6*time.Minute))
		s.windowsOf(patience, f, sent.Truncate(5*time.Second)-10*time.Second)
		if took := time.Since(began); took > takeOver {
			t.Errorf("it took %s to go on after a stop, want less than %s", took, takeOver)
		}
		s.send(part + 0.05) // it is at work when it is stopped
		p.terminate()
		p = s.start()
	}
	s.send(1)
	s.done(patience)
	p.terminate()
	same(t, "after graceful stops", one, s.outcome(t, s.names()))
}

// takeOver is how long a successor may take to go on. A member that did not leave
// its groups would cost the session timeout of 15 s.
const takeOver = 10 * time.Second
