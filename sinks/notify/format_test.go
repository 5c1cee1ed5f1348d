package notify

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/flyball-io/flyball"
)

var update = flag.Bool("update", false, "rewrite the payloads in testdata")

// noon is the time of all examples.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(minutes int) flyball.Time {
	return flyball.TimeOf(noon.Add(time.Duration(minutes) * time.Minute))
}

func burn() Finding {
	limit := 14.4
	return Finding{Finding: flyball.Finding{
		ID: "f-1", Revision: 1, Kind: "burn_rate", State: flyball.FindingOpened, Severity: Page, Entity: "checkout",
		Labels: flyball.LabelsOf("service.name", "checkout", "http.route", "/pay & <go>"), Detector: "availability", Tier: "page_fast",
		At: at(0), OpenedAt: at(0), Summary: "error budget of availability burns 18.5 times too fast over 1h",
		Evidence: []flyball.Evidence{{Name: "burn_long", Value: 18.5, Threshold: &limit, Unit: "x", Window: "1h"}}, Notify: []string{"oncall"},
	}}
}

// notifications are examples of all that is told.
func notifications() map[string]*Notification {
	open := func() *Notification {
		return &Notification{ID: "n-1", Receiver: "oncall", Group: "checkout", Status: Firing, Severity: Page, Entity: "checkout", Service: "checkout",
			At: at(0), Findings: []Finding{burn()}, Decisions: []Decision{}}
	}
	await := Decision{ID: "d-1", At: at(1), Verb: flyball.VerbAwait, Severity: Page, Finding: "f-1", Rule: "rollback-on-burn",
		Action: flyball.Action{Name: "rollback"}, Target: "deploy/checkout", Operation: "o-1"}
	waits := open()
	waits.ID, waits.At, waits.Decisions = "n-2", at(1), []Decision{await}
	raised := open()
	raised.ID, raised.Findings[0].Before = "n-3", Ticket
	acked := open()
	acked.ID, acked.Status, acked.At, acked.Who = "n-4", Acknowledged, at(2), "ann"
	acked.Decisions = []Decision{await, {ID: "d-2", At: at(2), Verb: flyball.VerbAct, Finding: "f-1", Rule: "rollback-on-burn",
		Action: flyball.Action{Name: "rollback"}, Target: "deploy/checkout", Operation: "o-1", Who: "ann"}}
	over := open()
	over.ID, over.Status, over.At = "n-5", Resolved, at(9)
	over.Findings[0].State, over.Findings[0].Revision, over.Findings[0].At = flyball.FindingResolved, 2, at(9)
	over.Decisions = append(acked.Decisions, Decision{ID: "d-3", At: at(9), Verb: flyball.VerbEffective, Finding: "f-1", Rule: "rollback-on-burn",
		Action: flyball.Action{Name: "rollback"}, Target: "deploy/checkout", Operation: "o-1", Reason: "the indicator has recovered"})
	return map[string]*Notification{"firing": open(), "waits": waits, "raised": raised, "acknowledged": acked, "resolved": over}
}

const routingKey = "0123456789abcdef0123456789abcdef"

func formats() map[string]Format {
	link := "https://flyball.example.com/findings/{{finding}}?op={{operation}}"
	return map[string]Format{
		"alertmanager": Alertmanager{URL: "http://am:9093/", Header: http.Header{"Authorization": {"Bearer t"}}, Repeat: time.Minute, Link: link},
		"slack":        Slack{URL: "https://hooks.slack.example/T/B/x", Link: link},
		"pagerduty":    PagerDuty{URL: PagerDutyURL, RoutingKey: routingKey, Source: "flyball", Link: link},
		"webhook":      Webhook{URL: "https://example.com/in", Source: "/flyball/shop", Link: link},
	}
}

// TestPayloads compares payloads with those in testdata, and both with the published
// schemas.
func TestPayloads(t *testing.T) {
	for kind, f := range formats() {
		schema := schemaOf(t, kind)
		for name, n := range notifications() {
			r, err := f.Encode(n, noon.Add(10*time.Second))
			if err != nil {
				t.Errorf("%s %s: %v", kind, name, err)
				continue
			}
			file := filepath.Join("testdata", kind+"_"+name+".json")
			if r == nil {
				if kind != "alertmanager" || name != "acknowledged" {
					t.Errorf("%s has no use for %s", kind, name)
				}
				continue
			}
			var b bytes.Buffer
			if err := json.Indent(&b, append(r.Body, '\n'), "", "  "); err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", kind, name, diff)
			}
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(r.Body))
			if err != nil {
				t.Fatal(err)
			}
			if event, ok := v.(map[string]any); kind == "webhook" && ok {
				v = event["data"]
			}
			if err := schema.Validate(v); err != nil {
				t.Errorf("%s %s: %v", kind, name, err)
			}
		}
	}
}

func schemaOf(t *testing.T, kind string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	file := filepath.Join("testdata", "schema", kind+".json")
	if kind == "webhook" {
		dir := filepath.Join("..", "..", "docs", "schema")
		for _, name := range []string{"finding.v1.json", "notification.v1.json"} {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.AddResource("https://flyball.dev/schema/"+name, v); err != nil {
				t.Fatal(err)
			}
		}
		file = "https://flyball.dev/schema/notification.v1.json"
	}
	s, err := c.Compile(file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestLongTexts: whatever others have written, a payload stays within the limits of its
// receiver, and inside of its place.
func TestLongTexts(t *testing.T) {
	n := notifications()["resolved"]
	long := strings.Repeat("ü<!channel>&\"\\", 300)
	n.Entity, n.Service, n.Group, n.Status = long, long, long, Firing
	for range 25 {
		f := burn()
		f.Summary, f.Entity, f.Detector = long, long, long
		n.Findings = append(n.Findings, f)
		n.Decisions = append(n.Decisions, Decision{ID: "d", At: at(1), Verb: flyball.VerbPage, Severity: Page, Target: long, Reason: long, Operation: long})
	}
	for kind, f := range formats() {
		r, err := f.Encode(n, noon)
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(r.Body))
		if err != nil {
			t.Fatal(err)
		}
		if event, ok := v.(map[string]any); kind == "webhook" && ok {
			v = event["data"]
		}
		if err := schemaOf(t, kind).Validate(v); err != nil {
			t.Errorf("%s: %.1000v", kind, err)
		}
		if kind == "slack" && strings.Contains(string(r.Body), "<!channel>") && strings.Contains(mrkdwn(t, r.Body), "<!channel>") {
			t.Error("a summary mentions a channel")
		}
	}
}

// mrkdwn returns all text that Slack looks for control characters in.
func mrkdwn(t *testing.T, body []byte) string {
	var m slackMessage
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	all := m.Text
	for _, b := range m.Blocks {
		if b.Text != nil && b.Text.Type == "mrkdwn" {
			all += b.Text.Text
		}
		for _, e := range b.Elements {
			all += e.Text
		}
	}
	return all
}

func TestPagerDutyKeys(t *testing.T) {
	p := formats()["pagerduty"].(PagerDuty)
	keys := map[string]bool{}
	for name, n := range notifications() {
		keys[p.key(n)] = true
		if len(keys) != 1 {
			t.Errorf("%s has another key", name)
		}
	}
	other := notifications()["firing"]
	other.Group = "cart"
	if keys[p.key(other)] {
		t.Error("two groups have one key")
	}
}

// TestSignature checks the headers of Standard Webhooks, and a signature by OpenSSL.
func TestSignature(t *testing.T) {
	secret := []byte("whsecret")
	w := Webhook{URL: "http://x", Secret: secret, Source: "/flyball/shop", Header: http.Header{"X-Team": {"shop"}}}
	r, err := w.Encode(notifications()["firing"], noon)
	if err != nil {
		t.Fatal(err)
	}
	if r.Header.Get(HeaderWebhookID) != "n-1" || r.Header.Get(HeaderWebhookTimestamp) != "1772366400" || r.Header.Get("X-Team") != "shop" {
		t.Errorf("headers: %v", r.Header)
	}
	got, ok := strings.CutPrefix(r.Header.Get(HeaderWebhookSignature), "v1,")
	if !ok || got != sign(secret, "n-1", "1772366400", r.Body) {
		t.Errorf("signature: %q", r.Header.Get(HeaderWebhookSignature))
	}
	// By another implementation: printf '%s' 'msg_1.1614265330.{"test": 2432232314}' | openssl dgst -sha256 -hmac key -binary | base64
	if got := sign([]byte("key"), "msg_1", "1614265330", []byte(`{"test": 2432232314}`)); got != "JYEBfyq5bxCpG1AwdnAXovrjhgNdJUQo9x0/izmGveQ=" {
		t.Errorf("sign = %q", got)
	}
}

func TestBodyOfOnesOwn(t *testing.T) {
	n := notifications()["waits"]
	n.Entity = `say "hi"\`
	w := Webhook{URL: "http://x", Body: `{"text": "{{title}}", "who": "{{entity}}", "n": ["{{id}}", "{{status}}", "{{severity}}"]}`}
	r, err := w.Encode(n, noon)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(r.Body, &got); err != nil || got["who"] != `say "hi"\` || got["text"] != `Page: say "hi"\` {
		t.Errorf("%s: %v", r.Body, err)
	}
	if _, err := (Webhook{Body: `{"text": {{title}}}`}).Encode(n, noon); err == nil {
		t.Error("a place outside of a string was taken")
	}
}
