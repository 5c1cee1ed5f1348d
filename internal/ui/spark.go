package ui

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/flyball-io/flyball/internal/ui/query"
)

// The size of a small chart, in the units of its drawing.
const (
	sparkWidth   = 160
	sparkHeight  = 32
	sparkBuckets = 40
	// sparkLeast is the bad share from which on a bucket shows it.
	sparkLeast = 0.005
)

// Sparks are the small charts of a service: its traffic, and the share that failed.
type Sparks struct {
	// Traffic and Failed are paths of an SVG drawing; empty without samples.
	Traffic, Failed string
	// Rate is samples per second and Errors the bad share in the last buckets.
	Rate, Errors float64
	// Peak is the highest bad share of a bucket.
	Peak float64
}

func sparkStep(span *Range, every time.Duration) time.Duration {
	step := span.Until.Sub(span.From) / sparkBuckets
	return max((step+every-1)/every*every, every)
}

// recent is how many of the last buckets say how it is now.
const recent = 3

// sparksOf draws buckets of traffic, as high as their windows had samples a second.
func sparksOf(list []query.Sketch, span *Range, step time.Duration) Sparks {
	out := Sparks{Rate: math.NaN(), Errors: math.NaN()}
	first := span.From.Truncate(step)
	n := int(span.Until.Sub(first)/step) + 1
	buckets := make([]query.Sketch, n)
	last, peak := -1, 0.0
	for _, x := range list {
		i := int(x.At.Sub(first) / step)
		if i < 0 || i >= n || x.Seconds <= 0 {
			continue
		}
		buckets[i] = x
		last, peak = max(last, i), math.Max(peak, float64(x.Samples)/x.Seconds)
	}
	if peak == 0 {
		return out
	}
	var sum, failed int64
	seconds := 0.0
	for _, x := range buckets[max(0, last-recent+1) : last+1] {
		sum, failed, seconds = sum+x.Samples, failed+x.Bad, seconds+x.Seconds
	}
	out.Rate, out.Errors = float64(sum)/seconds, float64(failed)/float64(sum)
	var line, area strings.Builder
	pen := "M"
	for i, b := range buckets {
		if b.Samples == 0 {
			pen = "M"
			continue
		}
		x := float64(i) / float64(max(n-1, 1)) * sparkWidth
		y := sparkHeight - 2 - float64(b.Samples)/b.Seconds/peak*(sparkHeight-6)
		if pen == "M" { // a bucket alone is a dash
			fmt.Fprintf(&line, "M%.1f %.1fh1", x-1, y)
		}
		fmt.Fprintf(&line, "L%.1f %.1f", x, y)
		pen = "L"
		share := float64(b.Bad) / float64(b.Samples)
		out.Peak = math.Max(out.Peak, share)
		if share >= sparkLeast {
			fmt.Fprintf(&area, "M%.1f %dV%.1f", x, sparkHeight, sparkHeight-math.Max(1, math.Min(1, share*4)*sparkHeight))
		}
	}
	out.Traffic, out.Failed = line.String(), area.String()
	return out
}
