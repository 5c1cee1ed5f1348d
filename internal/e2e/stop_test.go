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
		s.send(part)
		sent := time.Duration(part * float64(6*time.Minute))
		s.windowsOf(patience, f, sent.Truncate(5*time.Second)-10*time.Second)
		s.send(part + 0.05) // it is at work when it is stopped
		p.terminate()
		s.nobodyLeft()
		p = s.start()
	}
	s.send(1)
	s.done(patience)
	p.terminate()
	same(t, "after graceful stops", one, s.outcome(t, s.names()))
}

// nobodyLeft fails when a group still counts on a member: its successor would have
// to wait until that is declared dead.
func (s *share) nobodyLeft() {
	s.t.Helper()
	groups, err := s.admin.DescribeGroups(s.t.Context(), s.prefix+"g-aggregate-spans", s.prefix+"g-evaluate", s.prefix+"g-decide")
	if err != nil {
		s.t.Fatal(err)
	}
	for name, g := range groups {
		if g.Err != nil || len(g.Members) > 0 {
			s.t.Errorf("group %s has %d members after its process has left: %v", name, len(g.Members), g.Err)
		}
	}
}
