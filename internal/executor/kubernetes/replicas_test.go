package kubernetes

import (
	"errors"
	"testing"
	"time"

	"github.com/flyball-io/flyball/internal/config/spec"
)

func TestReplicas(t *testing.T) {
	o := New(spec.ExecutorKubernetes{MinReplicas: 2, MaxReplicas: 10}, nil, time.Now)
	for _, c := range []struct {
		text string
		was  int32
		want int32 // 0 is a refusal
	}{
		{"5", 4, 5}, {"2", 4, 2}, {"10", 4, 10}, {"1", 4, 0}, {"11", 4, 0}, {"4", 4, 4},
		{"+2", 4, 6}, {"-1", 4, 3}, {"+9", 4, 10}, {"-9", 4, 2}, {"+0", 4, 0}, {"+1", 10, 0}, {"-1", 2, 0},
		{"+25%", 4, 5}, {"+25%", 5, 7}, {"+1%", 4, 5}, {"-10%", 4, 0}, {"-50%", 5, 3}, {"-100%", 8, 2}, {"+1000%", 3, 10}, {"+0%", 4, 0},
		// Where there are more or fewer than the executor may set, a change goes on in its direction only.
		{"+1", 20, 0}, {"-1", 20, 10}, {"-1", 1, 0}, {"+1", 0, 2},
		{"25%", 4, 0}, {"", 4, 0}, {"many", 4, 0}, {"+", 4, 0}, {"++1", 4, 0}, {"+1.5", 4, 0}, {"99999999999", 4, 0},
	} {
		got, err := o.replicas(c.text, c.was)
		if got != c.want || (c.want == 0) != errors.Is(err, ErrRefused) {
			t.Errorf("%q of %d: %d, %v, want %d", c.text, c.was, got, err, c.want)
		}
	}
}
