// Package metricsdoc writes docs/metrics.md: every metric that a process shows about
// itself, as the code registers it.
package metricsdoc

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Metric is one metric.
type Metric struct {
	// Name, and Kind: counter, gauge or histogram.
	Name, Kind string
	// Labels that tell its series apart.
	Labels []string
	// Help says what it counts.
	Help string
}

// Registry is a prometheus.Registerer that notes what is registered.
type Registry struct {
	*prometheus.Registry
	metrics []Metric
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry { return &Registry{Registry: prometheus.NewRegistry()} }

// MustRegister implements prometheus.Registerer.
func (r *Registry) MustRegister(list ...prometheus.Collector) {
	for _, c := range list {
		r.note(c)
	}
	r.Registry.MustRegister(list...)
}

// Register implements prometheus.Registerer.
func (r *Registry) Register(c prometheus.Collector) error {
	r.note(c)
	return r.Registry.Register(c)
}

// descForm reads what a description says of itself: there is no other way to its parts.
var descForm = regexp.MustCompile(`^Desc\{fqName: "([^"]*)", help: "((?:[^"\\]|\\.)*)", (?:unit: "[^"]*", )?constLabels: \{[^}]*\}, variableLabels: \{([^}]*)\}`)

func (r *Registry) note(c prometheus.Collector) {
	kind := kindOf(c)
	described := make(chan *prometheus.Desc, 16)
	go func() {
		c.Describe(described)
		close(described)
	}()
	for d := range described {
		m := descForm.FindStringSubmatch(d.String())
		if m == nil {
			panic("BUG: a description reads otherwise than expected: " + d.String())
		}
		metric := Metric{Name: m[1], Kind: kind, Help: strings.ReplaceAll(m[2], `\"`, `"`)}
		if m[3] != "" {
			metric.Labels = strings.Split(m[3], ",")
		}
		r.metrics = append(r.metrics, metric)
	}
}

func kindOf(c prometheus.Collector) string {
	switch c.(type) {
	case *prometheus.CounterVec, prometheus.Counter:
		if _, both := c.(prometheus.Gauge); !both {
			return "counter"
		}
	case *prometheus.HistogramVec:
		return "histogram"
	}
	return "gauge"
}

// Metrics returns what was registered, by name.
func (r *Registry) Metrics() []Metric {
	out := slices.Clone(r.metrics)
	slices.SortFunc(out, func(a, b Metric) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Section is a part of the page.
type Section struct {
	// Title and a sentence.
	Title, About string
	// Metrics in it.
	Metrics []Metric
}

// Page writes the page.
func Page(sections []Section) string {
	var b strings.Builder
	b.WriteString(intro)
	for _, s := range sections {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| metric | type | labels | what it says |\n|---|---|---|---|\n", s.Title, s.About)
		for _, m := range s.Metrics {
			labels := make([]string, len(m.Labels))
			for i, l := range m.Labels {
				labels[i] = "`" + l + "`"
			}
			if len(labels) == 0 {
				labels = []string{"–"}
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, m.Kind, strings.Join(labels, ", "), strings.ReplaceAll(m.Help, "|", `\|`))
		}
	}
	b.WriteString(mistakes)
	return b.String()
}
