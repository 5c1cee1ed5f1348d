package scenes

import (
	"testing"

	"github.com/flyball-io/flyball/detectors/anomaly"
)

// Every algorithm finds the anomaly that it is for, in time, and says what a person can
// check; it has said nothing of the kind in the day before.
func TestScenes(t *testing.T) {
	seen := map[anomaly.Kind]bool{}
	for _, s := range All() {
		seen[s.Kind] = true
		list, err := s.Readings()
		if err != nil {
			t.Fatal(err)
		}
		for i := s.Begins - day; i < s.Begins; i++ {
			if list[i].Alarm {
				t.Errorf("%s: an alarm %d points before there is an anomaly: %s", s.Kind, s.Begins-i, list[i].Explain())
			}
		}
		at := s.Found(list)
		if at < 0 {
			most := 0.0
			for i := s.Begins; i < min(s.Begins+s.Within+1, len(list)); i++ {
				most = max(most, list[i].Digits)
			}
			t.Errorf("%s: not found within %d points, %.1f digits", s.Kind, s.Within, most)
			continue
		}
		if got := list[at].Explain(); got != s.Says {
			t.Errorf("%s, after %d points:\n got %s\nwant %s", s.Kind, at-s.Begins, got, s.Says)
		}
	}
	for _, k := range anomaly.Kinds() {
		if !seen[k] {
			t.Errorf("there is no scene for %s", k)
		}
	}
}
