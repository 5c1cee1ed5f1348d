package starter

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/embedded/kafka"
)

var update = flag.Bool("update", false, "write the golden files")

// broker starts a broker with topics of three partitions.
func broker(t *testing.T, topics ...string) (string, *kgo.Client) {
	t.Helper()
	cfg := kafka.Default()
	for _, name := range topics {
		cfg.Topics = append(cfg.Topics, kafka.Topic{Name: name, Partitions: 3})
	}
	s, err := kafka.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	cl, err := kgo.NewClient(kgo.SeedBrokers(s.Addrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return s.Addrs()[0], cl
}

func produce(t *testing.T, cl *kgo.Client, topic string, records []*kgo.Record) {
	t.Helper()
	for i, r := range records {
		r.Topic, r.Partition = topic, int32(i%3)
	}
	if err := cl.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// errUsage marks errors of usage.
var errUsage = errors.New("usage")

// initialise runs the command.
func initialise(t *testing.T, args ...string) (string, error) {
	t.Helper()
	c := Command(func(err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	var out bytes.Buffer
	c.SetOut(&out)
	c.SetErr(&out)
	c.SilenceUsage, c.SilenceErrors = true, true
	c.SetArgs(args)
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}

// Of each format a configuration is written that lint finds nothing wrong with, and that
// measures the sample.
func TestEveryFormat(t *testing.T) {
	now := time.Now().Add(-time.Minute)
	registry := newRegistry(t)
	for _, x := range []struct {
		name    string
		format  string
		records []*kgo.Record
		args    []string
		samples map[string]int64 // by indicator
	}{
		{"spans", "otlp_spans", spanRecords(now, "proto"), nil, map[string]int64{"requests": 240, "requests-slow": 240, "messages": 60, "messages-slow": 60}},
		{"spans-json", "otlp_spans json", spanRecords(now, "json"), nil, map[string]int64{"requests": 240}},
		{"metrics", "otlp_metrics", metricRecords(now, "proto"), nil, map[string]int64{"requests": 3000, "requests-slow": 3000, "queue-length": 30}},
		{"metrics-json", "otlp_metrics json", metricRecords(now, "json"), nil, map[string]int64{"requests": 3000}},
		{"logs", "otlp_logs", logRecords(now, "proto"), nil, map[string]int64{"log-records": 60}},
		{"logs-json", "otlp_logs json", logRecords(now, "json"), nil, map[string]int64{"log-records": 60}},
		{"json", "json", jsonRecords(now), nil, map[string]int64{"requests": 120, "requests-slow": 120, "bytes": 120}},
		{"cloudevents", "cloudevents", cloudEventRecords(now), nil, map[string]int64{"events": 40}},
		{"kubernetes", "kubernetes_events", kubernetesRecords(now), nil, map[string]int64{"pod-events": 30, "warnings": 15}},
		{"prometheus", "prometheus", prometheusRecords(now), nil, map[string]int64{"queue-length": 40}},
		{"influx", "influx", influxRecords(now), nil, map[string]int64{"cpu-usage-idle": 40}},
		{"telegraf", "telegraf", telegrafRecords(now), nil, map[string]int64{"http-response-response-time": 40}},
		{"confluent", "confluent", registry.records(t, now), []string{"--registry", registry.url}, map[string]int64{"requests": 60}},
	} {
		t.Run(x.name, func(t *testing.T) {
			addr, cl := broker(t, "telemetry")
			produce(t, cl, "telemetry", x.records)
			dir := filepath.Join(t.TempDir(), "config")
			args := append([]string{"--brokers", addr, "--topic", "telemetry", "--dir", dir, "--wait", "2s", "-o", "json", "--records", fmt.Sprint(len(x.records))}, x.args...)
			out, err := initialise(t, args...)
			if err != nil {
				t.Fatal(err)
			}
			var w Written
			if err := json.Unmarshal([]byte(out), &w); err != nil {
				t.Fatalf("%v in %s", err, out)
			}
			if problems := config.Lint(dir); len(problems) > 0 {
				t.Errorf("lint finds %v", problems)
			}
			report := w.Topics[0]
			if got := strings.TrimSpace(report.Format + " " + report.Encoding); got != x.format {
				t.Errorf("it is %q, want %q", got, x.format)
			}
			if len(report.Rejected) > 0 {
				t.Errorf("rejected: %v, %s", report.Rejected, report.Rejection)
			}
			got := map[string]int64{}
			for _, m := range report.Indicators {
				got[m.Indicator] = m.Samples
				if m.Series == 0 {
					t.Errorf("indicator %s has no series: %v", m.Indicator, m.Warnings)
				}
			}
			for name, n := range x.samples {
				if got[name] != n {
					t.Errorf("indicator %s has %d samples, want %d; all: %v", name, got[name], n, got)
				}
			}
			golden(t, x.name, dir, addr, registry.url)
		})
	}
}

// golden compares what was written with testdata/NAME.yaml.
func golden(t *testing.T, name, dir, addr, registry string) {
	t.Helper()
	var all strings.Builder
	for _, file := range fileNames {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "## %s\n%s", file, text)
	}
	got := strings.NewReplacer(addr, "kafka:9092", registry, "https://registry:8081").Replace(all.String())
	path := filepath.Join("testdata", name+".yaml")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-update writes it):\n%s", path, diff)
	}
}

func TestPeopleAreToldWhatIsMeasured(t *testing.T) {
	addr, cl := broker(t, "spans", "metrics")
	now := time.Now()
	produce(t, cl, "spans", spanRecords(now.Add(-time.Hour), "proto"))
	produce(t, cl, "metrics", append(metricRecords(now, "proto"), &kgo.Record{Value: []byte("nothing")}))
	dir := filepath.Join(t.TempDir(), "config")
	out, err := initialise(t, "--brokers", addr, "--topic", "spans,metrics", "--dir", dir, "--wait", "2s")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"topic spans: otlp_spans, 60 of 60 records", "spans-requests ", "metrics-requests ", `http.route="/cart"`,
		"1 records are in no known format", "nothing live is on the topic", "flyball run --config " + dir, filepath.Join(dir, "measure.yaml"),
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if problems := config.Lint(dir); len(problems) > 0 {
		t.Errorf("lint finds %v", problems)
	}
	// What is there is not overwritten, unless that is said.
	before, err := os.ReadFile(filepath.Join(dir, "measure.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = initialise(t, "--brokers", addr, "--topic", "metrics", "--dir", dir, "--wait", "2s")
	if !errors.Is(err, errUsage) || !strings.Contains(err.Error(), "--force") {
		t.Errorf("a second run gives %v", err)
	}
	if after, _ := os.ReadFile(filepath.Join(dir, "measure.yaml")); !bytes.Equal(before, after) {
		t.Error("it was overwritten all the same")
	}
	if _, err = initialise(t, "--brokers", addr, "--topic", "metrics", "--dir", dir, "--wait", "2s", "--force"); err != nil {
		t.Error(err)
	}
	if after, _ := os.ReadFile(filepath.Join(dir, "measure.yaml")); bytes.Equal(before, after) {
		t.Error("--force did not overwrite")
	}
}

func TestWhatCannotBeMeasured(t *testing.T) {
	addr, cl := broker(t, "empty", "odd", "framed", "timeless")
	produce(t, cl, "odd", []*kgo.Record{{Value: []byte("hello there")}, {Value: []byte{0xff, 0xfe, 3}}})
	produce(t, cl, "framed", []*kgo.Record{{Value: []byte{0, 0, 0, 0, 1, 2, 3}}})
	produce(t, cl, "timeless", []*kgo.Record{{Value: []byte(`{"app":"cart","n":1}`)}, {Value: []byte(`{"app":"shop","n":2}`)}})
	f := func(topic, want string) {
		t.Helper()
		dir := filepath.Join(t.TempDir(), "config")
		_, err := initialise(t, "--brokers", addr, "--topic", topic, "--dir", dir, "--wait", "1s")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", topic, err, want)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: something was written", topic)
		}
	}
	f("empty", "gave no record")
	f("emtpy", `did you mean "empty"?`)
	f("odd", "2 are in no format that Flyball knows")
	f("framed", "--registry")
	f("timeless", "no field of its documents holds a time")
}

// No group is joined, whatever is read.
func TestNoGroupIsJoined(t *testing.T) {
	addr, cl := broker(t, "spans")
	produce(t, cl, "spans", spanRecords(time.Now(), "proto"))
	if _, err := initialise(t, "--brokers", addr, "--topic", "spans", "--dir", filepath.Join(t.TempDir(), "c"), "--wait", "2s"); err != nil {
		t.Fatal(err)
	}
	groups, err := kadmGroups(t, cl)
	if err != nil || len(groups) > 0 {
		t.Errorf("groups: %v, %v", groups, err)
	}
}
