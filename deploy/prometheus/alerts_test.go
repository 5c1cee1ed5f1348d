// Package prometheus tests the alerts: what they ask for is shown.
package prometheus

import (
	"bytes"
	"os"
	"regexp"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v4"

	"github.com/flyball-io/flyball/internal/pipeline"
)

type alert struct {
	Alert       string
	Expr        string
	For         string
	Labels      map[string]string
	Annotations map[string]string
}

func TestAlerts(t *testing.T) {
	text, err := os.ReadFile("alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []alert
		}
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		t.Fatal(err)
	}
	shown := shown()
	name := regexp.MustCompile(`flyball_[a-z_]+`)
	for _, r := range file.Groups[0].Rules {
		for _, metric := range name.FindAllString(r.Expr+r.Annotations["description"], -1) {
			if !shown[metric] {
				t.Errorf("%s asks for %s, which nothing shows", r.Alert, metric)
			}
		}
		if s := r.Labels["severity"]; s != "page" && s != "ticket" {
			t.Errorf("%s has the severity %q", r.Alert, s)
		}
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s does not say what it is about and what to do", r.Alert)
		}
	}
}

// shown returns the names of all metrics of the roles.
func shown() map[string]bool {
	r := &names{Registry: prometheus.NewRegistry(), all: map[string]bool{}}
	pipeline.NewMetrics(r)
	return r.all
}

// names notes the names of what is registered.
type names struct {
	*prometheus.Registry
	all map[string]bool
}

var fqName = regexp.MustCompile(`fqName: "([^"]+)"`)

func (n *names) MustRegister(list ...prometheus.Collector) {
	for _, c := range list {
		descriptions := make(chan *prometheus.Desc, 10)
		c.Describe(descriptions)
		close(descriptions)
		for d := range descriptions {
			n.all[fqName.FindStringSubmatch(d.String())[1]] = true
		}
	}
}
