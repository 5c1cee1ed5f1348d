package notifications_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
	"github.com/flyball-io/flyball/internal/embedded/kafka"
	"github.com/flyball-io/flyball/internal/pipeline"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// receiver is an HTTP server that remembers what it was told.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(n int, w http.ResponseWriter) // n counts from 1; nil is yes
	calls  int
	told   []string // status and id of what was taken
	heard  chan struct{}
}

func newReceiver(t *testing.T, answer func(int, http.ResponseWriter)) *receiver {
	r := &receiver{answer: answer, heard: make(chan struct{}, 100)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		var event struct {
			Data struct{ ID, Status, Summary string }
		}
		if err != nil || json.Unmarshal(body, &event) != nil {
			t.Errorf("an unreadable notification: %s", body)
		}
		r.mu.Lock()
		r.calls++
		n, answer := r.calls, r.answer
		r.mu.Unlock()
		taken := &status{ResponseWriter: w, code: http.StatusOK}
		if answer != nil {
			answer(n, taken)
		}
		if taken.code/100 == 2 {
			r.mu.Lock()
			r.told = append(r.told, event.Data.Status+" "+event.Data.Summary)
			r.mu.Unlock()
		}
		r.heard <- struct{}{}
	}))
	t.Cleanup(r.Close)
	return r
}

// status remembers the code of an answer.
type status struct {
	http.ResponseWriter
	code int
}

// WriteHeader implements http.ResponseWriter.
func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// hears waits for so many calls.
func (r *receiver) hears(t *testing.T, calls int) {
	t.Helper()
	for range calls {
		select {
		case <-r.heard:
		case <-time.After(30 * time.Second):
			t.Fatalf("nothing is heard; told so far: %v", r.taken())
		}
	}
}

func (r *receiver) taken() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.told...)
}

// world is a broker with a configuration of receivers.
type world struct {
	t      *testing.T
	cfg    *config.Config
	client *kgo.Client
	encode sinkkafka.Encoder
}

func newWorld(t *testing.T, receivers map[string]string) *world {
	t.Helper()
	broker, err := kafka.Start(t.Context(), kafka.Default())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Close() })
	text := fmt.Sprintf("apiVersion: flyball.dev/v1\nkind: Pipeline\nmetadata: {name: shop}\nspec: {commitInterval: 20ms, kafka: {brokers: [%q], sessionTimeout: 6s}, partitions: {panes: 1}}\n", broker.Addrs()[0])
	for name, url := range receivers {
		text += fmt.Sprintf("---\napiVersion: flyball.dev/v1\nkind: Receiver\nmetadata: {name: %s}\nspec: {catchAll: true, wait: 50ms, webhook: {url: %q, headers: {Authorization: Bearer hunter2}}}\n", name, url+"/hunter2")
	}
	cfg, problems := config.Options{}.Read([]config.File{{Name: "c.yaml", Text: []byte(text)}})
	if strictyaml.HasErrors(problems) {
		t.Fatal(problems)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &world{t, cfg, client, sinkkafka.Encoder{Topics: sinkkafka.Topics{Prefix: "flyball."}, Source: "/flyball/shop"}}
}

// run runs the role until it is stopped, and returns what it counts.
func (w *world) run() (stop func(), metric func(name string, labels ...string) float64) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	registry := prometheus.NewRegistry()
	var log syncWriter
	done := make(chan error, 1)
	health := new(pipeline.Health)
	go func() {
		done <- pipeline.Run(ctx, pipeline.Options{Config: w.cfg, Roles: []string{"notify"}, Log: slog.New(slog.NewTextHandler(&log, nil)),
			Metrics: pipeline.NewMetrics(registry), Health: health})
	}()
	for end := time.Now().Add(20 * time.Second); !health.Ready() && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("the role ended: %v\n%s", err, log.String())
		}
		if strings.Contains(log.String(), "hunter2") {
			w.t.Errorf("a secret is logged:\n%s", log.String())
		}
	})
	w.t.Cleanup(stop)
	return stop, func(name string, labels ...string) float64 { return valueOf(w.t, registry, name, labels) }
}

// valueOf returns the value of a metric with these label values.
func valueOf(t *testing.T, registry *prometheus.Registry, name string, labels []string) float64 {
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var values []string
			for _, l := range m.GetLabel() {
				values = append(values, l.GetValue())
			}
			if f.GetName() == name && cmp.Equal(values, labels) {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return 0
}

type syncWriter struct {
	mu sync.Mutex
	b  strings.Builder
}

// Write implements io.Writer.
func (s *syncWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

// String returns what was written.
func (s *syncWriter) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (w *world) finding(id string, revision int, state flyball.FindingState) {
	w.t.Helper()
	at := flyball.TimeOf(time.Now())
	r, err := w.encode.Finding(&flyball.Finding{ID: id, Revision: revision, Kind: "burn_rate", State: state, Severity: "page", Entity: "cart-" + id,
		Detector: "availability", At: at, OpenedAt: at, Summary: "summary of " + id})
	w.send(r, err)
}

func (w *world) send(r *kgo.Record, err error) {
	w.t.Helper()
	if err == nil {
		err = w.client.ProduceSync(w.t.Context(), r).FirstErr()
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func expect(t *testing.T, r *receiver, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, r.taken()); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

const (
	firing   = "firing Page: cart-a: summary of a"
	resolved = "resolved Resolved: cart-a: summary of a"
)

// TestRestart: what was told before a restart is not told again, what happened
// meanwhile is, and what is being sent when a process ends is finished.
func TestRestart(t *testing.T) {
	slow := make(chan struct{})
	r := newReceiver(t, func(n int, _ http.ResponseWriter) {
		if n == 1 {
			<-slow
		}
	})
	w := newWorld(t, map[string]string{"hook": r.URL})
	stop, _ := w.run()
	w.finding("a", 1, flyball.FindingOpened)
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		r.mu.Lock()
		n := r.calls
		r.mu.Unlock()
		if n > 0 {
			break
		}
	}
	time.AfterFunc(100*time.Millisecond, func() { close(slow) })
	stop() // in the middle of sending
	expect(t, r, firing)
	w.finding("a", 1, flyball.FindingOpened) // again
	w.finding("a", 2, flyball.FindingResolved)
	w.finding("b", 1, flyball.FindingOpened)
	w.finding("b", 2, flyball.FindingResolved)
	r.hears(t, 1)
	_, metric := w.run()
	r.hears(t, 1)
	expect(t, r, firing, resolved)
	if metric("flyball_notifications_total", "hook", "resolved_before") != 1 {
		t.Error("b was not resolved before it was told")
	}
}

// TestReceiversThatFail: one that is down for a while is told later, one that refuses
// is left, and neither holds up the others.
func TestReceiversThatFail(t *testing.T) {
	fine := newReceiver(t, nil)
	down := newReceiver(t, func(n int, w http.ResponseWriter) {
		if n < 3 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader([]int{http.StatusBadGateway, http.StatusTooManyRequests}[n-1])
		}
	})
	refuses := newReceiver(t, func(n int, w http.ResponseWriter) {
		if n == 1 {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, "hunter2 is no good")
		}
	})
	w := newWorld(t, map[string]string{"fine": fine.URL, "down": down.URL, "refuses": refuses.URL})
	_, metric := w.run()
	w.finding("a", 1, flyball.FindingOpened)
	fine.hears(t, 1)
	refuses.hears(t, 1)
	down.hears(t, 3)
	w.finding("a", 2, flyball.FindingResolved)
	for _, r := range []*receiver{fine, refuses, down} {
		r.hears(t, 1)
	}
	expect(t, fine, firing, resolved)
	expect(t, down, firing, resolved)
	expect(t, refuses, resolved)
	for end := time.Now().Add(10 * time.Second); metric("flyball_notifications_total", "down", "sent") < 2 && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	if n := metric("flyball_notifications_total", "refuses", "refused"); n != 1 {
		t.Errorf("%v were refused", n)
	}
	if n := metric("flyball_dead_letters_total", "notification_refused", "notify"); n != 1 {
		t.Errorf("%v dead letters", n)
	}
	dead := w.read("flyball.deadletter")
	d, err := sinkkafka.ReadDeadLetter(dead)
	if err != nil || d.Stage != "notify" || d.Reason != "notification_refused" || strings.Contains(d.Message+string(dead.Value), "hunter2") || !strings.Contains(string(dead.Value), `"group":"entity/cart-a"`) {
		t.Errorf("dead letter: %+v, %v, %s", d, err, dead.Value)
	}
}

// read returns the first record of a topic.
func (w *world) read(topic string) *kgo.Record {
	w.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(w.cfg.Pipeline.Kafka.Brokers...), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	records := client.PollFetches(ctx).Records()
	if len(records) == 0 {
		w.t.Fatalf("nothing is on %s", topic)
	}
	return records[0]
}

// TestHistoryIsNotTold: who begins for the first time does not tell what is long known,
// and goes past what is no event.
func TestHistoryIsNotTold(t *testing.T) {
	r := newReceiver(t, nil)
	w := newWorld(t, map[string]string{"hook": r.URL})
	stop, _ := w.run() // makes the topics
	stop()
	w.cfg.Pipeline.Kafka.Group = "another"
	at := flyball.TimeOf(time.Now())
	old, err := w.encode.Finding(&flyball.Finding{ID: "old", Revision: 1, Kind: "burn_rate", State: flyball.FindingOpened, Severity: "page", Entity: "x", Detector: "d", At: at, OpenedAt: at})
	if err == nil {
		old.Timestamp = time.Now().Add(-time.Hour)
	}
	w.send(old, err)
	w.send(&kgo.Record{Topic: "flyball.findings", Value: []byte("nonsense")}, nil)
	_, metric := w.run()
	w.finding("a", 1, flyball.FindingOpened)
	r.hears(t, 1)
	expect(t, r, firing)
	if n := metric("flyball_dead_letters_total", "malformed", "notify"); n != 1 {
		t.Errorf("%v dead letters", n)
	}
}

// TestTakeOver: of two processes one tells, and the other goes on where it ends.
func TestTakeOver(t *testing.T) {
	r := newReceiver(t, nil)
	w := newWorld(t, map[string]string{"hook": r.URL})
	stops := []func(){}
	for range 2 {
		stop, _ := w.run()
		stops = append(stops, stop)
	}
	w.finding("a", 1, flyball.FindingOpened)
	r.hears(t, 1)
	time.Sleep(200 * time.Millisecond) // that it was told is committed meanwhile
	stops[0]()
	w.finding("a", 2, flyball.FindingResolved)
	r.hears(t, 1)
	expect(t, r, firing, resolved)
}
