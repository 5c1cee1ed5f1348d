// Package prometheus tests the alerts: what they ask for is shown.
package prometheus

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v4"

	"github.com/flyball-io/flyball/internal/pipeline"
)

var metricName = regexp.MustCompile(`flyball_[a-z_]+`)

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
	for _, r := range file.Groups[0].Rules {
		for _, metric := range metricName.FindAllString(r.Expr+r.Annotations["description"], -1) {
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

// TestDashboards: so do the panels that ask Prometheus, and every metric of the roles is
// in one.
func TestDashboards(t *testing.T) {
	files, err := filepath.Glob("../grafana/dashboards/*.json")
	if err != nil {
		t.Fatal(err)
	}
	shown, asked := shown(), map[string]bool{}
	roles := len(shown)
	served(t, shown)
	if len(shown) < roles+4 {
		t.Fatalf("only %d metrics of the API and the UI were found", len(shown)-roles)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d struct {
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
		}
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				for _, metric := range metricName.FindAllString(target.Expr, -1) {
					metric = strings.TrimSuffix(metric, "_bucket")
					if asked[metric] = true; !shown[metric] {
						t.Errorf("%s, %s asks for %s, which nothing shows", file, p.Title, metric)
					}
				}
			}
		}
	}
	for metric := range shown {
		if !asked[metric] && strings.HasPrefix(metric, "flyball_") {
			t.Errorf("no dashboard shows %s", metric)
		}
	}
}

// served adds the metrics of the API and the UI, each of which makes its own where it
// counts.
func served(t *testing.T, all map[string]bool) {
	t.Helper()
	made := regexp.MustCompile(`Name: "(flyball_[a-z_]+)"`)
	for _, dir := range []string{"api", "ui"} {
		err := filepath.WalkDir(filepath.Join("..", "..", "internal", dir), func(path string, e fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, m := range made.FindAllSubmatch(text, -1) {
				all[string(m[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
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
