package survey

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Survey is what a sample of a topic holds.
type Survey struct {
	// Format and Encoding are as a Source names them.
	Format, Encoding string
	// Records that were looked at, and of them those in this format.
	Records, Recognised int
	// Others counts the records in other formats, "" those in none.
	Others map[string]int
	// Groups are what has nothing in common with each other: a metric each, or all
	// samples of a format that does not tell metrics apart. The largest is the first.
	Groups []*Group
	// Times are where JSON documents may have their event time, the likeliest first.
	Times []string
}

// Group is samples that can be measured together.
type Group struct {
	// Name of the metric, "" where samples are not told apart.
	Name string
	// Type of a metric: gauge, sum, histogram and so on; Unit of it.
	Type, Unit string
	// Samples seen.
	Samples int
	// Labels and Numbers by name.
	Labels  map[string]*Label
	Numbers map[string]*Number
	samples []Sample
}

// Label is what is known of a label.
type Label struct {
	// Count of samples that have it.
	Count int
	// Values counts distinct ones, up to a limit.
	Values map[string]int
	// More is set when there are more values than are kept.
	More bool
}

// Number is what is known of a numeric field.
type Number struct {
	// All values seen, up to a limit.
	All []float64
	// Count of samples that have it.
	Count int
}

// Limits of what is kept: a survey is of a sample, but one record may hold very much.
const (
	maxValues  = 1000
	maxNumbers = 100_000
	maxFields  = 2000
	maxGroups  = 2000
	maxSamples = 20_000
)

// Sample is one sample of a record.
type Sample struct {
	// Metric, Type and Unit are of formats that have metrics.
	Metric, Type, Unit string
	// Labels and Numbers that it has.
	Labels  map[string]string
	Numbers map[string]float64
}

// Of looks at records. Its Format is "" when no format has at least half of them.
func Of(records []*kgo.Record) *Survey {
	s := &Survey{Records: len(records), Others: map[string]int{}}
	count := map[Format]int{}
	for _, r := range records {
		count[Recognise(r)]++
	}
	best := Format{}
	for f, n := range count {
		if f != (Format{}) && (n > count[best] || best == (Format{}) || n == count[best] && f.less(best)) {
			best = f
		}
	}
	for f, n := range count {
		if f != best || f == (Format{}) {
			s.Others[f.String()] += n
		}
	}
	s.Recognised = count[best]
	if best == (Format{}) || 2*s.Recognised < s.Records {
		return s
	}
	s.Format, s.Encoding = best.Name, best.Encoding
	groups := map[string]*Group{}
	for _, r := range records {
		if Recognise(r) == best {
			read(best, r, func(x Sample) { add(groups, x) })
		}
	}
	s.Groups = slices.SortedFunc(maps.Values(groups), func(a, b *Group) int {
		return cmp.Or(cmp.Compare(b.Samples, a.Samples), cmp.Compare(a.Name, b.Name))
	})
	if best.Name == "json" && len(s.Groups) > 0 {
		s.Times = timesOf(s.Groups[0])
	}
	return s
}

func add(groups map[string]*Group, x Sample) {
	g := groups[x.Metric]
	if g == nil {
		if len(groups) >= maxGroups {
			return
		}
		g = &Group{Name: x.Metric, Type: x.Type, Unit: x.Unit, Labels: map[string]*Label{}, Numbers: map[string]*Number{}}
		groups[x.Metric] = g
	}
	g.Samples++
	if len(g.samples) < maxSamples {
		g.samples = append(g.samples, x)
	}
	for name, v := range x.Labels {
		l := g.Labels[name]
		if l == nil {
			if len(g.Labels) >= maxFields {
				continue
			}
			l = &Label{Values: map[string]int{}}
			g.Labels[name] = l
		}
		l.Count++
		if _, known := l.Values[v]; known || len(l.Values) < maxValues {
			l.Values[v]++
		} else {
			l.More = true
		}
	}
	for name, v := range x.Numbers {
		n := g.Numbers[name]
		if n == nil {
			if len(g.Numbers) >= maxFields {
				continue
			}
			n = &Number{}
			g.Numbers[name] = n
		}
		n.Count++
		if len(n.All) < maxNumbers {
			n.All = append(n.All, v)
		}
	}
}

// Where returns the group of the samples that have a value of a label.
func (g *Group) Where(label string, values ...string) *Group {
	groups := map[string]*Group{}
	for _, x := range g.samples {
		if slices.Contains(values, x.Labels[label]) {
			x.Metric = ""
			add(groups, x)
		}
	}
	if out := groups[""]; out != nil {
		return out
	}
	return &Group{}
}

// Share is which part of the samples has a label.
func (g *Group) Share(label string) float64 {
	l := g.Labels[label]
	if l == nil || g.Samples == 0 {
		return 0
	}
	return float64(l.Count) / float64(g.Samples)
}

// Distinct returns how many values of a label were seen; beyond the limit, one more than
// that.
func (g *Group) Distinct(label string) int {
	l := g.Labels[label]
	switch {
	case l == nil:
		return 0
	case l.More:
		return maxValues + 1
	}
	return len(l.Values)
}

// Common returns the values of a label, the most frequent first.
func (g *Group) Common(label string) []string {
	l := g.Labels[label]
	if l == nil {
		return nil
	}
	return slices.SortedFunc(maps.Keys(l.Values), func(a, b string) int {
		return cmp.Or(cmp.Compare(l.Values[b], l.Values[a]), cmp.Compare(a, b))
	})
}

// Quantile returns the value of a numeric field that a share of the samples does not
// exceed, and how many there are; NaN of none.
func (g *Group) Quantile(name string, q float64) (float64, int) {
	n := g.Numbers[name]
	if n == nil || len(n.All) == 0 {
		return math.NaN(), 0
	}
	all := slices.Sorted(slices.Values(n.All))
	at := int(math.Ceil(q*float64(len(all)))) - 1
	return all[min(max(at, 0), len(all)-1)], n.Count
}
