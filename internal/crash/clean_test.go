//go:build synctests

package crash

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyball-io/flyball/internal/crash/proxy"
)

// settle is how long a run goes on after its last result, for doubles to show.
const settle = 20 * time.Second

// clean runs the log without faults, and returns what it came to.
func clean(t *testing.T, s setup, hook func(*process, proxy.Message)) results {
	t.Helper()
	var got results
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, s)
		defer w.close()
		w.onMessage(hook)
		w.start()
		r := w.reader()
		defer r.client.Close()
		w.feed(context.Background(), testLog())
		r.poll(settle)
		got = r.got
		if diff := r.compare(r.got); diff != "" {
			t.Error(diff)
		}
	})
	return got
}

// expected is what every run must come to.
var expected = sync.OnceValue(func() *results { return new(results) })

// want returns what every run must come to, which is what one without faults
// comes to.
func want(t *testing.T) results {
	t.Helper()
	r := expected()
	if *r == nil {
		*r = clean(t, standard(), nil)
	}
	return *r
}

// Without faults, every window has what the log holds, and the incidents make
// findings and commands.
func TestCleanRunIsTrue(t *testing.T) {
	got := want(t)
	const window = 30 * time.Second
	type cell struct {
		count, bad int
		sum        float64
	}
	truth := map[string]cell{}
	for _, s := range testLog() {
		if s.garbage {
			continue
		}
		// The clock of a bubble starts with the year 2000.
		start := time.Date(1999, 12, 31, 22, 0, 0, 0, time.UTC).Add(s.at.Truncate(window))
		key := fmt.Sprintf(`window requests {"route":%q,"service.name":%q} %s 1`, s.route, s.entity, start.Format("2006-01-02 15:04:05Z"))
		c := truth[key]
		c.count++
		c.sum += float64(s.took) * 1e6
		if s.failed {
			c.bad++
		}
		truth[key] = c
	}
	kinds := got.kinds()
	if kinds["window"] != len(truth) {
		t.Errorf("%d windows, want %d", kinds["window"], len(truth))
	}
	for key, c := range truth {
		if want := fmt.Sprintf(" count=%d bad=%d ", c.count, c.bad); !strings.Contains(got[key], want) {
			t.Errorf("%s: %s, want%s", key, got[key], want)
		}
		if want := fmt.Sprintf(" sum=%v ", c.sum); !strings.Contains(got[key], want) {
			t.Errorf("%s: %s, want%s", key, got[key], want)
		}
	}
	if kinds["dead"] != 5 || kinds["finding"] < 6 || kinds["command"] < 4 || kinds["slo"] < 50 {
		t.Errorf("the log came to %v", kinds)
	}
}
