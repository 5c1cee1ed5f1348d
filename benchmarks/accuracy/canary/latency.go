package main

import (
	"math"
	"slices"

	"github.com/flyball-io/flyball/detectors/canary/sequential"
)

const (
	requestsPerMinute = 600
	medianLatency     = 100e6 // ns
	latencySpread     = 0.5   // of the logarithm
)

// bucketBase is the ratio of the edges of successive buckets: those of Flyball's
// own histogram.
var bucketBase = math.Exp2(1.0 / 32)

// histogram draws a minute of log-normal latencies, factor times as long as usual.
func histogram(d *draw, factor float64) []sequential.Bucket {
	keys := make([]int, requestsPerMinute)
	shift := math.Log(medianLatency*factor) / math.Log(bucketBase)
	for i := range keys {
		keys[i] = int(math.Ceil(shift + latencySpread*d.NormFloat64()/math.Log(bucketBase)))
	}
	slices.Sort(keys)
	var buckets []sequential.Bucket
	for i, k := range keys {
		if i == 0 || k != keys[i-1] {
			buckets = append(buckets, sequential.Bucket{Upper: math.Pow(bucketBase, float64(k))})
		}
		buckets[len(buckets)-1].Count++
	}
	return buckets
}

// percentile99 is what a metric source would give Kayenta for the minute.
func percentile99(buckets []sequential.Bucket) float64 {
	above := 0.0
	for i := len(buckets) - 1; i >= 0; i-- {
		if above += buckets[i].Count; above >= requestsPerMinute/100 {
			return buckets[i].Upper
		}
	}
	return buckets[0].Upper
}

func latencyPane(d *draw, canary, baseline float64) (sequential.Pane, float64, float64) {
	c, b := histogram(d, canary), histogram(d, baseline)
	return sequential.Pane{Canary: sequential.Arm{Buckets: c}, Baseline: sequential.Arm{Buckets: b}}, percentile99(b), percentile99(c)
}

const slow = 10

// latencies makes so many of the canary's minutes slow, wherever they fall.
func latencies(slowMinutes int) func(*draw) minute {
	return func(d *draw) minute {
		bad := d.Perm(minutes)[:slowMinutes]
		t := -1
		return func() (sequential.Pane, float64, float64) {
			t++
			if slices.Contains(bad, t) {
				return latencyPane(d, slow, 1)
			}
			return latencyPane(d, 1, 1)
		}
	}
}

// sometimes is slow in so large a share of minutes.
func sometimes(d *draw, share float64) float64 {
	if d.Float64() < share {
		return slow
	}
	return 1
}

// clumps makes minutes of both arms slow, each by itself.
func clumps(share float64) func(*draw) minute {
	return func(d *draw) minute {
		return func() (sequential.Pane, float64, float64) {
			return latencyPane(d, sometimes(d, share), sometimes(d, share))
		}
	}
}

// before gives the baseline some hours before the canary, so that slow minutes it
// always had are known.
func before(share float64) func(*draw, *sequential.Metric) {
	return func(d *draw, m *sequential.Metric) {
		for range 4 * minutes {
			m.Before = append(m.Before, histogram(d, sometimes(d, share)))
		}
	}
}
