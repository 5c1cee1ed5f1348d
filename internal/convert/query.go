package convert

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// selector is a vector selector of PromQL.
type selector struct {
	metric   string
	matchers []matcher
}

type matcher struct{ label, op, value string }

var (
	opening  = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(\{|\[)`)
	matching = regexp.MustCompile(`\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*,?`)
)

// selectors finds the selectors of a query, in order.
func selectors(query string) []selector {
	var out []selector
	for {
		at := opening.FindStringSubmatchIndex(query)
		if at == nil {
			return out
		}
		s := selector{metric: query[at[2]:at[3]]}
		braces := query[at[4]:at[5]] == "{"
		query = query[at[5]:]
		for braces {
			m := matching.FindStringSubmatch(query)
			if m == nil || !strings.HasPrefix(query, m[0]) {
				break
			}
			s.matchers = append(s.matchers, matcher{m[1], m[2], unquote(m[3])})
			query = query[len(m[0]):]
		}
		out = append(out, s)
	}
}

func unquote(s string) string {
	if s[0] == '\'' {
		s = `"` + strings.ReplaceAll(s[1:len(s)-1], `"`, `\"`) + `"`
	}
	text, err := strconv.Unquote(s)
	if err != nil {
		return s[1 : len(s)-1]
	}
	return text
}

// attributes are the span attributes that usual labels of Prometheus stand for.
var attributes = map[string]string{
	"job": "service.name", "service": "service.name", "service_name": "service.name", "app": "service.name",
	"code": "http.response.status_code", "status": "http.response.status_code", "status_code": "http.response.status_code",
	"http_status_code": "http.response.status_code", "http_response_status_code": "http.response.status_code", "response_code": "http.response.status_code",
	"method": "http.request.method", "http_method": "http.request.method", "http_request_method": "http.request.method",
	"handler": "http.route", "route": "http.route", "path": "http.route", "http_route": "http.route",
}

// server selects the spans of requests as a service answers them, which is what
// metrics of requests count.
const server = `span.kind="SERVER"`

// counted is what an indicator counts.
type counted struct {
	filter, bad []string
}

// queries are those of an SLI; one of good, bad and ratio (of bad to all) is set.
type queries struct {
	line                    int
	total, good, bad, ratio string
}

// count guesses the indicator that counts as two queries do: what both select is
// the filter, and what only that of bad ones selects is what makes a sample bad.
func (o *output) count(q queries) *counted {
	out := &counted{filter: []string{server}}
	part, all := q.bad+q.good, q.total
	if q.ratio != "" {
		part, all, _ = strings.Cut(q.ratio, "/")
	}
	parts, totals := selectors(part), selectors(all)
	if len(totals) == 0 || len(parts) == 0 {
		o.note(q.line, "no selector was found in the query %q: say what to count in filter and bad", strings.TrimSpace(q.total+q.ratio))
		return out
	}
	common := totals[len(totals)-1]
	for _, m := range common.matchers {
		if m.label != "le" {
			out.filter = append(out.filter, o.translate(q.line, m))
		}
	}
	for _, s := range parts {
		o.bad(out, q, s, common)
	}
	if len(out.bad) == 0 {
		o.note(q.line, "nothing tells bad samples from others: a span is taken for bad when its status is ERROR")
	}
	return out
}

// bad adds what makes a sample bad by one selector of the query of bad or good ones.
func (o *output) bad(out *counted, q queries, s, common selector) {
	var own []matcher
	for _, m := range s.matchers {
		switch {
		case m.label == "le":
			o.latency(out, q.line, m.value)
		case !slices.Contains(common.matchers, m):
			own = append(own, m)
		}
	}
	if q.good != "" && len(own) > 1 {
		o.note(q.line, "a sample is good when several conditions hold together: write in bad what a bad one is")
		return
	}
	for _, m := range own {
		if q.good != "" {
			m.op = map[string]string{"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}[m.op]
		}
		if text := o.translate(q.line, m); !slices.Contains(out.bad, text) {
			out.bad = append(out.bad, text)
		}
	}
}

// latency turns the bound of a bucket into a duration.
func (o *output) latency(out *counted, line int, le string) {
	seconds, err := strconv.ParseFloat(le, 64)
	if err != nil || seconds <= 0 || seconds > 1e6 {
		return // +Inf is every sample
	}
	text := fmt.Sprintf("duration > %v", time.Duration(seconds*float64(time.Second)))
	if !slices.Contains(out.bad, text) {
		out.bad = append(out.bad, text)
		o.note(line, "the bucket le=%q became %s: it counts each span, not up to the edge of a bucket", le, text)
	}
}

// translate writes a matcher of Prometheus as one of spans.
func (o *output) translate(line int, m matcher) string {
	label, known := attributes[m.label]
	if !known {
		label = m.label
		o.note(line, "the label %q is taken for an attribute of spans of that name", m.label)
	}
	return label + m.op + strconv.Quote(m.value)
}
