package ui

import (
	"context"
	"net/http"
	"slices"
	"sort"
	"time"
)

// Range is a stretch of time that a page shows.
type Range struct {
	// Name as in the address, and those that can be chosen.
	Name  string
	Names []string
	// From and Until; Until is now, or where the recorded telemetry ends when that is long
	// ago.
	From, Until time.Time
	// Old is set when nothing new has been recorded for longer than the range.
	Old bool
}

// ranges are those that people choose from.
var ranges = []struct {
	name   string
	length time.Duration
}{{"15m", 15 * time.Minute}, {"1h", time.Hour}, {"6h", 6 * time.Hour}, {"24h", 24 * time.Hour}, {"7d", 7 * 24 * time.Hour}, {"30d", 30 * 24 * time.Hour}}

// rangeOf reads the range that a request asks for.
func (s *Server) rangeOf(ctx context.Context, r *http.Request, usual string) (Range, error) {
	out := Range{Name: usual}
	length := time.Hour
	for _, x := range ranges {
		out.Names = append(out.Names, x.name)
	}
	if asked := r.URL.Query().Get("range"); slices.Contains(out.Names, asked) {
		out.Name = asked
	}
	for _, x := range ranges {
		if x.name == out.Name {
			length = x.length
		}
	}
	newest, err := s.data.Latest(ctx)
	if err != nil {
		return out, err
	}
	out.Until = time.Now().UTC().Truncate(time.Second)
	if !newest.IsZero() && newest.Before(out.Until.Add(-length)) {
		out.Until, out.Old = newest.UTC(), true
	}
	out.From = out.Until.Add(-length)
	return out, nil
}

// maxBuckets is about how many values a line has: more than pixels tell nothing.
const maxBuckets = 400

// niceSteps are widths of buckets that people can read.
var niceSteps = []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute,
	2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour}

// step is the width of a bucket: a multiple of every, as few as fit a screen.
func (r *Range) step(every time.Duration) time.Duration {
	every = max(every, time.Second)
	least := max(every, r.Until.Sub(r.From)/maxBuckets)
	i := sort.Search(len(niceSteps), func(i int) bool { return niceSteps[i] >= least && niceSteps[i]%every == 0 })
	if i < len(niceSteps) {
		return niceSteps[i]
	}
	return (least + every - 1) / every * every
}

func sortText(list []string) { slices.Sort(list) }
