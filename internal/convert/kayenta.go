package convert

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v4"
)

// kayentaDocument is a canary configuration of Kayenta; JSON is YAML.
type kayentaDocument struct {
	Name    string `yaml:"name"`
	Metrics []struct {
		Name     string    `yaml:"name"`
		Query    yaml.Node `yaml:"query"`
		Groups   []string  `yaml:"groups"`
		Analysis struct {
			Canary struct {
				Direction    string `yaml:"direction"`
				NaN          string `yaml:"nanStrategy"`
				Critical     bool   `yaml:"critical"`
				MustHaveData bool   `yaml:"mustHaveData"`
				Muted        bool   `yaml:"muted"`
				Outliers     struct {
					Strategy string `yaml:"strategy"`
				} `yaml:"outliers"`
				Effect struct {
					Measure  string  `yaml:"measure"`
					Increase float64 `yaml:"allowedIncrease"`
					Decrease float64 `yaml:"allowedDecrease"`
				} `yaml:"effectSize"`
			} `yaml:"canary"`
		} `yaml:"analysisConfigurations"`
	} `yaml:"metrics"`
	Classifier struct {
		Weights    map[string]float64 `yaml:"groupWeights"`
		Thresholds struct {
			Pass     float64 `yaml:"pass"`
			Marginal float64 `yaml:"marginal"`
		} `yaml:"scoreThresholds"`
	} `yaml:"classifier"`
}

// kayenta turns a canary configuration into a kind Canary.
func kayenta(text []byte) (Result, error) {
	var d kayentaDocument
	if err := yaml.Unmarshal(text, &d); err != nil {
		return Result{}, err
	}
	if d.Name == "" || len(d.Metrics) == 0 {
		return Result{}, errors.New("want a name and metrics, as GET /canaryConfig/{id} gives them")
	}
	o := &output{}
	o.begin()
	c := &canary{name: d.Name}
	weighed := map[string]bool{}
	for i := range d.Metrics {
		m := &d.Metrics[i]
		line, query := m.Query.Line, flat(&m.Query)
		kind := sounds(m.Name + " " + query)
		if kind == kindGauge {
			o.note(line, "metric %s is left out: it is no count of requests and no latency; make an Indicator that measures it, and add it with kind gauge", m.Name)
			continue
		}
		a := &m.Analysis.Canary
		out := fmt.Sprintf("{name: %s, indicator: %s, kind: %s, direction: %s", quote(m.Name), quote(c.measured(o, m.Name, line, queries{line: line, bad: query}, kind)), kind, direction(a.Direction))
		out += o.margin(line, m.Name, a.Direction, a.Effect.Measure, a.Effect.Increase, a.Effect.Decrease)
		for _, flag := range []struct {
			set  bool
			name string
		}{{a.Critical, "critical"}, {a.MustHaveData, "mustHaveData"}, {a.Muted, "muted"}} {
			if flag.set {
				out += ", " + flag.name + ": true"
			}
		}
		if len(m.Groups) > 0 {
			out += ", group: " + quote(m.Groups[0])
			if w, ok := d.Classifier.Weights[m.Groups[0]]; ok && !weighed[m.Groups[0]] {
				out += ", weight: " + decimalText(w)
				weighed[m.Groups[0]] = true
			}
			if len(m.Groups) > 1 {
				o.note(line, "metric %s is in several groups: it counts in the first", m.Name)
			}
		}
		if a.NaN == "replace" {
			o.note(line, "metric %s: a sample that is not there is none; nanStrategy is not needed", m.Name)
		}
		if a.Outliers.Strategy == "remove" {
			o.note(line, "metric %s: outliers are kept: rare ones are what an error looks like", m.Name)
		}
		c.metrics = append(c.metrics, out+"}")
	}
	if len(c.metrics) == 0 {
		return Result{}, errors.New("none of the metrics counts requests or their latencies: see the kind Canary in the manual")
	}
	for _, g := range slices.Sorted(maps.Keys(d.Classifier.Weights)) {
		if !weighed[g] {
			o.note(0, "the group %s has a weight and no metric: it is left out", g)
		}
	}
	if t := d.Classifier.Thresholds; t.Pass > 0 {
		c.pass, c.marginal = decimalText(t.Pass), decimalText(t.Marginal)
	}
	o.note(0, "the judge is sequential: it may be asked at any time. judge: kayenta judges once at the end, as Kayenta does")
	c.write(o)
	return o.result(), nil
}

func direction(d string) string {
	if d == "increase" || d == "decrease" {
		return d
	}
	return "either"
}

// margin writes the ratio that an effect size allows.
func (o *output) margin(line int, metric, direction, measure string, increase, decrease float64) string {
	if measure == "cles" {
		o.note(line, "metric %s: an effect size in cles is no ratio: say in margin what is allowed", metric)
		return ""
	}
	allowed := increase
	if direction == "decrease" && decrease > 0 {
		allowed = 1 / decrease
	}
	if allowed <= 1 {
		return ""
	}
	return fmt.Sprintf(", margin: %.6g", allowed)
}

// flat returns all texts of a query, whatever database it is for.
func flat(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return n.Value
	}
	text := ""
	for _, c := range n.Content {
		text += flat(c) + " "
	}
	return text
}
