package canary

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
)

// maxReplicas is how many replicas of a cohort are told apart; what others have is
// added to the last.
const maxReplicas = 100

// arm makes what a judge sees of one metric of one cohort. Names are the replicas of
// the cohort so far; new ones are appended.
func arm(kind string, feed int, cohort []counted, names *[]string) detectors.CanaryArm {
	if kind == "latency" {
		return detectors.CanaryArm{Buckets: distribution(feed, cohort)}
	}
	for _, c := range cohort {
		if !slices.Contains(*names, c.key.replica) && len(*names) < maxReplicas {
			*names = append(*names, c.key.replica)
		}
	}
	sums := make([]cell, len(*names))
	values := make([]uint64, len(*names))
	for _, c := range cohort {
		i := slices.Index(*names, c.key.replica)
		if i < 0 {
			i = maxReplicas - 1
		}
		in := c.cells[feed]
		sums[i].count, sums[i].bad, sums[i].sum = sums[i].count+in.count, sums[i].bad+in.bad, sums[i].sum+in.sum
		if in.hist != nil {
			values[i] += in.hist.Count()
		}
	}
	out := detectors.CanaryArm{Values: make([]float64, len(sums))}
	if kind == "count" {
		out.Exposure = make([]float64, len(sums))
	}
	for i, s := range sums {
		switch {
		case kind == "gauge":
			out.Values[i] = s.sum / float64(values[i]) // NaN without any
		case s.count == 0:
			out.Values[i] = math.NaN()
		default:
			out.Values[i], out.Exposure[i] = float64(s.bad), float64(s.count)
		}
	}
	return out
}

// distribution adds up the histograms of a cohort.
func distribution(feed int, cohort []counted) []detectors.CanaryBucket {
	var out []detectors.CanaryBucket
	first := true
	for i := range cohort {
		h := cohort[i].cells[feed].hist
		if h == nil {
			continue
		}
		if first {
			first = false
			sum := h.Clone()
			for _, c := range cohort[i+1:] {
				if o := c.cells[feed].hist; o != nil {
					sum.Merge(o)
				}
			}
			for b := range sum.Buckets() {
				out = append(out, detectors.CanaryBucket{Upper: math.Min(b.Upper, math.MaxFloat64), Count: float64(b.Count)})
			}
		}
	}
	return out
}

// samples is how many samples a list has in all feeds.
func samples(list []counted) (n int64) {
	for _, c := range list {
		for _, x := range c.cells {
			n += x.count
		}
	}
	return n
}

// numbers is a list in which NaN is null in JSON.
type numbers []float64

// MarshalJSON implements json.Marshaler.
func (n numbers) MarshalJSON() ([]byte, error) {
	out := []byte{'['}
	for i, v := range n {
		if i > 0 {
			out = append(out, ',')
		}
		if math.IsNaN(v) {
			out = append(out, "null"...)
		} else {
			out = strconv.AppendFloat(out, v, 'g', -1, 64)
		}
	}
	return append(out, ']'), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *numbers) UnmarshalJSON(text []byte) error {
	var list []*float64
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	*n = make(numbers, len(list))
	for i, v := range list {
		if (*n)[i] = math.NaN(); v != nil {
			(*n)[i] = *v
		}
	}
	return nil
}

// storedArm is an arm in the state topic; buckets are upper edges and counts by
// turns.
type storedArm struct {
	Values   numbers `json:"v,omitempty"`
	Exposure numbers `json:"n,omitempty"`
	Buckets  numbers `json:"b,omitempty"`
}

func store(a detectors.CanaryArm) storedArm {
	out := storedArm{Values: a.Values, Exposure: a.Exposure}
	for _, b := range a.Buckets {
		out.Buckets = append(out.Buckets, b.Upper, b.Count)
	}
	return out
}

func (s storedArm) arm() detectors.CanaryArm {
	out := detectors.CanaryArm{Values: s.Values, Exposure: s.Exposure}
	for i := 0; i+1 < len(s.Buckets); i += 2 {
		out.Buckets = append(out.Buckets, detectors.CanaryBucket{Upper: s.Buckets[i], Count: s.Buckets[i+1]})
	}
	return out
}

// storedLook is one look: canary and baseline of every metric.
type storedLook [][2]storedArm

func storeLook(l []detectors.CanaryLook) storedLook {
	out := make(storedLook, len(l))
	for i := range l {
		out[i] = [2]storedArm{store(l[i].Canary), store(l[i].Baseline)}
	}
	return out
}

func (s storedLook) look() []detectors.CanaryLook {
	out := make([]detectors.CanaryLook, len(s))
	for i := range s {
		out[i] = detectors.CanaryLook{Canary: s[i][0].arm(), Baseline: s[i][1].arm()}
	}
	return out
}

// look is what one edge gives an entity.
type look struct {
	at    flyball.Time // the edge
	known flyball.Time // the watermark before: what was not expired then is known still
	data  []counted
	// complete is false when a source was missing.
	complete bool
}

// cohort returns what one cohort has.
func (l look) cohort(name string) []counted {
	var out []counted
	for _, c := range l.data {
		if c.key.cohort == name {
			out = append(out, c)
		}
	}
	return out
}

// others returns what all cohorts but one have.
func (l look) others(name string) []counted {
	var out []counted
	for _, c := range l.data {
		if c.key.cohort != name {
			out = append(out, c)
		}
	}
	return out
}
