package starter

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/flyball-io/flyball/internal/starter/survey"
)

// plan is what is proposed for one topic.
type plan struct {
	topic  string
	source string // its name
	prefix string // of the names of indicators and SLOs, "" for one topic
	survey *survey.Survey
	// registry is the address of the Schema Registry, "" for formats without.
	registry string
	mapping  *mapping

	indicators []indicator
	slos       []slo
	notes      []string // what a person should look at
}

// mapping is spec.json of a source.
type mapping struct {
	timestamp string
	labels    [][2]string // name, path
	values    []value
}

// value is a number of a mapping.
type value struct{ name, path, unit string }

// indicator is a proposed indicator; comment says why.
type indicator struct {
	comment []string
	name    string
	entity  string
	filter  []string
	groupBy []string
	value   string // "" leaves the line away
	counts  bool   // value: "": only counts
	unit    string
	bad     []string
}

// slo is a proposed objective on an indicator.
type slo struct {
	comment   []string
	name      string
	indicator string
	target    string
}

// propose fills in what should be measured of what was seen.
func (p *plan) propose() error {
	switch p.survey.Format {
	case "otlp_spans":
		p.spans()
	case "otlp_metrics", "prometheus":
		p.metrics()
	case "influx", "telegraf":
		p.fields()
	case "otlp_logs":
		p.logs()
	case "kubernetes_events":
		p.kubernetes()
	case "cloudevents":
		p.cloudEvents()
	case "json", "confluent":
		return p.documents()
	}
	return nil
}

// name returns a name of this topic.
func (p *plan) name(s string) string { return p.prefix + s }

func (p *plan) note(format string, args ...any) {
	p.notes = append(p.notes, fmt.Sprintf(format, args...))
}

// all returns all samples, whatever their metric.
func (p *plan) all() *survey.Group {
	if len(p.survey.Groups) == 0 {
		return &survey.Group{}
	}
	return p.survey.Groups[0]
}

// Labels with at most maxGroupValues values in the sample are worth grouping by.
const maxGroupValues = 50

// noGroup are the ends of names that tell single things apart: by those nobody groups.
var noGroup = regexp.MustCompile(`(?i)(^|[._-])(id|uid|uuid|ids|path|url|query|address|port|ip|instance|pod|host|hostname|message|email|user|session|version|pid|timestamp|time|date)([._]?(name|id))?$|[a-z](Id|ID)$`)

// noNumber are the ends of names of numbers that nobody measures.
var noNumber = regexp.MustCompile(`(?i)(^|[._-])(id|uid|port|pid|version|timestamp)$|[a-z](Id|ID)$`)

// groupable reports whether series may be told apart by a label: most samples have it, it
// has few values, more than one, and they are not single things.
func groupable(g *survey.Group, label string) bool {
	n := g.Distinct(label)
	return g.Share(label) >= 0.9 && n > 1 && n <= maxGroupValues && 2*n <= g.Samples && !noGroup.MatchString(label)
}

// first returns the first of some labels that is groupable.
func (p *plan) first(g *survey.Group, labels ...string) []string {
	for _, l := range labels {
		if groupable(g, l) {
			return []string{l}
		}
		if n := g.Distinct(l); n > maxGroupValues && !noGroup.MatchString(l) {
			p.note("%s has %s values in the sample: too many to group by", l, count(n))
		}
	}
	return nil
}

func count(n int) string {
	if n > 1000 {
		return "more than 1000"
	}
	return fmt.Sprint(n)
}

// enough is how many values a quantile of a sample should rest on.
const enough = 100

// latency proposes a threshold that 99 % of the sample keeps to, and an indicator and SLO
// for it. field is in nanoseconds.
func (p *plan) latency(g *survey.Group, field string, like indicator, service string) {
	q, n := g.Quantile(field, 0.99)
	if n == 0 || !(q > 0) {
		return
	}
	p.slower(n, show(roundUp(q*1.1)), fmt.Sprintf("%s at most; this is that, a tenth more, and rounded up", show(q)), field, like, service)
}

// slower is latency with a threshold that is known.
func (p *plan) slower(n int, threshold, because, field string, like indicator, service string) {
	slow := like
	slow.name, slow.counts, slow.value, slow.unit = like.name+"-slow", true, "", ""
	slow.bad = []string{field + " > " + threshold}
	slow.comment = []string{fmt.Sprintf("The same, bad where it took longer than %s. 99 %% of the %d %s in the sample took", threshold, n, service),
		because + ". Set what your users expect."}
	if n < enough {
		p.note("the latency threshold %s rests on %d samples only: look at it again after a day", threshold, n)
	}
	p.indicators = append(p.indicators, slow)
	p.slos = append(p.slos, slo{name: p.name(objective(like.name, "latency", p)), indicator: slow.name, target: "0.99",
		comment: []string{fmt.Sprintf("99 %% of %s shall take %s at most.", service, threshold)}})
}

// objective names an SLO: shortly for the main indicator.
func objective(indicator, kind string, p *plan) string {
	base := strings.TrimPrefix(indicator, p.prefix)
	if base == "requests" {
		return kind
	}
	return base + "-" + kind
}

// availability proposes an SLO on the bad share of an indicator.
func (p *plan) availability(ind, service string) {
	p.slos = append(p.slos, slo{name: p.name(objective(ind, "availability", p)), indicator: ind, target: "0.999",
		comment: []string{fmt.Sprintf("99.9 %% of %s shall be good. One budget for each entity; see docs/slo.md.", service)}})
}

// roundUp returns the next of 1, 1.5, 2, 2.5, 3, 4, 5, 7.5 times a power of ten.
func roundUp(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, step := range []float64{1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10} {
		if v <= step*power*(1+1e-9) {
			return step * power
		}
	}
	return v
}

// show writes nanoseconds as a condition reads them.
func show(ns float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}} {
		if ns >= u.size {
			return number(ns/u.size) + u.name
		}
	}
	return number(ns) + "ns"
}

// number writes three digits.
func number(v float64) string {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	if err != nil {
		return fmt.Sprint(v)
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}
