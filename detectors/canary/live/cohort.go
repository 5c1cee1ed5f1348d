package live

import (
	"cmp"
	"math"
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/detectors/canary"
)

// record is what is kept of one metric for people to see.
type record struct {
	canary, baseline cohort
}

// cohort is what is kept of one cohort.
type cohort struct {
	replicas         int
	events, exposure float64
	values           []float64 // of every look, NaN where there is none
	buckets          []detectors.CanaryBucket
}

func (r *record) observe(kind string, l detectors.CanaryLook) {
	r.canary.observe(kind, l.Canary)
	r.baseline.observe(kind, l.Baseline)
}

// tail is the quantile that stands for latency where a judge takes one value.
const tail = 0.95

func (c *cohort) observe(kind string, a detectors.CanaryArm) {
	c.replicas = max(c.replicas, len(a.Values))
	value := math.NaN()
	switch kind {
	case "count":
		events, exposure := sum(a.Values), sum(a.Exposure)
		c.events, c.exposure = c.events+events, c.exposure+exposure
		value = events / exposure
	case "gauge":
		n := 0.0
		for _, v := range a.Values {
			if !math.IsNaN(v) {
				n++
			}
		}
		value = sum(a.Values) / n
	case "latency":
		value = quantile(a.Buckets, tail)
		for _, b := range a.Buckets {
			c.exposure += b.Count
		}
		c.merge(a.Buckets)
	}
	if math.IsInf(value, 0) {
		value = math.NaN()
	}
	c.values = append(c.values, value)
}

// merge adds buckets to those so far, by their edges.
func (c *cohort) merge(in []detectors.CanaryBucket) {
	for _, b := range in {
		i, ok := slices.BinarySearchFunc(c.buckets, b.Upper, func(a detectors.CanaryBucket, upper float64) int { return cmp.Compare(a.Upper, upper) })
		if !ok {
			c.buckets = slices.Insert(c.buckets, i, detectors.CanaryBucket{Upper: b.Upper})
		}
		c.buckets[i].Count += b.Count
	}
}

// quantile returns the upper edge of the bucket that holds it, NaN without values.
func quantile(buckets []detectors.CanaryBucket, q float64) float64 {
	total := 0.0
	for _, b := range buckets {
		total += b.Count
	}
	below, value := 0.0, math.NaN()
	for _, b := range buckets {
		if below += b.Count; b.Count > 0 {
			value = b.Upper
			if below >= q*total {
				break
			}
		}
	}
	return value
}

// known returns the values there are.
func (c *cohort) known() []float64 {
	return slices.DeleteFunc(slices.Clone(c.values), math.IsNaN)
}

func (c *cohort) seen() bool {
	return slices.ContainsFunc(c.values, func(v float64) bool { return !math.IsNaN(v) })
}

// quantiles is how many steps of quantiles a verdict tells.
const quantiles = 20

func (c *cohort) verdict(kind string) flyball.CohortVerdict {
	values := c.known()
	s := canary.Summarize(values)
	out := flyball.CohortVerdict{
		Replicas: c.replicas, Events: flyball.Number(c.events), Exposure: flyball.Number(c.exposure), Count: s.Count,
		Mean: flyball.Number(s.Mean), Min: flyball.Number(s.Min), Max: flyball.Number(s.Max), Std: flyball.Number(s.Std),
		Last: flyball.Number(math.NaN()),
	}
	if len(c.values) > 0 {
		out.Last = flyball.Number(c.values[len(c.values)-1])
	}
	if len(values) == 0 {
		return out
	}
	slices.Sort(values)
	for i := range quantiles + 1 {
		q := float64(i) / quantiles
		v := values[int(math.Round(q*float64(len(values)-1)))]
		if kind == "latency" {
			v = quantile(c.buckets, q)
		}
		out.Quantiles = append(out.Quantiles, flyball.Number(v))
	}
	return out
}
