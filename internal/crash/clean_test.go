//go:build synctests

package crash

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// settle is how long a run goes on after its last result, for doubles to show.
const settle = 20 * time.Second

// clean runs the log without faults, and returns what it came to.
func clean(t *testing.T, s setup) results {
	t.Helper()
	var got results
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, s)
		defer w.close()
		w.start()
		r := w.reader()
		defer r.client.Close()
		w.feed(context.Background())
		r.poll(settle)
		got = r.got
		if diff := r.compare(r.got); diff != "" {
			t.Error(diff)
		}
	})
	return got
}

// expected is what every run must come to.
var expected struct {
	once sync.Once
	results
}

// want returns what every run must come to, which is what one without faults
// comes to.
func want(t *testing.T) results {
	t.Helper()
	expected.once.Do(func() { expected.results = clean(t, standard()) })
	return expected.results
}

// cell is what is true of a window.
type cell struct {
	count, bad int
	sum        float64
}

// windows are cells by the identity of a window without its revision.
type windows map[string]cell

// truth counts a log.
func truth(log []sample) windows {
	const width = 30 * time.Second
	out := windows{}
	for _, s := range log {
		if s.garbage {
			continue
		}
		// The clock of a bubble starts with the year 2000.
		start := time.Date(1999, 12, 31, 22, 0, 0, 0, time.UTC).Add(s.at.Truncate(width))
		key := fmt.Sprintf(`window requests {"route":%q,"service.name":%q} %s`, s.route, s.entity, start.Format("2006-01-02 15:04:05Z"))
		c := out[key]
		c.count++
		c.sum += float64(s.took) * 1e6
		if s.failed {
			c.bad++
		}
		out[key] = c
	}
	return out
}

// differs compares the last revisions of windows, and returns what is wrong with
// some of them, "" for nothing. Revisions must count up from 1.
func (w windows) differs(got results) string {
	last := map[string]int{}
	count := map[string]int{}
	for id := range got {
		if strings.HasPrefix(id, "window ") {
			at := strings.LastIndexByte(id, ' ')
			revision, _ := strconv.Atoi(id[at+1:])
			last[id[:at]] = max(last[id[:at]], revision)
			count[id[:at]]++
		}
	}
	if len(last) != len(w) {
		return fmt.Sprintf("%d windows, want %d", len(last), len(w))
	}
	for key, c := range w {
		if count[key] != last[key] {
			return fmt.Sprintf("%s: %d revisions up to %d", key, count[key], last[key])
		}
		value := got[fmt.Sprintf("%s %d", key, last[key])]
		for _, want := range []string{fmt.Sprintf(" count=%d bad=%d ", c.count, c.bad), fmt.Sprintf(" sum=%v ", c.sum)} {
			if !strings.Contains(value, want) {
				return fmt.Sprintf("%s: got %.200s, want%s", key, value, want)
			}
		}
	}
	return ""
}

// Without faults, every window has what the log holds, and the incidents make
// findings and commands.
func TestCleanRunIsTrue(t *testing.T) {
	got := want(t)
	if wrong := truth(testLog(false)).differs(got); wrong != "" {
		t.Error(wrong)
	}
	for id := range got {
		if strings.HasPrefix(id, "window ") && !strings.HasSuffix(id, " 1") {
			t.Errorf("a log without late samples made a correction: %s", id)
		}
	}
	kinds := got.kinds()
	if kinds["dead"] != 5 || kinds["finding"] < 6 || kinds["command"] < 4 || kinds["slo"] < 50 {
		t.Errorf("the log came to %v", kinds)
	}
}
