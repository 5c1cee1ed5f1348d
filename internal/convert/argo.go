package convert

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// argoDocument is an AnalysisTemplate or a Rollout, as far as they are read.
type argoDocument struct {
	Kind     string `yaml:"kind"`
	Metadata struct {
		Name string `yaml:"name"`
	} `yaml:"metadata"`
	Spec struct {
		Metrics  []argoMetric `yaml:"metrics"`
		Strategy struct {
			Canary struct {
				Steps []argoStep `yaml:"steps"`
			} `yaml:"canary"`
		} `yaml:"strategy"`
	} `yaml:"spec"`
}

type argoMetric struct {
	Name     string    `yaml:"name"`
	Interval string    `yaml:"interval"`
	Count    yaml.Node `yaml:"count"`
	Success  string    `yaml:"successCondition"`
	Failure  string    `yaml:"failureCondition"`
	Provider yaml.Node `yaml:"provider"`
}

type argoStep struct {
	Weight *int `yaml:"setWeight"`
	Pause  *struct {
		Duration string `yaml:"duration"`
	} `yaml:"pause"`
}

// argo turns AnalysisTemplates into kinds Canary; a Rollout among the documents gives
// them its steps.
func argo(text []byte) (Result, error) {
	o := &output{}
	var templates []argoDocument
	var steps []string
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var d argoDocument
		if err := decoder.Decode(&d); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return Result{}, err
		}
		switch d.Kind {
		case "AnalysisTemplate", "ClusterAnalysisTemplate":
			templates = append(templates, d)
		case "Rollout":
			steps = o.argoSteps(d.Spec.Strategy.Canary.Steps)
		}
	}
	if len(templates) == 0 {
		return Result{}, errors.New("there is no AnalysisTemplate")
	}
	o.begin()
	for _, d := range templates {
		c := &canary{name: cmp.Or(d.Metadata.Name, "canary"), steps: steps}
		for i := range d.Spec.Metrics {
			o.argoMetric(c, &d.Spec.Metrics[i])
		}
		if len(c.metrics) == 0 {
			return Result{}, fmt.Errorf("none of the metrics of %q counts requests or their latencies with Prometheus", c.name)
		}
		c.write(o)
	}
	o.note(0, "Argo compares a number with a limit; Flyball compares the canary with its baseline: limits became margins of 1, so say in margin how much worse is still allowed")
	return o.result(), nil
}

func (o *output) argoMetric(c *canary, m *argoMetric) {
	query := field(field(&m.Provider, "prometheus"), "query")
	if query == nil {
		o.note(m.Provider.Line, "metric %s is left out: only those of Prometheus say what they count", m.Name)
		return
	}
	q := queries{line: query.Line, bad: query.Value}
	kind := sounds(m.Name + " " + query.Value)
	good, rest, isRatio := strings.Cut(query.Value, "/")
	switch {
	case kind == kindLatency || !isRatio:
	case strings.Contains(m.Success, ">"):
		q = queries{line: query.Line, good: good, total: rest}
	default:
		q = queries{line: query.Line, bad: good, total: rest}
	}
	if kind == kindGauge {
		o.note(query.Line, "metric %s is left out: it is no count of requests and no latency; make an Indicator that measures it, and add it with kind gauge", m.Name)
		return
	}
	c.metrics = append(c.metrics, fmt.Sprintf("{name: %s, indicator: %s, kind: %s, critical: true}", quote(m.Name), quote(c.measured(o, m.Name, query.Line, q, kind)), kind))
	if condition := cmp.Or(m.Success, m.Failure); condition != "" {
		o.note(query.Line, "metric %s: the condition %q is not kept", m.Name, condition)
	}
	if every, err := time.ParseDuration(m.Interval); err == nil {
		if n, err := strconv.Atoi(m.Count.Value); err == nil && c.duration == "" {
			c.duration = wholeDuration(every * time.Duration(n))
		}
	}
}

// argoSteps are the steps of a Rollout; pauses without an end are those of a person.
func (o *output) argoSteps(list []argoStep) (out []string) {
	weight, length := 0, time.Duration(0)
	flush := func() {
		if weight > 0 && weight < 100 {
			out = append(out, fmt.Sprintf("{weight: %d, for: %s}", weight, cmp.Or(wholeDuration(length), "10m")))
		}
		length = 0
	}
	for _, s := range list {
		switch {
		case s.Weight != nil:
			flush()
			weight = *s.Weight
		case s.Pause != nil:
			d, err := time.ParseDuration(s.Pause.Duration)
			if n, failed := strconv.Atoi(s.Pause.Duration); err != nil && failed == nil {
				d, err = time.Duration(n)*time.Second, nil
			}
			if err != nil {
				o.note(0, "a pause at %d %% has no end: the step became 10 minutes", weight)
			}
			length += d
		}
	}
	flush()
	if len(out) > 0 {
		out = append(out, "{weight: 100}")
	}
	return out
}
