package convert

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// slothSpec is Sloth's own form; the Kubernetes resource has the same in spec, with
// other names for some fields.
type slothSpec struct {
	Version string     `yaml:"version"`
	Kind    string     `yaml:"kind"`
	Service string     `yaml:"service"`
	SLOs    []slothSLO `yaml:"slos"`
	Spec    *slothSpec `yaml:"spec"`
}

type slothSLO struct {
	Name        string    `yaml:"name"`
	Objective   yaml.Node `yaml:"objective"`
	Description string    `yaml:"description"`
	SLI         struct {
		Events *struct {
			ErrorQuery  string `yaml:"error_query"`
			TotalQuery  string `yaml:"total_query"`
			ErrorQueryK string `yaml:"errorQuery"`
			TotalQueryK string `yaml:"totalQuery"`
		} `yaml:"events"`
		Raw *struct {
			ErrorRatioQuery  string `yaml:"error_ratio_query"`
			ErrorRatioQueryK string `yaml:"errorRatioQuery"`
		} `yaml:"raw"`
		Plugin yaml.Node `yaml:"plugin"`
	} `yaml:"sli"`
	Alerting struct {
		PageAlert    slothAlert `yaml:"page_alert"`
		TicketAlert  slothAlert `yaml:"ticket_alert"`
		PageAlertK   slothAlert `yaml:"pageAlert"`
		TicketAlertK slothAlert `yaml:"ticketAlert"`
	} `yaml:"alerting"`
}

type slothAlert struct {
	Disable bool `yaml:"disable"`
}

func sloth(text []byte) (Result, error) {
	var s slothSpec
	if err := yaml.Unmarshal(text, &s); err != nil {
		return Result{}, err
	}
	if s.Spec != nil && s.Kind == "PrometheusServiceLevel" {
		s = *s.Spec
	} else if !strings.HasPrefix(s.Version, "prometheus/") {
		return Result{}, errors.New(`want version: "prometheus/v1", or kind: PrometheusServiceLevel`)
	}
	if s.Service == "" || len(s.SLOs) == 0 {
		return Result{}, errors.New("want a service and slos")
	}
	o := &output{}
	o.begin()
	for _, slo := range s.SLOs {
		if err := o.slothSLO(s.Service, &slo); err != nil {
			return Result{}, fmt.Errorf("slo %q: %w", slo.Name, err)
		}
	}
	o.note(0, "the period is 30 days, Sloth's default: change timeWindow if yours is another")
	return o.result(), nil
}

func (o *output) slothSLO(service string, s *slothSLO) error {
	if s.Name == "" || s.Objective.Value == "" {
		return errors.New("want a name and an objective")
	}
	name := service + "-" + s.Name
	q := queries{line: s.Objective.Line}
	switch {
	case s.SLI.Events != nil:
		q.bad, q.total = s.SLI.Events.ErrorQuery+s.SLI.Events.ErrorQueryK, s.SLI.Events.TotalQuery+s.SLI.Events.TotalQueryK
	case s.SLI.Raw != nil:
		q.ratio = s.SLI.Raw.ErrorRatioQuery + s.SLI.Raw.ErrorRatioQueryK
	default:
		o.note(s.SLI.Plugin.Line, "SLO %s counts by a plugin: say what to count in the filter and bad of its indicator", s.Name)
	}
	if q.total+q.bad+q.ratio == "" {
		o.indicator(name, &counted{filter: []string{server}})
	} else {
		o.indicator(name, o.count(q))
	}
	page := !s.Alerting.PageAlert.Disable && !s.Alerting.PageAlertK.Disable
	ticket := !s.Alerting.TicketAlert.Disable && !s.Alerting.TicketAlertK.Disable
	description := ""
	if s.Description != "" {
		description = "  description: " + quote(s.Description)
	}
	metric := fmt.Sprintf("{metricSource: {type: flyball, spec: {indicator: %s}}}", quote(name))
	o.document("apiVersion: openslo/v1", "kind: SLO", "metadata:", "  name: "+quote(name), tiers(page, ticket), "spec:", description,
		"  service: "+quote(service), "  indicator:", "    spec:", "      ratioMetric:", "        bad: "+metric, "        total: "+metric,
		"  timeWindow: [{duration: 30d, isRolling: true}]", "  objectives: [{targetPercent: "+s.Objective.Value+"}]")
	if !page && !ticket {
		o.note(s.Objective.Line, "SLO %s has no alerts in Sloth; here it has the default tiers: route its findings nowhere, or set tiers that suit", s.Name)
	}
	return nil
}

// tiers returns the annotation for an SLO of which some alerts are off; "" is the
// default set.
func tiers(page, ticket bool) string {
	const annotation = "  annotations: {flyball.dev/burn-rate-tiers: '%s'}"
	switch {
	case page && !ticket:
		return fmt.Sprintf(annotation, "page_fast=14.4x1h/5m:page, page_slow=6x6h/30m:page")
	case ticket && !page:
		return fmt.Sprintf(annotation, "ticket_fast=3x1d/2h:ticket, ticket_slow=1x3d/6h:ticket")
	}
	return ""
}
