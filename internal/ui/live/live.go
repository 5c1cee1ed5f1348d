// Package live tells browsers what has changed, by server-sent events. One poller asks for
// all of them, and only while somebody listens.
package live

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Hub polls and tells. Set its fields before Run.
type Hub struct {
	// Counts says how far each thing has come; another number is a change.
	Counts func(context.Context) (map[string]uint64, error)
	// Every is the time between two polls, MaxClients how many may listen.
	Every      time.Duration
	MaxClients int
	// Refused counts who is turned away.
	Refused prometheus.Counter
	// Changed is called before anybody is told; nil does nothing.
	Changed func()
	// Log takes what goes wrong.
	Log *slog.Logger

	mu      sync.Mutex
	clients map[*client]struct{}
	ended   bool
	wake    chan struct{} // somebody listens
}

// client is one browser. What it was not told yet is gathered, so that one that is slow
// costs a set of names and holds nobody up.
type client struct {
	pending map[string]bool
	signal  chan struct{}
}

// retryMillis is how long browsers wait before they connect again.
const retryMillis = 3000

// heartbeat keeps proxies from ending a connection that is silent.
const heartbeat = 15 * time.Second

// New returns a hub with its limits.
func New(counts func(context.Context) (map[string]uint64, error), every time.Duration, maxClients int) *Hub {
	return &Hub{Counts: counts, Every: every, MaxClients: maxClients, clients: map[*client]struct{}{}, wake: make(chan struct{}, 1),
		Refused: prometheus.NewCounter(prometheus.CounterOpts{Name: "flyball_ui_clients_refused_total", Help: "Browsers that were refused live updates: too many listen."}),
		Log:     slog.New(slog.DiscardHandler)}
}

// Run polls until the context ends; then every browser is let go.
func (h *Hub) Run(ctx context.Context) error {
	defer h.end()
	tick := time.NewTicker(h.Every)
	defer tick.Stop()
	var before map[string]uint64
	trouble := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-h.wake:
		}
		if h.listeners() == 0 {
			before = nil
			continue
		}
		now, err := h.Counts(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			if !trouble {
				h.Log.Warn("cannot poll for the web UI", "error", err)
			}
			trouble = true
			h.tell([]string{"trouble"})
			continue
		case trouble:
			trouble = false
			h.tell([]string{"well"})
		}
		if before != nil {
			if changed := difference(before, now); len(changed) > 0 {
				if h.Changed != nil {
					h.Changed()
				}
				h.tell(changed)
			}
		}
		before = now
	}
}

func difference(before, now map[string]uint64) []string {
	var changed []string
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if now[name] != before[name] {
			changed = append(changed, name)
		}
	}
	return changed
}

// Tell tells every browser that things have changed.
func (h *Hub) Tell(names ...string) { h.tell(names) }

func (h *Hub) tell(names []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.clients {
		for _, n := range names {
			c.pending[n] = true
		}
		select {
		case c.signal <- struct{}{}:
		default:
		}
	}
}

func (h *Hub) listeners() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.clients)
}

// join takes a browser in; nil when there are too many, or it is over.
func (h *Hub) join() *client {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended || len(h.clients) >= h.MaxClients {
		return nil
	}
	c := &client{pending: map[string]bool{}, signal: make(chan struct{}, 1)}
	h.clients[c] = struct{}{}
	select {
	case h.wake <- struct{}{}:
	default:
	}
	return c
}

func (h *Hub) leave(c *client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.clients, c)
}

// end lets everybody go.
func (h *Hub) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	for c := range h.clients {
		close(c.signal)
		delete(h.clients, c)
	}
}

// take returns what a browser was not told yet; ok is false when it is over.
func (h *Hub) take(c *client) (names []string, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	names = slices.Sorted(maps.Keys(c.pending))
	clear(c.pending)
	_, ok = h.clients[c]
	return names, ok
}

// ServeHTTP sends events of the name "changed" whose data is the names of what has
// changed, separated by commas.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := h.join()
	if c == nil {
		h.Refused.Inc()
		w.Header().Set("Retry-After", "30")
		http.Error(w, "too many browsers listen for updates: reload the page to see what is new", http.StatusServiceUnavailable)
		return
	}
	defer h.leave(c)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	out := http.NewResponseController(w)
	send := func(format string, args ...any) bool {
		_ = out.SetWriteDeadline(time.Now().Add(heartbeat)) // recorders of tests have none
		if _, err := fmt.Fprintf(w, format, args...); err != nil {
			return false
		}
		return out.Flush() == nil
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	alive := send("retry: %d\nevent: hello\ndata: ok\n\n", retryMillis)
	for alive {
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
			alive = send(": still here\n\n")
		case <-c.signal:
			names, ok := h.take(c)
			if !ok {
				return
			}
			alive = send("event: changed\ndata: %s\n\n", strings.Join(names, ","))
		}
	}
}
