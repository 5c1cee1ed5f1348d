//go:build !synctests

package crash

import "testing"

// Kafka's client must be built for virtual time: with the plain locks of its
// normal build, a goroutine that waits for a lock would stop the clock.
func TestNeedsTag(t *testing.T) {
	t.Skip("the crash tests run with -tags synctests, as make test does")
}
