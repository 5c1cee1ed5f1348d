package aggregate

import (
	"strings"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
)

// TestComplaints: what is wrong with records is marked at once, and until nothing was for
// a minute; what is taken back is marked again.
func TestComplaints(t *testing.T) {
	s := newMarkScript(t, 10*time.Second)
	f := func(after int, complaint string, commit bool, want ...string) {
		t.Helper()
		s.now += after
		p := SourcePartition{Topic: "otlp", Of: 2, Complaint: complaint}
		var got []string
		for _, m := range marksOf(s.m.Step(Input{Flush: &Flush{Now: flyball.Time(s.now) * second, Partitions: []SourcePartition{p}}})) {
			got = append(got, m.Complaint)
		}
		if commit {
			s.m.Commit()
		} else {
			s.m.Abort()
		}
		if strings.Join(got, ";") != strings.Join(want, ";") || len(got) != len(want) {
			t.Errorf("at %d marks complain of %q, want %q", s.now, got, want)
		}
	}
	s.sample(0, 1000)
	f(0, "", true, "")
	f(1, "schema 7", false, "schema 7")
	f(1, "schema 7", true, "schema 7")
	f(1, "schema 8", true) // the first of several says what
	f(59, "", true)
	f(1, "", true, "")
	f(1, strings.Repeat("x", 600), true, strings.Repeat("x", maxComplaint))
}
