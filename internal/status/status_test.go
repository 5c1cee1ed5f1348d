package status

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

var errUsage, errExit = errors.New("usage"), errors.New("exit")

func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	c := Command(func(err error) error { return fmt.Errorf("%w: %w", errUsage, err) }, func(int) error { return errExit })
	var out bytes.Buffer
	c.SetOut(&out)
	c.SetErr(&out)
	c.SilenceUsage, c.SilenceErrors = true, true
	c.SetArgs(args)
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}

// process answers as one does whose evaluate member has not joined, while automation is
// paused and time stands still.
func process(t *testing.T, ready bool, watermark time.Time) string {
	t.Helper()
	answers := map[string]string{
		"/api/v1/status": fmt.Sprintf(`{"version":"1.2.3","roles":["evaluate"],"started_at":"2026-01-01T00:00:00Z","ready":%v,"members":[{"role":"evaluate","name":"evaluate-0","joined":%v}]}`, ready, ready),
		"/metrics": fmt.Sprintf("# TYPE flyball_watermark_seconds gauge\nflyball_watermark_seconds{source=\"spans\",partition=\"0\"} %d\nflyball_watermark_seconds{source=\"spans\",partition=\"1\"} %d\n"+
			"# TYPE flyball_lag_records gauge\nflyball_lag_records{role=\"evaluate\",topic=\"flyball.panes\",partition=\"0\"} 40\nflyball_lag_records{role=\"evaluate\",topic=\"flyball.panes\",partition=\"1\"} 2\n",
			watermark.Unix()+600, watermark.Unix()),
		"/api/v1/findings":  `{"items":[{"id":"a","kind":"anomaly","state":"opened","severity":"info","entity":"search","summary":"odd"},{"id":"b","kind":"burn_rate","state":"opened","severity":"page","entity":"cart","summary":"budget burns"}],"next":null}`,
		"/api/v1/decisions": `{"items":[{"id":"d","verb":"act","rule":"r","action":{"name":"rollback"},"target":"deployment/cart","reason":"it burns"}],"next":null}`,
		"/api/v1/control":   `{"clock":"2026-01-01T00:00:00Z","holds":[{"id":"x","kind":"pause","scope":{"kind":"service","name":"cart"},"who":"ann","why":"load test"}],"breakers":[{"guardrail":"shop","reason":"too many"}],"waiting":[{}],"unknown":[]}`,
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := answers[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestHealthy(t *testing.T) {
	out, err := run(t, "--api", process(t, true, time.Now().Add(-10*time.Second)))
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"healthy, as http", "flyball 1.2.3", "evaluate  42 records behind", "spans", "behind the clock", "held in part, 1 wait for approval",
		"pause of service cart by ann: load test", "shop: too many", "1 page, 0 ticket, 1 info", "budget burns", "rollback deployment/cart"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if strings.Index(out, "budget burns") > strings.Index(out, "odd") {
		t.Errorf("the page is not first:\n%s", out)
	}
}

func TestNotHealthy(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		out, err := run(t, args...)
		if !errors.Is(err, errExit) || !strings.Contains(out, want) {
			t.Errorf("%v: %v, %q is not in\n%s", args, err, want, out)
		}
	}
	now := time.Now()
	f("members have not joined their groups: [evaluate-0]", "--api", process(t, false, now))
	f("event time of source spans is 1h0m", "--api", process(t, true, now.Add(-time.Hour)))
	f(`"healthy":false`, "-o", "json", "--api", process(t, true, now.Add(-time.Hour)))
	f("role evaluate is 42 records behind", "--max-lag", "41", "--api", process(t, true, now))
	if out, err := run(t, "--max-lag", "42", "--max-delay", "2h", "--api", process(t, true, now.Add(-time.Hour))); err != nil {
		t.Errorf("within its limits: %v\n%s", err, out)
	}
}

func TestNobodyAnswers(t *testing.T) {
	if _, err := run(t, "--api", "http://127.0.0.1:1"); err == nil || errors.Is(err, errExit) || errors.Is(err, errUsage) {
		t.Errorf("%v", err)
	}
	for _, args := range [][]string{{}, {"--api", "http://x", "--config", "y"}, {"--api", "http://x", "-o", "xml"}, {"--config", "/nowhere"}} {
		if _, err := run(t, args...); !errors.Is(err, errUsage) {
			t.Errorf("%v: %v", args, err)
		}
	}
}
