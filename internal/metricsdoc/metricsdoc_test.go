package metricsdoc

import (
	"context"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball/internal/api"
	"github.com/flyball-io/flyball/internal/pipeline"
	"github.com/flyball-io/flyball/internal/ui/live"
)

var update = flag.Bool("update", false, "write docs/metrics.md")

// sections registers what a process registers.
func sections() []Section {
	roles, pages := NewRegistry(), NewRegistry()
	pipeline.NewMetrics(roles)
	hub := live.New(func(context.Context) (map[string]uint64, error) { return nil, nil }, time.Second, 1)
	pages.MustRegister(hub.Refused)
	served := NewRegistry()
	for _, c := range api.Collectors() {
		served.MustRegister(c)
	}
	all := roles.Metrics()
	notify := slices.DeleteFunc(slices.Clone(all), func(m Metric) bool { return !strings.HasPrefix(m.Name, "flyball_notifications_") })
	all = slices.DeleteFunc(all, func(m Metric) bool { return strings.HasPrefix(m.Name, "flyball_notifications_") })
	return []Section{
		{"Roles", "Of the roles aggregate, evaluate, decide and record.", all},
		{"Notifications", "Of the role notify.", notify},
		{"API and web UI", "Of the HTTP server that every process has.", append(served.Metrics(), pages.Metrics()...)},
	}
}

func TestPageIsCurrent(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "metrics.md")
	want := Page(sections())
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/metrics.md is not what the code registers; go test ./internal/metricsdoc -update writes it:\n%s", diff)
	}
}

// What a server shows that has answered is in the page.
func TestServedMetricsAreInThePage(t *testing.T) {
	page := Page(sections())
	server := httptest.NewServer((&api.Server{Status: func() api.Status { return api.Status{} }}).Handler())
	defer server.Close()
	for _, path := range []string{"/healthz", "/api/v1/status", "/metrics", "/nowhere"} {
		resp, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	resp, err := http.Get(server.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text := new(strings.Builder)
	if err := resp.Write(text); err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`(?m)^# TYPE (flyball_\S+)`).FindAllStringSubmatch(text.String(), -1)
	if len(names) < 2 {
		t.Fatalf("the server shows %v only", names)
	}
	for _, n := range names {
		if !strings.Contains(page, "`"+n[1]+"`") {
			t.Errorf("%s is not in docs/metrics.md", n[1])
		}
	}
}

// The metrics that operations.md and the introduction speak of exist.
func TestMetricsSpokenOfExist(t *testing.T) {
	known := map[string]bool{}
	for _, s := range sections() {
		for _, m := range s.Metrics {
			known[m.Name] = true
			if m.Help == "" || !strings.HasSuffix(m.Help, ".") && !strings.Contains(m.Help, "epoch") {
				t.Errorf("the help of %s is no sentence: %q", m.Name, m.Help)
			}
		}
	}
	operations, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`flyball_[a-z_]*[a-z]`).FindAllString(intro+mistakes+string(operations), -1) {
		if !known[strings.TrimSuffix(name, "_bucket")] {
			t.Errorf("%s is spoken of, and nothing shows it", name)
		}
	}
}
