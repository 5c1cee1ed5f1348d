//go:build synctests

package crash

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
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

// fewer is n, or less under the race detector.
func fewer(n int) int {
	if underRace {
		return max(n/4, 1)
	}
	return n
}

// Whatever happens, the results are those of a run in which nothing happened:
// none is missing, none is there twice, and none says anything else.
func TestRandomFaults(t *testing.T) {
	want := want(t)
	var happened tally
	t.Run("seeds", func(t *testing.T) {
		for _, seed := range seeds(t, fewer(16)) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				happened.add(check(t, standard(), randomPlan(seed), want))
			})
		}
	})
	if testing.Verbose() {
		t.Logf("faults that happened:\n%s", &happened)
	}
}

// A process is killed before and after every request of every role: that is every
// point of their loops that anybody else can tell apart.
func TestKillAtEveryStep(t *testing.T) {
	want := want(t)
	const runs = 12
	all := steps()
	rng := rand.New(rand.NewPCG(3, 0))
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	// Some steps come at the very start only, and decisions are few: these steps
	// come first, one or two in a run.
	class := func(s step) int {
		switch {
		case s.key == kmsg.CreateTopics, s.key == kmsg.ListOffsets && (s.client == "flyball-evaluate" || s.client == "flyball-decide"):
			return 0
		case s.client == "flyball-decide" && slices.Contains([]kmsg.Key{kmsg.InitProducerID, kmsg.Produce, kmsg.TxnOffsetCommit, kmsg.EndTxn}, s.key):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(all, func(a, b step) int { return class(a) - class(b) })
	var happened tally
	missing := all[:len(all)*fewer(runs)/runs] // under the race detector a part of them
	// Which steps a process comes to depends on the order in which goroutines run: a
	// step that was missed is tried again.
	for round := 0; len(missing) > 0; round++ {
		if round == 5 {
			for _, s := range missing {
				t.Errorf("no process was killed %s", s)
			}
			return
		}
		plans := make([]plan, min(fewer(runs), len(missing)))
		for i, s := range missing {
			p := &plans[i%len(plans)]
			p.faults = append(p.faults, fault{
				kind: faultKill, at: s, early: class(s) == 0, provoke: class(s) == 2,
				gap: time.Duration(rng.IntN(2000)) * time.Millisecond,
			})
		}
		t.Run(fmt.Sprint("round ", round), func(t *testing.T) {
			for i, p := range plans {
				p.seed, p.split = uint64(100*round+i), i%2 == 1
				t.Run(fmt.Sprint(i), func(t *testing.T) {
					t.Parallel()
					happened.add(check(t, standard(), p, want))
				})
			}
		})
		missing = slices.DeleteFunc(missing, func(s step) bool { return happened.count[s.String()] > 0 })
	}
}

// The same log, spread over other numbers of partitions, in records and
// transactions of other sizes and through other numbers of members, comes to the
// same, also when processes die.
func TestSameLogSameResults(t *testing.T) {
	want := want(t)
	for i, s := range []setup{
		{sourcePartitions: 1, perRecord: 1, commitInterval: 200 * time.Millisecond, panes: 1, workers: 1},
		{sourcePartitions: 3, perRecord: 40, commitInterval: 2 * time.Second, panes: 8, workers: 2},
		{sourcePartitions: 16, perRecord: 2, commitInterval: 300 * time.Millisecond, panes: 3, workers: 3},
		{sourcePartitions: 16, perRecord: 10, commitInterval: time.Second, panes: 2, workers: 1},
	} {
		t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
			t.Parallel()
			if underRace && i%2 == 1 {
				t.Skip("under the race detector there are fewer runs")
			}
			check(t, s, plan{seed: uint64(i)}, want)
			check(t, s, randomPlan(1000+uint64(i)), want)
		})
	}
}

// Samples that come late make corrections. How many depends on what came with
// what, but in the end every window has what the log holds, and its revisions
// count up without a gap.
func TestLateSamplesUnderFaults(t *testing.T) {
	s := standard()
	s.late = true
	truth := truth(testLog(true))
	for _, seed := range seeds(t, fewer(4)) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			p := randomPlan(2000 + seed)
			r, _ := unstuck(t, s, p, func(r *reader) bool { return truth.differs(r.got) == "" })
			wrong := truth.differs(r.got)
			if len(r.doubles)+len(r.wrong) > 0 {
				wrong += fmt.Sprint(r.doubles, r.wrong)
			}
			if wrong != "" {
				t.Errorf("%s\n%s\nthe last of the log:\n%s", p, wrong, r.w.log)
			}
			corrections := 0
			for id := range r.got {
				if strings.HasPrefix(id, "window ") && !strings.HasSuffix(id, " 1") {
					corrections++
				}
			}
			if corrections < 10 {
				t.Errorf("%d corrections: the log tests nothing", corrections)
			}
		})
	}
}
