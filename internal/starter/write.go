package starter

import (
	"fmt"
	"strings"

	"github.com/flyball-io/flyball/internal/config/spec"
)

// file is one file of the configuration.
type file struct{ name, text string }

// yaml collects lines.
type yaml struct{ strings.Builder }

func (y *yaml) line(format string, args ...any) { fmt.Fprintf(y, format+"\n", args...) }

func (y *yaml) comment(lines ...string) {
	for _, l := range lines {
		y.line("# %s", l)
	}
}

func (y *yaml) head(version, kind, name string) {
	y.line("apiVersion: %s\nkind: %s\nmetadata: {name: %s}", version, kind, quote(name))
}

// quote writes a text as it must be within a flow of YAML.
func quote(s string) string {
	if isName(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// isName reports whether a text begins with a letter and has letters, digits, dots,
// hyphens and underscores only, which YAML leaves as it is.
func isName(s string) bool {
	for i, c := range s {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c != '.' && c != '-' && c != '/' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != "" && s != "true" && s != "false" && s != "null" && s != "yes" && s != "no" && s != "on" && s != "off"
}

func list(items []string) string {
	quoted := make([]string, len(items))
	for i, s := range items {
		quoted[i] = quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// write returns the files of a configuration.
func write(k spec.Kafka, plans []*plan) []file {
	var measure, objectives yaml
	for _, p := range plans {
		p.writeSource(&measure)
		for _, i := range p.indicators {
			p.writeIndicator(&measure, i)
		}
		for _, s := range p.slos {
			writeSLO(&objectives, p, s)
		}
	}
	files := []file{{"flyball.yaml", pipelineText(k)}, {"measure.yaml", measure.String()}}
	if objectives.Len() > 0 {
		files = append(files, file{"objectives.yaml", objectives.String()})
	}
	return append(files, file{"act.yaml", actText(plans)})
}

func pipelineText(k spec.Kafka) string {
	var y yaml
	y.comment("Where Flyball runs. What is not said has a default: docs/configuration.md.")
	y.head("flyball.dev/v1", "Pipeline", "flyball")
	y.line("spec:\n  kafka:\n    brokers: %s", list(k.Brokers))
	if k.TLS != nil {
		if k.TLS.CAFile != "" {
			y.line("    tls: {caFile: %s}", quote(k.TLS.CAFile))
		} else {
			y.line("    tls: {}")
		}
	}
	if s := k.SASL; s != nil {
		y.line("    sasl:\n      mechanism: %s\n      username: %s\n      password: ${env:%s}", s.Mechanism, quote(s.Username), passwordEnv)
	}
	y.line("  # Results are recorded, and can be asked for with SQL, where there is a ClickHouse:")
	y.line("  # clickhouse: {dsn: 'clickhouse://user:password@clickhouse:9000/flyball'}")
	return y.String()
}

func (p *plan) writeSource(y *yaml) {
	y.separate()
	s := p.survey
	y.comment(fmt.Sprintf("Topic %s: %d of %d records in the sample are %s.", p.topic, s.Recognised, s.Records, describe(s.Format, s.Encoding)))
	y.head("flyball.dev/v1", "Source", p.source)
	y.line("spec:\n  topics: %s\n  format: %s", list([]string{p.topic}), s.Format)
	if s.Encoding != "" {
		y.line("  encoding: %s", s.Encoding)
	}
	if p.registry != "" {
		y.line("  registry: {url: %s}", quote(p.registry))
	}
	m := p.mapping
	if m == nil {
		return
	}
	y.line("  json:\n    timestamp: %s", quote(m.timestamp))
	y.line("    labels:                # name: path")
	for _, l := range m.labels {
		y.line("      %s: %s", quote(l[0]), quote(l[1]))
	}
	if len(m.values) > 0 {
		y.line("    values:")
	}
	for _, v := range m.values {
		if v.unit != "" {
			y.line("      %s: {path: %s, unit: %s}   # kept in nanoseconds", quote(v.name), quote(v.path), v.unit)
		} else {
			y.line("      %s: {path: %s}", quote(v.name), quote(v.path))
		}
	}
}

// describe names a format for people.
func describe(format, encoding string) string {
	if encoding != "" {
		return format + " in " + encoding
	}
	return format
}

// separate begins another document.
func (y *yaml) separate() {
	if y.Len() > 0 {
		y.line("---")
	}
}

func (p *plan) writeIndicator(y *yaml, i indicator) {
	y.separate()
	y.comment(i.comment...)
	y.head("flyball.dev/v1", "Indicator", i.name)
	y.line("spec:\n  source: %s", quote(p.source))
	if i.entity != "" {
		y.line("  entity: %s", quote(i.entity))
	}
	if len(i.filter) > 0 {
		y.line("  filter: %s", list(i.filter))
	}
	by := make([]string, 0, len(i.groupBy))
	for _, l := range i.groupBy {
		if l != i.entity {
			by = append(by, l)
		}
	}
	if len(by) > 0 {
		y.line("  groupBy: %s", list(by))
	}
	switch {
	case i.counts && p.survey.Format != "otlp_metrics":
		y.line("  value: ''                # only counted")
	case i.counts:
		y.line("  value: duration")
	case i.value != "":
		y.line("  value: %s", quote(i.value))
	}
	if i.unit != "" {
		y.line("  unit: %s", quote(i.unit))
	}
	if len(i.bad) > 0 {
		y.line("  bad: %s", list(i.bad))
	}
}

func writeSLO(y *yaml, p *plan, s slo) {
	y.separate()
	y.comment(s.comment...)
	y.line("apiVersion: openslo/v1\nkind: SLO\nmetadata:\n  name: %s", quote(s.name))
	if p.survey.Format == "kubernetes_events" {
		y.line("  annotations:")
		y.line("    flyball.dev/burn-rate-tiers: loop=5x10m/2m:page   # more than half bad, over ten minutes and over two")
		y.line("    flyball.dev/min-bad: \"5\"")
		y.line("    flyball.dev/no-data: good")
	}
	y.line("spec:\n  service: %s\n  indicator:\n    spec:\n      ratioMetric:", quote(p.source))
	y.line("        counter: true")
	y.line("        bad: {metricSource: {type: flyball, spec: {indicator: %s}}}", quote(s.indicator))
	y.line("        total: {metricSource: {type: flyball, spec: {indicator: %s}}}", quote(s.indicator))
	y.line("  timeWindow: [{duration: 30d, isRolling: true}]\n  budgetingMethod: Occurrences")
	y.line("  objectives: [{target: %s}]", s.target)
}

// actText is the detector and the rule, which only watch.
func actText(plans []*plan) string {
	var y yaml
	var watched []string
	objectives := false
	for _, p := range plans {
		for _, i := range p.indicators {
			if !strings.HasSuffix(i.name, "-slow") {
				watched = append(watched, i.name)
			}
		}
		objectives = objectives || len(p.slos) > 0
	}
	y.comment("Anomalies: what is unusual for the time of the day and the week. It takes 80 windows to", "learn, and a week to tell habits from incidents. docs/detectors.md")
	y.head("flyball.dev/v1", "Detector", "unusual")
	y.line("spec:\n  indicators: %s\n  falseAlarmsPerWeek: 0.1   # by chance alone, for each series\n  severity: info", list(watched))
	y.separate()
	when, about := `finding.kind == "burn_rate" && finding.severity == "page"`, "A service that burns its budget is rolled back: but in mode observe nothing is sent."
	if !objectives {
		when, about = `finding.kind == "anomaly" && finding.evidence.score > 0.6`, "What is very unusual is restarted: but in mode observe nothing is sent."
	}
	y.comment(about, "What would have been is in `flyball decisions`; next come suggest, approve and auto.", "docs/remediation.md")
	y.head("flyball.dev/v1", "Rule", "first-rule")
	action := "rollback"
	if !objectives {
		action = "restart"
	}
	y.line("spec:\n  when: %s", when)
	y.line("  target: deployment/{{finding.entity}}\n  action: {name: %s}\n  mode: observe\n  cooldown: 10m\n  deadline: 5m\n  owner: on-call", action)
	y.separate()
	y.comment("Where rules may act, and how much at most. Without a guardrail they may nowhere.")
	y.head("flyball.dev/v1", "Guardrail", "everywhere")
	y.line("spec:\n  select: ['entity=~\".+\"']\n  limits: [{per: service, max: 3, window: 1h}]\n  concurrency: {service: 1, total: 3}")
	return y.String()
}
