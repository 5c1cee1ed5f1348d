package e2e

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// readiness returns what a process answers to a readiness probe, "" while it does not.
func (p *process) readiness() (code int, text string) {
	m := httpAddr.FindStringSubmatch(p.log.String())
	if m == nil {
		return 0, ""
	}
	resp, err := http.Get("http://" + m[1] + "/readyz?verbose")
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, ""
	}
	return resp.StatusCode, string(body)
}

// TestStandbyIsReady: of two processes that decide, one has nothing to do, and is ready
// to take over all the same: whoever starts them one after the other waits for no more.
func TestStandbyIsReady(t *testing.T) {
	b := newBroker(t)
	dir := b.settings("").write(t, spanSource(b.topic(t, "spans", 1))+costlyIndicators())
	given := regexp.MustCompile(`decide-0: joined, (\d+) partitions`)
	var all []*process
	for range 2 {
		all = append(all, start(t, "run", "--config", dir, "--roles", "decide"))
	}
	await(t, patience, "both are ready", func() string {
		var partitions []string
		for _, p := range all {
			code, text := p.readiness()
			m := given.FindStringSubmatch(text)
			if code != http.StatusOK || m == nil {
				return fmt.Sprintf("%d %q", code, text)
			}
			partitions = append(partitions, m[1])
		}
		if got := strings.Join(partitions, " "); got != "3 0" && got != "0 3" {
			return got
		}
		return ""
	})
	for _, p := range all {
		p.terminate()
	}
}
