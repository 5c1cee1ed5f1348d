package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/flyball-io/flyball/internal/embedded/chdb"
)

// The demonstration tells its whole story within a minute.
func TestDevTellsTheStory(t *testing.T) {
	t.Parallel()
	if onApache() {
		t.Skip("flyball dev brings its own Kafka")
	}
	if os.Getenv(chdb.SkipEnv) == "1" {
		t.Skipf("%s=1: no embedded ClickHouse", chdb.SkipEnv)
	}
	p := start(t, "dev", "--duration", "60s", "-o", "json",
		"--kafka-addr", "127.0.0.1:0", "--clickhouse-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0")
	if code := p.wait(75 * time.Second); code != 0 {
		t.Errorf("exit code %d", code)
	}
	seen := map[string]int{}
	for line := range strings.Lines(p.out.String()) {
		var l struct {
			Type    string
			At      time.Time
			Message string
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%v in line %q", err, line)
		}
		if l.Type == "error" || l.At.IsZero() {
			t.Errorf("line %q", line)
		}
		if len(seen) == 0 && l.Type != "ready" {
			t.Errorf("the first line is %q, want ready", line)
		}
		seen[l.Type]++
	}
	for _, kind := range []string{"ready", "window_closed", "finding", "decision", "command"} {
		if seen[kind] == 0 {
			t.Errorf("no line of type %q: %v", kind, seen)
		}
	}
	if t.Failed() {
		t.Logf("story:\n%s", p.out)
	}
	t.Logf("lines: %v", seen)
}

// Three mistakes give three lines, each with its place.
func TestLintShowsPlaces(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := `apiVersion: flyball.dev/v1
kind: Source
metadata: {name: spans}
spec:
  topics: [otlp_spans]
  format: otlp_spams
---
apiVersion: flyball.dev/v1
kind: Source
metadata: {name: more}
spec:
  topics: [more]
  format: otlp_spans
  idelTimeout: 3s
---
apiVersion: flyball.dev/v1
kind: Indicator
metadata: {name: all}
spec: {source: spans}
---
apiVersion: flyball.dev/v1
kind: Indicator
metadata: {name: requests}
spec:
  source: more
  filter: ['span.kind=~"("']
`
	if err := os.WriteFile(filepath.Join(dir, "bad.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "lint", dir)
	if code := p.wait(time.Minute); code != 3 {
		t.Errorf("exit code %d, want 3", code)
	}
	var places []string
	for line := range strings.Lines(p.out.String()) {
		places = append(places, regexp.MustCompile(`bad\.yaml:\d+:\d+: [a-z.A-Z\[\]0-9]+`).FindString(line))
	}
	want := "bad.yaml:6:11: spec.format, bad.yaml:14:3: spec.idelTimeout, bad.yaml:26:12: spec.filter[0]"
	if got := strings.Join(places, ", "); got != want {
		t.Errorf("places %s, want %s; it says:\n%s", got, want, p.out)
	}
}
