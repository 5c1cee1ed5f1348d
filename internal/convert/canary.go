package convert

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// canary gathers what a kind Canary of another tool's document says.
type canary struct {
	name, judge, duration string
	metrics               []string // as YAML
	steps                 []string
	pass, marginal        string
	indicators            []string // names of those written
}

// Kinds of metrics, as their names and queries sound.
const (
	kindCount   = "count"
	kindLatency = "latency"
	kindGauge   = "gauge"
)

// sounds guesses the kind of a metric.
func sounds(text string) string {
	text = strings.ToLower(text)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
	}
	switch {
	case has("latency", "duration", "histogram_quantile", "response_time", "responsetime", "_bucket", "p99", "p95", "p90", "p50"):
		return kindLatency
	case has("error", "fail", "exception", "5xx", "5..", "4xx", "code", "status", "success"):
		return kindCount
	}
	return kindGauge
}

// measured writes the indicator of a metric, once for metrics that count the same.
func (c *canary) measured(o *output, metric string, line int, q queries, kind string) string {
	counts := &counted{filter: []string{server}}
	switch {
	case kind == kindCount && q.total+q.ratio != "":
		counts = o.count(q)
	case q.bad+q.total != "":
		o.single(counts, line, q.bad+q.total, kind)
	}
	placed := func(m string) bool { return strings.Contains(m, "{{") || strings.Contains(m, "${") }
	if slices.ContainsFunc(counts.filter, placed) {
		o.note(line, "metric %s: a matcher with a place for an argument is left out: entities and versions are told apart by themselves", metric)
		counts.filter = slices.DeleteFunc(counts.filter, placed)
	}
	name := dns(c.name + "-" + metric)
	lines := []string{"apiVersion: flyball.dev/v1", "kind: Indicator", "metadata: {name: " + quote(name) + "}", "spec:", "  source: " + source, "  groupBy: [service.version]"}
	list := func(key string, matchers []string) {
		if len(matchers) > 0 {
			lines = append(lines, "  "+key+":")
		}
		for _, m := range matchers {
			lines = append(lines, "    - "+quote(m))
		}
	}
	list("filter", counts.filter)
	list("bad", counts.bad)
	o.document(lines...)
	c.indicators = append(c.indicators, name)
	return name
}

// single reads one query: what it says of the status makes a sample bad, the rest is
// the filter.
func (o *output) single(c *counted, line int, query, kind string) {
	for _, s := range selectors(query) {
		for _, m := range s.matchers {
			text := ""
			switch {
			case m.label == "le" || strings.Contains(m.value, "${") || strings.Contains(m.value, "{{"):
				continue // the scope of a run: the canary tells cohorts apart by itself
			case attributes[m.label] == "http.response.status_code" && kind == kindCount:
				if text = o.translate(line, m); !slices.Contains(c.bad, text) {
					c.bad = append(c.bad, text)
				}
				continue
			}
			if text = o.translate(line, m); !slices.Contains(c.filter, text) {
				c.filter = append(c.filter, text)
			}
		}
	}
}

// dns makes a name of text.
func dns(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.':
			return r
		}
		return '-'
	}, text)
	return cmp.Or(strings.Trim(text, "-_."), "canary")
}

// write writes the kind Canary.
func (c *canary) write(o *output) {
	lines := []string{"apiVersion: flyball.dev/v1", "kind: Canary", "metadata: {name: " + quote(dns(c.name)) + "}", "spec:", "  start: request", "  metrics:"}
	for _, m := range c.metrics {
		lines = append(lines, "    - "+m)
	}
	if len(c.steps) > 0 {
		lines = append(lines, "  steps: ["+strings.Join(c.steps, ", ")+"]")
	} else if c.duration != "" {
		lines = append(lines, "  duration: "+c.duration)
	}
	if c.judge != "" {
		lines = append(lines, "  judge: "+c.judge)
	}
	if c.pass != "" {
		lines = append(lines, fmt.Sprintf("  thresholds: {pass: %s, marginal: %s}", c.pass, c.marginal))
	}
	o.document(lines...)
	o.note(0, "cohorts are told apart by the attribute service.version: set version, or baseline and canary, if it is another")
}

func decimalText(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// wholeDuration writes a duration in whole panes of 10 s, "" for none.
func wholeDuration(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	text := max(d.Round(10*time.Second), 2*time.Minute).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	return text
}
