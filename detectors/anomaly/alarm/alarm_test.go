package alarm

import (
	"math"
	"math/rand/v2"
	"testing"
)

// By chance there are as many alarms as were accepted, or fewer; what is far beyond
// chance is one each time, and none follows within the pause.
func TestAlarms(t *testing.T) {
	const points, threshold, pause = 400_000, 3.0, 20
	j := New(10_000, pause)
	r := rand.New(rand.NewPCG(1, 2))
	alarms, last := 0, -pause
	for i := range points {
		_, alarm := j.Observe(r.ExpFloat64()/math.Ln10, threshold)
		if !alarm {
			continue
		}
		alarms++
		if i-last < pause {
			t.Fatalf("an alarm %d points after another", i-last)
		}
		last = i
	}
	if accepted := points / 1000.0; float64(alarms) > 1.3*accepted || float64(alarms) < 0.4*accepted {
		t.Errorf("%d alarms by chance, %v are accepted", alarms, accepted)
	}
	for range pause {
		j.Observe(0, threshold)
	}
	if rarity, alarm := j.Observe(12, threshold); !alarm || rarity < 6 {
		t.Errorf("12 digits have a rarity of %.1f, alarm: %v", rarity, alarm)
	}
}

// A series that surprises nobody has no rarer surprises than they say they are.
func TestQuietSeries(t *testing.T) {
	j := New(1000, 5)
	for range 900 {
		if _, alarm := j.Observe(0, 4); alarm {
			t.Fatal("an alarm about nothing")
		}
	}
	if rarity, alarm := j.Observe(2, 4); alarm || rarity > 2 {
		t.Errorf("2 digits have a rarity of %.1f, alarm: %v", rarity, alarm)
	}
}

// The first incident of a series is one, however little was seen of news before it: few
// news are no sign that great ones are to be expected.
func TestFirstIncident(t *testing.T) {
	for _, before := range []int{0, 1, 8, 12} {
		j := New(10_000, 5)
		for i := range 240 {
			news := 0.0
			if i > 0 && i <= 10*before && i%10 == 0 {
				news = 0.5
			}
			j.Observe(news, 5)
		}
		if rarity, alarm := j.Observe(10, 5); !alarm {
			t.Errorf("10 digits after %d small news have a rarity of %.1f, and are no alarm", before, rarity)
		}
	}
}
