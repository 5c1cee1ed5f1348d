//go:build synctests

package crash

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// seeds are the plans that a test runs: n of them, unless the environment says
// otherwise.
func seeds(t *testing.T, n int) []uint64 {
	t.Helper()
	number := func(name string) (uint64, bool) {
		text := os.Getenv(name)
		v, err := strconv.ParseUint(text, 10, 64)
		if text != "" && err != nil {
			t.Fatalf("cannot use %s: %v", name, err)
		}
		return v, text != ""
	}
	if seed, ok := number("CRASH_SEED"); ok {
		return []uint64{seed}
	}
	if many, ok := number("CRASH_SEEDS"); ok {
		n = int(many)
	}
	var out []uint64
	for seed := range n {
		out = append(out, uint64(seed)+1)
	}
	return out
}

// tally counts faults over runs.
type tally struct {
	mu    sync.Mutex
	count map[string]int
}

func (l *tally) add(more map[string]int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count == nil {
		l.count = map[string]int{}
	}
	for k, v := range more {
		l.count[k] += v
	}
}

func (l *tally) String() string {
	text := ""
	for _, k := range slices.Sorted(maps.Keys(l.count)) {
		text += fmt.Sprintf("%s: %d\n", k, l.count[k])
	}
	return text
}

// Whatever happens, the results are those of a run in which nothing happened:
// none is missing, none is there twice, and none says anything else.
func TestRandomFaults(t *testing.T) {
	want := want(t)
	var happened tally
	t.Run("seeds", func(t *testing.T) {
		for _, seed := range seeds(t, 16) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				wrong, count := runPlan(t, standard(), randomPlan(seed), want)
				if wrong != "" {
					t.Errorf("CRASH_SEED=%d fails: %s", seed, wrong)
				}
				happened.add(count)
			})
		}
	})
	if testing.Verbose() {
		t.Logf("faults that happened:\n%s", &happened)
	}
}
