package e2e

import (
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flyball-io/flyball/internal/embedded/chdb"
)

// Examples are played to their end: something is found, the executor obeys, what it did
// ends the incident, and that is seen. The other examples differ in configuration and
// telemetry only, which tests of their own look at.
func TestDevPlaysExamples(t *testing.T) {
	t.Parallel()
	if onApache() {
		t.Skip("flyball dev brings its own Kafka")
	}
	if os.Getenv(chdb.SkipEnv) == "1" {
		t.Skipf("%s=1: no embedded ClickHouse", chdb.SkipEnv)
	}
	for name, want := range map[string]string{
		"security-containment": "finding opened, decision act, command revoke-sessions, outcome accepted, outcome succeeded, finding resolved, decision recovered",
		"canary-rollback":      "verdict fail, finding opened, decision act, command withdraw, outcome accepted, outcome succeeded, finding resolved, decision recovered",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, "dev", "--example", name, "-o", "json",
				"--kafka-addr", "127.0.0.1:0", "--clickhouse-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0")
			deadline := time.Now().Add(100 * time.Second)
			for !strings.Contains(p.out.String(), `"verb":"recovered"`) && time.Now().Before(deadline) {
				time.Sleep(200 * time.Millisecond)
			}
			p.signal(syscall.SIGTERM)
			if code := p.wait(30 * time.Second); code != 0 {
				t.Errorf("exit code %d", code)
			}
			seen := map[string]bool{}
			for line := range strings.Lines(p.out.String()) {
				var l struct {
					Type, State, Verb, Verdict string
					Action                     struct{ Name string }
					CEType                     string `json:"ce_type"`
				}
				if err := json.Unmarshal([]byte(line), &l); err != nil {
					t.Fatalf("%v in line %q", err, line)
				}
				what := map[string]string{"finding": l.State, "decision": l.Verb, "command": l.Action.Name, "verdict": l.Verdict,
					"outcome": strings.TrimSuffix(strings.TrimPrefix(l.CEType, "dev.flyball.outcome."), ".v1")}
				seen[l.Type+" "+what[l.Type]] = true
				if l.Type == "error" {
					t.Errorf("line %q", line)
				}
			}
			for _, w := range strings.Split(want, ", ") {
				if !seen[w] {
					t.Errorf("there was no %s; there were %v", w, seen)
				}
			}
		})
	}
}
