package main

import "testing"

// TestEveryWorkCanBeMeasured also sees that more work costs more memory: measure itself
// checks that every window closes.
func TestEveryWorkCanBeMeasured(t *testing.T) {
	var bytes []float64
	for _, w := range works {
		f, err := measure(w, 50, 12, 3)
		if err != nil {
			t.Fatalf("%s: %v", w.name, err)
		}
		if f.Series != 50 || f.BytesPerSeries <= 0 {
			t.Errorf("got %+v", f)
		}
		bytes = append(bytes, f.BytesPerSeries)
	}
	if last := bytes[len(bytes)-1]; last < 2*bytes[0] {
		t.Errorf("detectors take no memory: %v", bytes)
	}
}
