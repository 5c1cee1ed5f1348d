package process

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/flyball-io/flyball/internal/debug"
	"github.com/flyball-io/flyball/internal/embedded/kafka"
	"github.com/flyball-io/flyball/internal/status"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

const configuration = `apiVersion: flyball.dev/v1
kind: Pipeline
metadata: {name: test}
spec:
  kafka: {brokers: [%q]}
  commitInterval: 250ms
  partitions: {panes: 2}
  http:
    listen: 127.0.0.1:0
    tokens: [{name: ops, role: operator, token: "${env:FLYBALL_TEST_TOKEN}"}]
---
apiVersion: flyball.dev/v1
kind: Source
metadata: {name: spans}
spec: {topics: [otlp_spans], format: otlp_spans, outOfOrderness: 1s, idleTimeout: 2s}
---
apiVersion: flyball.dev/v1
kind: Indicator
metadata: {name: requests}
spec: {source: spans, filter: ['span.kind="SERVER"'], pane: 1s, window: 5s, lateness: 30s}
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: availability
  annotations: {flyball.dev/burn-rate-tiers: "page_fast=10x2m/15s:page"}
spec:
  service: shop
  indicator:
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: flyball, spec: {indicator: requests}}}
        total: {metricSource: {type: flyball, spec: {indicator: requests}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  objectives: [{target: 0.99}]
---
apiVersion: flyball.dev/v1
kind: Rule
metadata: {name: rollback-on-burn}
spec:
  when: finding.kind == "burn_rate" && finding.severity == "page"
  target: deployment/{{finding.entity}}
  action: {name: rollback}
  mode: auto
  deadline: 5m
  owner: shop-team
---
apiVersion: flyball.dev/v1
kind: Guardrail
metadata: {name: shop}
spec: {select: ['entity=~".+"']}
`

const token = "a-secret-of-twenty-one-characters"

// receiver is an OTLP receiver that keeps what it is sent.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	spans []ptrace.Span
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		request := ptraceotlp.NewExportRequest()
		if err == nil {
			err = request.UnmarshalProto(body)
		}
		if err != nil || q.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", q.URL.Path, err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, resource := range request.Traces().ResourceSpans().All() {
			if name, _ := resource.Resource().Attributes().Get("service.name"); name.Str() != "flyball" {
				t.Errorf("the service of a trace is %q", name.Str())
			}
			for _, scope := range resource.ScopeSpans().All() {
				for _, s := range scope.Spans().All() {
					r.spans = append(r.spans, s)
				}
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(r.Close)
	return r
}

// named returns the names of all spans of a trace, and how often each is there.
func (r *receiver) named(trace string) map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string]int{}
	for _, s := range r.spans {
		if s.TraceID().String() == trace {
			out[s.Name()]++
		}
	}
	return out
}

// world is a broker, and a process that has been started.
type world struct {
	dir    string
	client *kgo.Client
	cancel context.CancelFunc
	done   chan error
	addrs  map[string]string // by what is served
}

// start starts a process and waits until it serves.
func start(t *testing.T, otlp string) *world {
	t.Helper()
	t.Setenv("FLYBALL_TEST_TOKEN", token)
	cfg := kafka.Default()
	cfg.Topics = []kafka.Topic{{Name: "otlp_spans", Partitions: 1}}
	s, err := kafka.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	topics := sinkkafka.Topics{Prefix: "flyball."}
	cl, err := kgo.NewClient(kgo.SeedBrokers(s.Addrs()...), kgo.ConsumeTopics(topics.Commands()), kgo.UnknownTopicRetries(-1),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	w := &world{dir: t.TempDir(), client: cl, done: make(chan error, 1), addrs: map[string]string{}}
	if err := os.WriteFile(filepath.Join(w.dir, "flyball.yaml"), fmt.Appendf(nil, configuration, s.Addrs()[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w.cancel = cancel
	logs, out := io.Pipe()
	c := Command("v1.2.3-test", func(err error) error { return err })
	c.SetErr(out)
	c.SilenceUsage, c.SilenceErrors = true, true
	args := []string{"--config", w.dir, "--admin-listen", "127.0.0.1:0"}
	if otlp != "" {
		args = append(args, "--otlp-endpoint", otlp)
	}
	c.SetArgs(args)
	go func() {
		w.done <- c.ExecuteContext(ctx)
		out.Close()
	}()
	lines := bufio.NewScanner(logs)
	for len(w.addrs) < 2 && lines.Scan() {
		var l struct{ Msg, Addr string }
		if json.Unmarshal(lines.Bytes(), &l) == nil && strings.HasPrefix(l.Msg, "serving ") {
			w.addrs[l.Msg] = "http://" + l.Addr
		}
	}
	go func() {
		_, _ = io.Copy(io.Discard, logs) // nobody waits for the rest
	}()
	return w
}

// ready asks until all members have joined.
func (w *world) ready(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		_, code, err := (&status.API{URL: w.addrs["serving HTTP"]}).Get(ctx, "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		if code == http.StatusOK {
			return
		}
	}
}

// stop ends the process.
func (w *world) stop(t *testing.T) {
	t.Helper()
	w.cancel()
	if err := <-w.done; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
}

// incident sends four minutes of requests, which end now; half of the last two fail.
func (w *world) incident(t *testing.T) {
	t.Helper()
	end := time.Now().Add(-2 * time.Second)
	for i := range 240 {
		var spans []*tracepb.Span
		for j := range 8 {
			at := end.Add(time.Duration(i-240)*time.Second + time.Duration(j)*100*time.Millisecond)
			s := &tracepb.Span{Name: "GET /", Kind: tracepb.Span_SPAN_KIND_SERVER, StartTimeUnixNano: uint64(at.Add(-time.Millisecond).UnixNano()), EndTimeUnixNano: uint64(at.UnixNano()), Status: &tracepb.Status{}}
			if i > 120 && j%2 == 0 {
				s.Status.Code = tracepb.Status_STATUS_CODE_ERROR
			}
			spans = append(spans, s)
		}
		value, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{
			Resource:   &resourcepb.Resource{Attributes: []*commonpb.KeyValue{{Key: "service.name", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: "checkout"}}}}},
			ScopeSpans: []*tracepb.ScopeSpans{{Spans: spans}}}}})
		if err != nil {
			t.Fatal(err)
		}
		w.client.Produce(t.Context(), &kgo.Record{Topic: "otlp_spans", Value: value}, nil)
	}
	if err := w.client.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// command waits for the first command.
func (w *world) command(t *testing.T) *kgo.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		fetches := w.client.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatal("no command came")
		}
		for it := fetches.RecordIter(); !it.Done(); {
			return it.Next()
		}
	}
}

// A command's trace leads back to the batch of telemetry that it came of.
func TestTraceFromBatchToCommand(t *testing.T) {
	r := newReceiver(t)
	w := start(t, r.URL)
	w.incident(t)
	cmd := w.command(t)
	w.stop(t)
	parent := strings.Split(sinkkafka.Header(cmd, "traceparent"), "-")
	if len(parent) != 4 {
		t.Fatalf("the command has no traceparent: %v", cmd.Headers)
	}
	if ce := sinkkafka.Header(cmd, "ce_traceparent"); !strings.HasPrefix(ce, "00-"+parent[1]+"-") {
		t.Errorf("the extension of CloudEvents is %q, want trace %s", ce, parent[1])
	}
	names := r.named(parent[1])
	for _, want := range []string{
		"aggregate", "aggregate poll", "aggregate decode", "aggregate step", "aggregate commit",
		"evaluate", "evaluate poll", "evaluate decode", "evaluate step", "evaluate commit",
		"decide", "decide poll", "decide decode", "decide step", "decide commit",
		"flyball.panes publish", "flyball.panes receive", "flyball.findings publish", "flyball.findings receive", "flyball.commands publish",
	} {
		if names[want] == 0 {
			t.Errorf("there is no span %q in the trace of the command: %v", want, names)
		}
	}
	for name := range names {
		if strings.Contains(name, "otlp_spans") || strings.Contains(name, "state") {
			t.Errorf("records of telemetry or state have spans: %q", name)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if per := len(r.spans); per > 5000 {
		t.Errorf("%d spans for 240 records", per)
	}
}

// Without an endpoint nothing is traced, and status and bundle say what is going on.
func TestStatusAndBundle(t *testing.T) {
	w := start(t, "")
	w.incident(t)
	if cmd := w.command(t); sinkkafka.Header(cmd, "traceparent")+sinkkafka.Header(cmd, "ce_traceparent") != "" {
		t.Errorf("it is traced: %v", cmd.Headers)
	}
	api := w.addrs["serving HTTP"]
	w.ready(t)
	limits := status.Limits{Delay: 5 * time.Minute, Shown: 5}
	s, err := status.FromAPI(t.Context(), &status.API{URL: api, Token: token}, limits)
	if err != nil {
		t.Fatal(err)
	}
	checkStatus(t, s)
	if s.Process == nil || s.Process.Version != "v1.2.3-test" || len(s.Process.Members) < 3 {
		t.Errorf("the process is %+v", s.Process)
	}
	if s, err := status.FromAPI(t.Context(), &status.API{URL: api}, limits); err != nil || len(s.Missing) == 0 || !strings.Contains(strings.Join(s.Missing, " "), "401") {
		t.Errorf("without a token: %+v, %v", s, err)
	}
	if s, err = status.Ask(t.Context(), &status.API{}, w.dir, limits); err != nil {
		t.Fatal(err)
	}
	checkStatus(t, s)
	if len(s.Roles) != 3 || s.Roles[0].Members == 0 || s.Roles[0].State != "Stable" {
		t.Errorf("the roles are %+v", s.Roles)
	}
	w.checkBundle(t)
	w.stop(t)
	if s, err = status.Ask(t.Context(), &status.API{}, w.dir, limits); err != nil {
		t.Fatal(err)
	}
	if s.Healthy || !strings.Contains(strings.Join(s.Problems, "\n"), "nobody is in group flyball-evaluate") {
		t.Errorf("once it is stopped: %+v", s)
	}
}

func checkStatus(t *testing.T, s *status.Status) {
	t.Helper()
	if !s.Healthy || len(s.Problems) > 0 || len(s.Missing) > 0 {
		t.Errorf("by %s it is not healthy: %v, missing %v", s.From, s.Problems, s.Missing)
	}
	if s.Open["page"] != 1 || len(s.Findings) == 0 || s.Findings[0].Entity != "checkout" {
		t.Errorf("by %s the findings are %+v, %+v", s.From, s.Open, s.Findings)
	}
	if len(s.Decisions) == 0 || s.Decisions[0].Target != "deployment/checkout" {
		t.Errorf("by %s the decisions are %+v", s.From, s.Decisions)
	}
	if len(s.Sources) != 1 || s.Sources[0].Delay > 5*time.Minute || s.Automation.State != "acting" {
		t.Errorf("by %s the sources are %+v, automation %+v", s.From, s.Sources, s.Automation)
	}
}

// checkBundle collects a bundle with one part that cannot be had.
func (w *world) checkBundle(t *testing.T) {
	t.Helper()
	var out, talk bytes.Buffer
	c := debug.Command("v1.2.3-test", func(err error) error { return err })
	c.SetOut(&out)
	c.SetErr(&talk)
	c.SilenceUsage, c.SilenceErrors = true, true
	c.SetArgs([]string{"bundle", "--config", w.dir, "--api", w.addrs["serving HTTP"], "--token", token, "--admin", w.addrs["serving profiles"], "--cpu", "1s", "--out", "-"})
	if err := c.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	files := unpack(t, out.Bytes())
	for name, want := range map[string]string{
		"version.json": "v1.2.3-test", "config.yaml": "rollback-on-burn", "lint.txt": "", "status.json": `"healthy": true`, "decisions.ndjson": "deployment/checkout",
		"groups.json": "flyball-aggregate-spans", "topics.json": "flyball.panes", "topic-settings.json": "cleanup.policy", "metrics.txt": "flyball_decisions_total",
		"readyz.txt": "evaluate-0: joined", "process.json": "v1.2.3-test", "control.json": "breakers", "goroutine.txt": "goroutine ", "heap.pb.gz": "\x1f\x8b", "cpu.pb.gz": "\x1f\x8b",
	} {
		if content, ok := files[name]; !ok || !strings.Contains(content, want) {
			t.Errorf("%s: %q is not in\n%.300s", name, want, content)
		}
	}
	if e, ok := files["errors.txt"]; ok {
		t.Errorf("errors.txt: %s", e)
	}
	for name, content := range files {
		if strings.Contains(content, token) {
			t.Errorf("%s tells a secret", name)
		}
	}
	// A process that is not there costs its own parts only.
	out.Reset()
	c.SetArgs([]string{"bundle", "--config", w.dir, "--api", "http://127.0.0.1:1", "--admin", "http://127.0.0.1:1", "--out", "-"})
	if err := c.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	files = unpack(t, out.Bytes())
	for _, name := range []string{"metrics.txt", "readyz.txt", "goroutine.txt", "cpu.pb.gz"} {
		if !strings.Contains(files["errors.txt"], name+": ") || !strings.Contains(talk.String(), "not in it: "+name) {
			t.Errorf("errors.txt does not name %s:\n%s", name, files["errors.txt"])
		}
	}
	if files["status.json"] == "" || files["topics.json"] == "" {
		t.Error("what could be had is missing")
	}
}

func unpack(t *testing.T, archive []byte) map[string]string {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for in := tar.NewReader(zip); ; {
		h, err := in.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimPrefix(h.Name, "flyball-debug/")] = string(text)
	}
}

func TestWrongArguments(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "flyball.yaml"), []byte("apiVersion: flyball.dev/v1\nkind: Pipeline\nmetadata: {name: x}\nspec: {http: {listen: '127.0.0.1:0'}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(want string, args ...string) {
		t.Helper()
		c := Command("v", func(err error) error { return fmt.Errorf("usage: %w", err) })
		c.SetErr(io.Discard)
		c.SilenceUsage, c.SilenceErrors = true, true
		c.SetArgs(append(args, "--config", dir))
		if err := c.ExecuteContext(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "usage: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("run %v: %v, want %q", args, err, want)
		}
	}
	f("others than this machine could connect", "--admin-listen", ":6060")
	f("unknown log level", "--log-level", "loud")
	f("unexpected argument", "now")
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "carrier-pigeon")
	f("unknown protocol", "--otlp-endpoint", "http://127.0.0.1:4318")
}
