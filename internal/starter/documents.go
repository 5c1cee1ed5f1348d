package starter

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/flyball-io/flyball/internal/starter/survey"
)

// serviceFields are what the field that names a service is usually called.
var serviceFields = []string{"service.name", "service_name", "serviceName", "service", "app", "application", "svc", "component", "job", "host"}

// maxLabels is how many labels of documents are mapped.
const maxLabels = 6

// documents proposes a mapping of JSON documents, and what to measure of it.
func (p *plan) documents() error {
	g := p.all()
	if len(p.survey.Times) == 0 {
		return fmt.Errorf("cannot measure what is on topic %q: no field of its documents holds a time in all of them, and event time is what windows are made of", p.topic)
	}
	m := &mapping{timestamp: p.survey.Times[0]}
	if len(p.survey.Times) > 1 {
		p.note("the event time is taken from %s; %s would do too", m.timestamp, strings.Join(p.survey.Times[1:], ", "))
	}
	service := p.serviceField(g)
	if service == "" {
		return fmt.Errorf("cannot measure what is on topic %q: no field of its documents says what they are about; write a mapping by hand: docs/formats/json.md", p.topic)
	}
	m.labels = append(m.labels, [2]string{"service.name", service})
	status := badStatus(g)
	for _, name := range slices.Sorted(maps.Keys(g.Labels)) {
		wanted := len(status) > 0 && (strings.HasPrefix(status[0], name+"=")) || groupable(g, name) && !measured(g, name)
		if wanted && name != service && !slices.Contains(p.survey.Times, name) && len(m.labels) < maxLabels {
			m.labels = append(m.labels, [2]string{name, name})
		}
	}
	p.mapping = m
	p.values(g, service, status)
	return nil
}

// measured reports whether a label is a number that varies too much to be one.
func measured(g *survey.Group, name string) bool {
	return g.Numbers[name] != nil && !isStatus(name)
}

// serviceField returns the path of what documents are about.
func (p *plan) serviceField(g *survey.Group) string {
	for _, want := range serviceFields {
		for _, name := range slices.Sorted(maps.Keys(g.Labels)) {
			if (name == want || strings.HasSuffix(name, "."+want)) && g.Share(name) >= 0.9 {
				return name
			}
		}
	}
	best := ""
	for _, name := range slices.Sorted(maps.Keys(g.Labels)) {
		if g.Numbers[name] != nil || isStatus(name) || slices.Contains(p.survey.Times, name) || g.Share(name) < 0.9 || g.Distinct(name) > maxGroupValues {
			continue
		}
		if best == "" || g.Distinct(name) < g.Distinct(best) {
			best = name
		}
	}
	if best != "" {
		p.note("no field is called as a service usually is: %s is taken for what a document is about", best)
	}
	return best
}

var durationName = regexp.MustCompile(`(?i)(duration|latency|took|elapsed|response_?time|request_?time|time_?taken)|(_|[a-z])(ms|millis|us|micros|ns|nanos|seconds|secs|sec)$`)

var unitNames = []struct {
	form *regexp.Regexp
	unit string
}{
	{regexp.MustCompile(`(?i)([._]|[a-z])(ms|millis|milliseconds)$`), "ms"},
	{regexp.MustCompile(`(?i)([._]|[a-z])(us|micros|microseconds)$`), "us"},
	{regexp.MustCompile(`(?i)([._]|[a-z])(ns|nanos|nanoseconds)$`), "ns"},
	{regexp.MustCompile(`(?i)([._]|[a-z])(s|sec|secs|seconds)$`), "s"},
}

// unitOf returns the unit of a duration, and whether it is a guess.
func (p *plan) unitOf(g *survey.Group, name string) string {
	for _, u := range unitNames {
		if u.form.MatchString(name) {
			return u.unit
		}
	}
	median, _ := g.Quantile(name, 0.5)
	unit := "ms"
	if median < 1 || !isWhole(g.Numbers[name].All) && median < 20 {
		unit = "s"
	}
	p.note("%s is taken for a duration in %s, by the size of its numbers (half are below %s): check that", name, unit, number(median))
	return unit
}

func isWhole(list []float64) bool {
	return !slices.ContainsFunc(list, func(v float64) bool { return v != math.Trunc(v) })
}

// values proposes a number for each indicator, the duration of requests first.
func (p *plan) values(g *survey.Group, service string, status []string) {
	var durations, others []string
	for _, name := range numbers(g) {
		switch {
		case slices.Contains(p.survey.Times, name) || noNumber.MatchString(name) || isStatus(name) || g.Numbers[name].Count*2 < g.Samples:
		case durationName.MatchString(name):
			durations = append(durations, name)
		default:
			others = append(others, name)
		}
	}
	var by []string
	for _, l := range p.mapping.labels[1:] {
		if groupable(g, l[0]) && !isStatus(l[0]) && len(by) < 1 {
			by = append(by, l[0])
		}
	}
	ind := indicator{name: p.name("events"), groupBy: by, bad: status}
	ind.comment = append([]string{fmt.Sprintf("In the sample: %d documents; what they are about is in %s (%d values).", g.Samples, service, g.Distinct(service))}, grouped(g, by)...)
	factor := 1.0
	if len(durations) > 0 {
		u := p.unitOf(g, durations[0])
		p.mapping.values = append(p.mapping.values, value{"duration", durations[0], u})
		ind.name, ind.value, factor = p.name("requests"), "duration", times[u]
	}
	p.indicators = append(p.indicators, ind)
	if len(status) > 0 {
		p.availability(ind.name, strings.TrimPrefix(ind.name, p.prefix))
	} else {
		p.note("no field tells a bad document from a good one: say which are bad (bad: in indicator %s) to have an availability objective", ind.name)
	}
	if len(durations) > 0 {
		ns := &survey.Group{Numbers: map[string]*survey.Number{"duration": scaled(g.Numbers[durations[0]], factor)}}
		p.latency(ns, "duration", ind, "requests")
	}
	for _, name := range others[:min(2, len(others))] {
		p.mapping.values = append(p.mapping.values, value{name, name, ""})
		x := indicator{name: p.name(nameOf(name)), value: name, groupBy: by, comment: []string{"The number " + name + "."}}
		p.indicators = append(p.indicators, x)
	}
}

func scaled(n *survey.Number, factor float64) *survey.Number {
	out := &survey.Number{Count: n.Count}
	for _, v := range n.All {
		out.All = append(out.All, v*factor)
	}
	return out
}
