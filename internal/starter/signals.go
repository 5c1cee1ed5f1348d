package starter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flyball-io/flyball/internal/starter/survey"
)

// spans proposes requests as the servers saw them, and messages as consumers did.
func (p *plan) spans() {
	all := p.all()
	kinds := []struct {
		kind, name, what string
		group            []string
	}{
		{"SERVER", "requests", "requests", []string{"http.route", "rpc.method", "graphql.operation.name", "span.name"}},
		{"CONSUMER", "messages", "messages", []string{"messaging.destination.name", "messaging.destination", "span.name"}},
	}
	for _, k := range kinds {
		g := all.Where("span.kind", k.kind)
		if g.Samples == 0 {
			continue
		}
		ind := indicator{name: p.name(k.name), filter: []string{`span.kind="` + k.kind + `"`}, value: "duration", bad: []string{`status.code="ERROR"`},
			groupBy: p.first(g, k.group...)}
		ind.comment = append(seen(g, "spans of kind "+k.kind), grouped(g, ind.groupBy)...)
		p.statusCodes(g, &ind)
		p.measured(g, "duration", ind, k.what)
	}
	if len(p.indicators) > 0 {
		return
	}
	p.note("there are no spans of kind SERVER or CONSUMER in the sample: all are measured, and a request may count more than once")
	ind := indicator{name: p.name("spans"), groupBy: p.first(all, "span.name"), value: "duration", bad: []string{`status.code="ERROR"`}}
	ind.comment = append(seen(all, "spans"), grouped(all, ind.groupBy)...)
	p.measured(all, "duration", ind, "spans")
}

// measured adds an indicator with both objectives.
func (p *plan) measured(g *survey.Group, field string, ind indicator, what string) {
	p.indicators = append(p.indicators, ind)
	p.availability(ind.name, what)
	p.latency(g, field, ind, what)
}

// statusCodes makes responses 5xx bad too, where SDKs leave the status alone.
func (p *plan) statusCodes(g *survey.Group, ind *indicator) {
	for _, label := range []string{"http.response.status_code", "http.status_code"} {
		l := g.Labels[label]
		if l == nil || len(g.Where("status.code", "ERROR").Labels) > 0 {
			continue
		}
		for v := range l.Values {
			if strings.HasPrefix(v, "5") {
				ind.bad = []string{label + `=~"5.."`}
				ind.comment = append(ind.comment, "There are responses 5xx, and no span has the status ERROR: the response says what is bad.")
				return
			}
		}
	}
}

// seen says how much was seen.
func seen(g *survey.Group, what string) []string {
	s := fmt.Sprintf("In the sample: %d %s", g.Samples, what)
	switch services := g.Common("service.name"); {
	case len(services) > 4:
		s += fmt.Sprintf(" of %d services, most of %s", len(services), strings.Join(services[:3], ", "))
	case len(services) > 0:
		s += " of " + strings.Join(services, ", ")
	}
	return []string{s + "."}
}

// grouped says why samples are grouped.
func grouped(g *survey.Group, by []string) []string {
	var out []string
	for _, label := range by {
		values := g.Common(label)
		shown := strings.Join(values[:min(3, len(values))], ", ")
		out = append(out, fmt.Sprintf("Series by %s: %d values in the sample, such as %s.", label, g.Distinct(label), shown))
	}
	return out
}

// logs proposes the records by service: no objective, because their number is no measure.
func (p *plan) logs() {
	g := p.all()
	ind := indicator{name: p.name("log-records"), groupBy: p.first(g, "event.name"), bad: []string{`severity=~"ERROR|FATAL"`}}
	ind.comment = append(append(seen(g, "log records"), grouped(g, ind.groupBy)...),
		"There is no objective on them: their total is how talkative a service is.")
	p.indicators = append(p.indicators, ind)
	p.entity(g)
}

// kubernetes proposes what happens to pods, and an objective for crash loops.
func (p *plan) kubernetes() {
	pods := indicator{name: p.name("pod-events"), entity: "k8s.workload", filter: []string{`k8s.kind="Pod"`}, groupBy: []string{"k8s.namespace"},
		bad:     []string{`k8s.reason=~"BackOff|OOMKilling|Failed"`},
		comment: append(seen(p.all(), "Events"), "What happens to the pods of a workload: one that cannot start has mostly bad Events.")}
	warnings := indicator{name: p.name("warnings"), entity: "k8s.workload", filter: []string{`k8s.type="Warning"`}, groupBy: []string{"k8s.namespace", "k8s.reason"},
		comment: []string{"Every Warning, by workload and reason."}}
	p.indicators = append(p.indicators, pods, warnings)
	p.slos = append(p.slos, slo{name: p.name("pods-start"), indicator: pods.name, target: "0.9",
		comment: []string{"A workload is in a crash loop when most of what happens to its pods is that they cannot start."}})
}

// cloudEvents proposes how many events come of each type.
func (p *plan) cloudEvents() {
	g := p.all()
	ind := indicator{name: p.name("events"), entity: pick(g, "data.subject.id", "ce.subject", "ce.source", "ce.type")}
	ind.groupBy = p.first(g, "cdevent.predicate", "ce.type")
	ind.comment = append(append(seen(g, "events"), grouped(g, ind.groupBy)...),
		"There is no objective on them: a few events a day make none. A detector sees when they come more often, or stay away.")
	if slices.Contains(g.Common("cdevent.predicate"), "rolledback") {
		ind.bad = []string{`cdevent.predicate="rolledback"`}
	}
	p.indicators = append(p.indicators, ind)
}

// pick returns the first label that nearly every sample has.
func pick(g *survey.Group, labels ...string) string {
	for _, l := range labels {
		if g.Share(l) >= 0.9 {
			return l
		}
	}
	return labels[len(labels)-1]
}

// entity names what the indicators are about where there is no service.name.
func (p *plan) entity(g *survey.Group) {
	if g.Share("service.name") >= 0.5 {
		return
	}
	p.note("%d %% of the samples have no service.name, the default entity: they are in one series without a name", int(100*(1-g.Share("service.name"))))
}
