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

// sparksOf draws buckets of traffic. The last bucket is not full yet, and left out.
func sparksOf(list []query.Sketch, span *Range, step time.Duration) Sparks {
	out := Sparks{Rate: math.NaN(), Errors: math.NaN()}
	first := span.From.Truncate(step)
	n := int(span.Until.Sub(first) / step)
	total, bad := make([]int64, n+1), make([]int64, n+1)
	var last int
	var peak int64
	for _, x := range list {
		i := int(x.At.Sub(first) / step)
		if i < 0 || i > n {
			continue
		}
		total[i], bad[i] = total[i]+x.Samples, bad[i]+x.Bad
		if i < n {
			last, peak = max(last, i), max(peak, total[i])
		}
	}
	if peak == 0 {
		return out
	}
	var sum, failed int64
	buckets := 0
	for i := max(0, last-recent+1); i <= last; i++ {
		sum, failed, buckets = sum+total[i], failed+bad[i], buckets+1
	}
	out.Rate = float64(sum) / (float64(buckets) * step.Seconds())
	if sum > 0 {
		out.Errors = float64(failed) / float64(sum)
	}
	var line, area strings.Builder
	x := func(i int) float64 { return float64(i) / float64(max(n-1, 1)) * sparkWidth }
	pen := "M"
	for i := range n {
		if total[i] == 0 {
			pen = "M"
			continue
		}
		fmt.Fprintf(&line, "%s%.1f %.1f", pen, x(i), sparkHeight-2-float64(total[i])/float64(peak)*(sparkHeight-6))
		pen = "L"
		share := float64(bad[i]) / float64(total[i])
		out.Peak = math.Max(out.Peak, share)
		if share >= sparkLeast {
			fmt.Fprintf(&area, "M%.1f %dV%.1f", x(i), sparkHeight, sparkHeight-math.Max(1, math.Min(1, share*4)*sparkHeight))
		}
	}
	out.Traffic, out.Failed = line.String(), area.String()
	return out
}
