package live

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// table counts, or fails.
type table struct {
	mu   sync.Mutex
	n    uint64
	err  error
	asks int
}

func (c *table) counts(context.Context) (map[string]uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asks++
	return map[string]uint64{"windows": c.n, "findings": 1}, c.err
}

func (c *table) set(n uint64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n, c.err = n, err
}

func listen(t *testing.T, url string) *bufio.Scanner {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close(); http.DefaultClient.CloseIdleConnections() })
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("got %d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	return bufio.NewScanner(resp.Body)
}

// until reads events until one has the data.
func until(t *testing.T, s *bufio.Scanner, data string) {
	t.Helper()
	for s.Scan() {
		if s.Text() == "data: "+data {
			return
		}
	}
	t.Fatalf("the stream ended before %q: %v", data, s.Err())
}

func TestBrowsersAreToldWhatChanged(t *testing.T) {
	var c table
	h := New(c.counts, 2*time.Millisecond, 2)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	srv := httptest.NewServer(h)
	defer srv.Close()

	time.Sleep(20 * time.Millisecond) // nobody listens
	if c.asks != 0 {
		t.Errorf("%d polls while nobody listens", c.asks)
	}
	a, b := listen(t, srv.URL), listen(t, srv.URL)
	until(t, a, "ok")
	until(t, b, "ok")
	resp, err := http.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != 503 || !strings.Contains(string(text), "too many") || resp.Header.Get("Retry-After") == "" {
		t.Errorf("the third browser gets %d %s", resp.StatusCode, text)
	}
	n := uint64(0)
	for range 3 {
		n++
		for c.asked() { // a count must have been seen before another is a change
		}
		c.set(n, nil)
		until(t, a, "windows")
		until(t, b, "windows")
	}
	c.set(n, errors.New("away"))
	until(t, a, "trouble")
	c.set(n, nil)
	until(t, a, "well")
	h.Tell("controls")
	until(t, b, "controls")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for a.Scan() { // ends
	}
	if h.join() != nil {
		t.Error("somebody may join after the end")
	}
}

// asked waits for two more polls, and then is false.
func (c *table) asked() bool {
	c.mu.Lock()
	before := c.asks
	c.mu.Unlock()
	for {
		time.Sleep(time.Millisecond)
		c.mu.Lock()
		now := c.asks
		c.mu.Unlock()
		if now >= before+2 {
			return false
		}
	}
}
