package starter

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/flyball-io/flyball/internal/starter/survey"
)

// maxMetrics is how many metrics are proposed; the others are listed.
const maxMetrics = 6

// requestMetrics are the histograms of requests, by OpenTelemetry's conventions.
var requestMetrics = []string{"http.server.request.duration", "http.server.duration", "rpc.server.call.duration", "rpc.server.duration"}

// notInName is what names of documents do not have.
var notInName = regexp.MustCompile(`[^A-Za-z0-9]+`)

func nameOf(s string) string {
	return strings.Trim(strings.ToLower(notInName.ReplaceAllString(s, "-")), "-")
}

// metrics proposes an indicator for each metric, by its type.
func (p *plan) metrics() {
	groups := slices.Clone(p.survey.Groups)
	slices.SortStableFunc(groups, func(a, b *survey.Group) int { return rank(a) - rank(b) })
	var others []string
	requests := false
	for _, g := range groups {
		switch {
		case g.Type == "summary" || strings.HasSuffix(g.Name, "_bucket") || strings.HasSuffix(g.Name, "_sum"):
			others = append(others, g.Name) // of a family whose count says as much
		case len(p.indicators) >= maxMetrics:
			others = append(others, g.Name)
		default:
			requests = p.metric(g, requests) || requests
		}
	}
	if len(others) > 0 {
		slices.Sort(others)
		p.note("not measured yet: %s%s", strings.Join(others[:min(12, len(others))], ", "), more(len(others)-12))
	}
}

func more(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}

// rank orders metrics by how much they say about how users fare.
func rank(g *survey.Group) int {
	if i := slices.Index(requestMetrics, g.Name); i >= 0 {
		return i - 10
	}
	switch g.Type {
	case "histogram", "exponential_histogram":
		return 0
	case "sum":
		return 1
	}
	return 2
}

// times are the units of OTLP's metrics that are times.
var times = map[string]float64{"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9, "min": 60e9, "h": 3600e9}

// metric proposes an indicator; the first histogram of durations is that of requests. It
// reports whether it was.
func (p *plan) metric(g *survey.Group, known bool) (requests bool) {
	ind := indicator{name: p.name(nameOf(g.Name)), filter: []string{`metric.name="` + g.Name + `"`}, groupBy: p.dimensions(g)}
	if p.survey.Format == "prometheus" {
		ind.entity = pick(g, "job", "instance")
		ind.groupBy = slices.DeleteFunc(ind.groupBy, func(l string) bool { return l == ind.entity })
	}
	ind.comment = append([]string{strings.TrimSuffix(seen(g, "data points of this "+article(g.Type))[0], ".") + unit(g.Unit) + "."}, grouped(g, ind.groupBy)...)
	ind.bad = badStatus(g)
	size, isTime := times[g.Unit]
	histogram := strings.HasSuffix(g.Type, "histogram")
	requests = histogram && isTime && !known && rank(g) < 0
	if requests {
		ind.name = p.name("requests")
	}
	switch {
	case histogram && isTime:
		ind.value = "duration"
	case histogram || g.Type == "gauge":
		ind.value, ind.unit = "value", g.Unit
	}
	p.indicators = append(p.indicators, ind)
	if len(ind.bad) > 0 {
		p.availability(ind.name, what(requests, g.Name))
	}
	if bound, n := g.Quantile("bound", 0.9); requests && n > 0 {
		p.slower(n, show(bound*size), "less; the threshold is a bound of its histogram, so that counting is exact", "duration",
			ind, what(requests, g.Name))
	}
	p.entityOf(g)
	return requests
}

func what(requests bool, name string) string {
	if requests {
		return "requests"
	}
	return name
}

func article(kind string) string { return strings.ReplaceAll(kind, "_", " ") }

func unit(u string) string {
	if u == "" {
		return ""
	}
	return ", in " + u
}

func (p *plan) entityOf(g *survey.Group) {
	if p.survey.Format == "otlp_metrics" && g.Share("service.name") < 0.5 {
		p.note("most points of %s have no service.name, the default entity: say entity: in its indicator", g.Name)
	}
}

// routes are the labels by which requests are told apart.
var routes = []string{"http.route", "rpc.method", "route", "handler", "method", "http.request.method", "messaging.destination.name"}

// dimensions returns what to group by: a route, else the label with the fewest values.
func (p *plan) dimensions(g *survey.Group) []string {
	if by := p.first(g, routes...); by != nil {
		return by
	}
	best := ""
	for name := range g.Labels {
		if name == "service.name" || name == "job" || !groupable(g, name) || isStatus(name) || strings.HasPrefix(name, "telemetry.") {
			continue
		}
		if best == "" || g.Distinct(name) < g.Distinct(best) || g.Distinct(name) == g.Distinct(best) && name < best {
			best = name
		}
	}
	if best == "" {
		return nil
	}
	return []string{best}
}

var statusName = regexp.MustCompile(`(?i)(^|[._])(status|code|statuscode|status_code|result|outcome|success|ok|error|level|severity|state)$`)

func isStatus(name string) bool { return statusName.MatchString(name) }

var (
	serverError = regexp.MustCompile(`^5\d\d$`)
	httpStatus  = regexp.MustCompile(`^[1-5]\d\d$`)
	failure     = regexp.MustCompile(`(?i)^(error|err|fail|failed|failure|fatal|critical|timeout|unavailable|declined|rejected|exception)$`)
)

// badStatus returns what tells a bad sample by a label, nil if no label does.
func badStatus(g *survey.Group) []string {
	var names []string
	for name := range g.Labels {
		if isStatus(name) && g.Share(name) >= 0.5 && g.Distinct(name) <= maxGroupValues {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		values := g.Common(name)
		slices.Sort(values)
		codes := slices.ContainsFunc(values, httpStatus.MatchString) && !slices.ContainsFunc(values, func(v string) bool { return !httpStatus.MatchString(v) && v != "" })
		if codes || slices.ContainsFunc(values, serverError.MatchString) {
			return []string{name + `=~"5.."`}
		}
	}
	for _, name := range names {
		values := g.Common(name)
		slices.Sort(values)
		bad := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return !failure.MatchString(v) })
		last := strings.ToLower(name[strings.LastIndexAny(name, "._")+1:])
		switch {
		case len(bad) == 1:
			return []string{name + `="` + bad[0] + `"`}
		case len(bad) > 0:
			return []string{name + `=~"` + strings.Join(bad, "|") + `"`}
		case (last == "success" || last == "ok") && isTruth(values):
			return []string{name + `="false"`}
		case last == "error" && isTruth(values):
			return []string{name + `="true"`}
		}
	}
	return nil
}

func isTruth(values []string) bool {
	return len(values) > 0 && !slices.ContainsFunc(values, func(v string) bool { return v != "true" && v != "false" })
}

// fields proposes the numbers of measurements of Telegraf and InfluxDB.
func (p *plan) fields() {
	var others []string
	for _, g := range p.survey.Groups {
		entity := "host"
		if g.Share(entity) < 0.9 {
			entity = entityTag(g)
		}
		names := slices.DeleteFunc(numbers(g), noNumber.MatchString)
		for i, name := range names {
			if i > 0 || len(p.indicators) >= maxMetrics {
				others = append(others, g.Name+"."+name)
				continue
			}
			ind := indicator{name: p.name(nameOf(g.Name + "-" + name)), entity: entity, filter: []string{`metric.name="` + g.Name + `"`}, value: name,
				groupBy: slices.DeleteFunc(p.dimensions(g), func(l string) bool { return l == entity }), bad: badStatus(g)}
			ind.comment = append(seen(g, "samples of "+g.Name), grouped(g, ind.groupBy)...)
			p.indicators = append(p.indicators, ind)
			if len(ind.bad) > 0 {
				p.availability(ind.name, g.Name)
			}
		}
	}
	if len(others) > 0 {
		slices.Sort(others)
		p.note("not measured yet: %s%s", strings.Join(others[:min(12, len(others))], ", "), more(len(others)-12))
	}
}

// numbers returns the numeric fields, those first that have the most different values.
func numbers(g *survey.Group) []string {
	distinct := map[string]int{}
	for name, n := range g.Numbers {
		distinct[name] = len(slices.Compact(slices.Sorted(slices.Values(n.All))))
	}
	return slices.SortedFunc(maps.Keys(distinct), func(a, b string) int {
		return cmp.Or(cmp.Compare(distinct[b], distinct[a]), cmp.Compare(a, b))
	})
}

// entityTag returns the tag that nearly every sample has and that has the fewest values.
func entityTag(g *survey.Group) string {
	best := ""
	for name := range g.Labels {
		if g.Share(name) >= 0.9 && (best == "" || g.Distinct(name) < g.Distinct(best) || g.Distinct(name) == g.Distinct(best) && name < best) {
			best = name
		}
	}
	if best == "" {
		return "metric.name"
	}
	return best
}
