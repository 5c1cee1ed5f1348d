package dev

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"math"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/examples"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/processors"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

var topics = sinkkafka.Topics{Prefix: "t."}

func windows(end flyball.Time, count, bad int64) *kgo.Record {
	var w processors.Windows
	w.Append(processors.WindowRow{Indicator: "requests", Entity: "cart", Labels: `{"service.name":"cart"}`, Start: end.Add(-5 * time.Second), End: end, Count: count, Bad: bad, P50: math.NaN()})
	return &kgo.Record{Topic: topics.Windows(), Value: w.Encode()}
}

func TestStoryGathersWindowsOfOneEnd(t *testing.T) {
	var out bytes.Buffer
	s := &story{out: &out, topics: topics, counted: "%d requests in %d series, %d failed"}
	base := flyball.TimeOf(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))
	for _, r := range []*kgo.Record{windows(base, 10, 1), windows(base, 5, 0), windows(base.Add(5*time.Second), 1, 1)} {
		for _, l := range s.lines(r) {
			s.tell(l)
		}
	}
	if got, want := out.String(), "12:00:00  window_closed 15 requests in 2 series, 1 failed\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStoryAsJSONHasATypePerLine(t *testing.T) {
	var out bytes.Buffer
	s := &story{out: &out, json: true, topics: topics}
	at := flyball.TimeOf(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))
	enc := sinkkafka.Encoder{Topics: topics}
	finding, err := enc.Finding(&flyball.Finding{ID: "f", Revision: 1, Kind: "burn_rate", State: flyball.FindingOpened, Severity: "page", Entity: "cart", At: at, OpenedAt: at})
	if err != nil {
		t.Fatal(err)
	}
	command, err := enc.Command(&flyball.Command{ID: "c", At: at, OperationID: "o", Attempt: 1, Action: flyball.Action{Name: "rollback"}, Target: "deployment/cart", Deadline: at.Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*kgo.Record{windows(at, 10, 1), finding, command, {Topic: topics.Decisions(), Value: []byte("{")}} {
		for _, l := range s.lines(r) {
			s.tell(l)
		}
	}
	var types []string
	for _, text := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		var l map[string]any
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		types = append(types, l["type"].(string))
		if l["type"] == "window_closed" && (l["count"] != 10.0 || l["p50"] != nil || l["error_ratio"] != 0.1) {
			t.Errorf("window %v", l)
		}
		if l["type"] == "command" && l["ce_id"] != "c" {
			t.Errorf("command %v", l)
		}
	}
	if got := strings.Join(types, " "); got != "window_closed finding command error" {
		t.Errorf("types %q", got)
	}
}

func TestConfigurationOfTheShopIsRight(t *testing.T) {
	cfg, err := loadConfig("")
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Sources) != 1 || len(cfg.Indicators) != 2 || len(cfg.SLOs) != 1 || len(cfg.Rules) != 2 || len(cfg.Canaries) != 1 || len(cfg.Executors) != 1 {
		t.Errorf("%d sources, %d indicators, %d SLOs, %d rules, %d canaries, %d executors",
			len(cfg.Sources), len(cfg.Indicators), len(cfg.SLOs), len(cfg.Rules), len(cfg.Canaries), len(cfg.Executors))
	}
	if in := schedule(); in[1].Start > time.Minute || in[1].Validate() != nil {
		t.Errorf("first incident %v", in[1])
	}
	if _, err := newShop(); err != nil {
		t.Error(err)
	}
}

func TestSigningKeyIsKept(t *testing.T) {
	dir := t.TempDir()
	var first ed25519.PublicKey
	for range 2 {
		s, err := signingKey(dir)
		if err != nil {
			t.Fatal(err)
		}
		key, err := sinkkafka.LoadSigningKey(s.KeyFile, s.KeyID)
		if err != nil {
			t.Fatal(err)
		}
		public, err := sinkkafka.LoadPublicKey(filepath.Join(dir, "signing.pub.pem"))
		if err != nil || !public.Equal(key.Public()) {
			t.Errorf("the public half does not fit: %v", err)
		}
		if first != nil && !first.Equal(public) {
			t.Error("the second start made another key")
		}
		first = public
	}
}

// TestWrittenConfigurationIsTheSame: the commands of flyball can be pointed at what runs.
func TestWrittenConfigurationIsTheSame(t *testing.T) {
	for _, name := range append(examples.Names(), "") {
		cfg, err := loadConfig(name)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Pipeline.Kafka.Brokers = []string{"127.0.0.1:4711"}
		cfg.Pipeline.ClickHouse.DSN = "http://127.0.0.1:4712/flyball"
		dir := t.TempDir()
		if err := writeConfig(dir, cfg); err != nil {
			t.Fatal(err)
		}
		again, err := config.Load(dir)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(cfg.Rules, again.Rules); diff != "" {
			t.Errorf("%s: rules (-want +got):\n%s", name, diff)
		}
		if got := again.Pipeline; !slices.Equal(got.Kafka.Brokers, cfg.Pipeline.Kafka.Brokers) || got.ClickHouse.DSN != cfg.Pipeline.ClickHouse.DSN {
			t.Errorf("%s: brokers %q, DSN %q", name, got.Kafka.Brokers, string(got.ClickHouse.DSN))
		}
	}
}

func TestListOfExamples(t *testing.T) {
	var out bytes.Buffer
	if err := Run(t.Context(), Options{Example: "list", Out: &out}); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); len(lines) != len(examples.Names()) || !strings.Contains(out.String(), "crash-loop  ") {
		t.Errorf("the list is\n%s", out.String())
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "config"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), Options{Example: "crash-loop", DataDir: dir}); err == nil || !strings.Contains(err.Error(), "another directory") {
		t.Errorf("playing into a directory that is in use gives %v", err)
	}
	_, err := loadConfig("crash-lop")
	if err == nil || !strings.Contains(err.Error(), "crash-loop") {
		t.Errorf("an unknown example gives %v", err)
	}
}

// TestSimulatedActions: a call of the executor changes the world, and what it cannot do
// is no success.
func TestSimulatedActions(t *testing.T) {
	w, err := newShop()
	if err != nil {
		t.Fatal(err)
	}
	f := func(target, body string, want int) {
		t.Helper()
		out := httptest.NewRecorder()
		actions(w).ServeHTTP(out, httptest.NewRequest("POST", "/rollback", strings.NewReader(fmt.Sprintf(body, target))))
		if out.Code != want {
			t.Errorf("%s: status %d (%s), want %d", target, out.Code, out.Body, want)
		}
	}
	f("deployment/checkout", `{"action": {"name": "rollback"}, "target": %q}`, 200)
	f("deployment/cart", `{"action": {"name": "rollback", "params": {"to": "4.2.0"}}, "target": %q}`, 200)
	f("deployment/checkout", `{"action": {"name": "rollback", "params": {"to": "1"}}, "target": %q}`, 422) // it has no canary
	f("deployment/nobody", `{"action": {"name": "rollback"}, "target": %q}`, 422)
	f("deployment/checkout", `{"target": %q`, 400)
}
