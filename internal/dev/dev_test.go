package dev

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
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
	s := &story{out: &out}
	base := flyball.TimeOf(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))
	for _, r := range []*kgo.Record{windows(base, 10, 1), windows(base, 5, 0), windows(base.Add(5*time.Second), 1, 1)} {
		for _, l := range s.lines(r, topics) {
			s.tell(l)
		}
	}
	if got, want := out.String(), "12:00:00  window_closed 15 requests in 2 series, 1 failed\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStoryAsJSONHasATypePerLine(t *testing.T) {
	var out bytes.Buffer
	s := &story{out: &out, json: true}
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
		for _, l := range s.lines(r, topics) {
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
	cfg, err := loadConfig()
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Sources) != 1 || len(cfg.Indicators) != 1 || len(cfg.SLOs) != 1 || len(cfg.Rules) != 1 {
		t.Errorf("%d sources, %d indicators, %d SLOs, %d rules", len(cfg.Sources), len(cfg.Indicators), len(cfg.SLOs), len(cfg.Rules))
	}
	if in := schedule(); in[0].Start > time.Minute || in[0].Validate() != nil {
		t.Errorf("first incident %v", in[0])
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
