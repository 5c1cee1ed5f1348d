package input

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/flyball-io/flyball"
)

// item is what stands for one step, or for a run of steps.
type item struct {
	total, totalStep int64
	bad, badStep     int64
	value            bool
	from, to         float64
	fromStep         float64
	times            int64
	gap              bool
	// By how much counts and values waver, at most.
	totalWaver int64
	fromWaver  float64
}

// The parts of an item: total[+step][~waver] [!bad[+step]] [@value[+step|..value][~waver]]
// [xN], or _[xN].
const (
	countPart = `([0-9]+)([+-][0-9]+)?`
	number    = `-?(?:[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|(?:[0-9]+(?:\.[0-9]+)?(?:ns|us|µs|ms|s|m|h))+)`
)

var (
	itemForm = regexp.MustCompile(`^` + countPart + `(?:~([0-9]+))?(?:!` + countPart + `)?` +
		`(?:@(` + number + `)(?:([+-])(` + number + `)|\.\.(` + number + `))?(?:~(` + number + `))?)?(?:x([0-9]+))?$`)
	gapForm = regexp.MustCompile(`^_(?:x([0-9]+))?$`)
)

// Bounds, so that a slip of the finger is an error and not a wait.
const (
	maxRun     = 1_000_000
	maxSamples = 10_000_000 // of a scenario
)

func parseItem(word string) (item, error) {
	if m := gapForm.FindStringSubmatch(word); m != nil {
		times, err := run(m[1])
		return item{times: times, gap: true}, err
	}
	m := itemForm.FindStringSubmatch(word)
	if m == nil {
		return item{}, fmt.Errorf("cannot read item %q: want a count such as 5, 5!1 (one bad), 5@120ms, 5x6 (six steps), 5+1x6 or a gap _x6", word)
	}
	it := item{value: m[6] != ""}
	var err error
	if it.times, err = run(m[11]); err != nil {
		return it, err
	}
	for i, into := range map[int]*int64{1: &it.total, 2: &it.totalStep, 3: &it.totalWaver, 4: &it.bad, 5: &it.badStep} {
		if m[i] == "" {
			continue
		}
		if *into, err = strconv.ParseInt(m[i], 10, 32); err != nil {
			return it, fmt.Errorf("cannot read item %q: %s is too large", word, m[i])
		}
	}
	for i, into := range map[int]*float64{6: &it.from, 8: &it.fromStep, 9: &it.to, 10: &it.fromWaver} {
		if m[i] == "" {
			continue
		}
		if *into, err = flyball.ParseQuantity(m[i]); err != nil {
			return it, fmt.Errorf("cannot read item %q: %w", word, err)
		}
	}
	if m[7] == "-" {
		it.fromStep = -it.fromStep
	}
	if m[9] == "" {
		it.to = it.from
	}
	return it, nil
}

// waver returns a number in [-1, 1) that a line and a time have always, and that looks
// as if drawn at random (the finalizer of SplitMix64: Steele, Lea and Flood, 2014).
func waver(line int, at time.Duration) float64 {
	z := uint64(at/time.Millisecond) + uint64(line)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return float64(z>>11)/(1<<52) - 1
}

func run(s string) (int64, error) {
	if s == "" {
		return 1, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 || n > maxRun {
		return 0, fmt.Errorf("a run has 1 to %d steps, got x%s", maxRun, s)
	}
	return n, nil
}
