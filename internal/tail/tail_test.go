package tail

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/embedded/kafka"
	"github.com/flyball-io/flyball/processors"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// world is a broker with results, and a configuration that names it.
type world struct {
	dir    string
	client *kgo.Client
	events sinkkafka.Encoder
}

var errUsage = errors.New("usage")

func start(t *testing.T) *world {
	t.Helper()
	topics := sinkkafka.Topics{Prefix: "flyball."}
	cfg := kafka.Default()
	for _, k := range kinds() {
		cfg.Topics = append(cfg.Topics, kafka.Topic{Name: k.topic(topics), Partitions: 2})
	}
	s, err := kafka.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	cl, err := kgo.NewClient(kgo.SeedBrokers(s.Addrs()...), kgo.TransactionalID("test"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	w := &world{dir: t.TempDir(), client: cl, events: sinkkafka.Encoder{Topics: topics, Source: "/test"}}
	text := fmt.Sprintf("apiVersion: flyball.dev/v1\nkind: Pipeline\nmetadata: {name: test}\nspec: {kafka: {brokers: [%q]}}\n", s.Addrs()[0])
	if err := os.WriteFile(filepath.Join(w.dir, "flyball.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

// send sends records in one transaction, which is committed or not.
func (w *world) send(t *testing.T, commit kgo.TransactionEndTry, records ...*kgo.Record) {
	t.Helper()
	if err := w.client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := w.client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := w.client.EndTransaction(t.Context(), commit); err != nil {
		t.Fatal(err)
	}
}

func (w *world) finding(t *testing.T, id, service, severity string, at time.Time) *kgo.Record {
	t.Helper()
	r, err := w.events.Finding(&flyball.Finding{ID: id, Revision: 1, Kind: "burn_rate", State: flyball.FindingOpened, Severity: severity, Entity: service,
		Labels: flyball.Labels{{Name: "service.name", Value: service}}, Detector: "availability", At: flyball.TimeOf(at), OpenedAt: flyball.TimeOf(at), Summary: "budget of " + service + " burns"})
	if err != nil {
		t.Fatal(err)
	}
	r.Partition = int32(len(id) % 2)
	return r
}

// tail runs the command to its end.
func (w *world) tail(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := w.run(t.Context(), &out, append(args, "--follow=false")...)
	return out.String(), err
}

func (w *world) run(ctx context.Context, out io.Writer, args ...string) error {
	c := Command(func(err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	c.SetOut(out)
	c.SetErr(out)
	c.SilenceUsage, c.SilenceErrors = true, true
	c.SetArgs(append(args, "--config", w.dir))
	return c.ExecuteContext(ctx)
}

func TestLastLines(t *testing.T) {
	w := start(t)
	now := time.Now()
	for i := range 15 {
		w.send(t, kgo.TryCommit, w.finding(t, strings.Repeat("f", i+1), []string{"cart", "search"}[i%2], []string{"page", "ticket", "info"}[i%3], now.Add(time.Duration(i-60)*time.Minute)))
	}
	w.send(t, kgo.TryAbort, w.finding(t, "taken-back", "cart", "page", now))
	f := func(args string, lines int, wants ...string) {
		t.Helper()
		out, err := w.tail(t, strings.Fields("findings "+args)...)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(out, "\n"); n != lines {
			t.Errorf("tail findings %s: %d lines, want %d:\n%s", args, n, lines, out)
		}
		for _, want := range wants {
			if !strings.Contains(out, want) {
				t.Errorf("tail findings %s: %q is not in\n%s", args, want, out)
			}
		}
		if strings.Contains(out, "taken-back") {
			t.Error("what was aborted is shown")
		}
	}
	f("", 10, "opened    page    cart  budget of cart burns")
	f("-n 3", 3)
	f("-n 0", 0)
	f("-n 100", 15)
	f("-n 100 --service cart", 8)
	f("-n 100 --severity ticket", 5, "ticket")
	f("-n 100 --service nobody", 0)
	f("--since 50m30s", 5)
	f("--since 50m30s -n 2", 2)
	f("-n 1 -o json", 1, `"kind":"finding"`, `"id":"fffffffffffffff"`, `"place":"flyball.findings/1@`, `"severity":"info"`)
}

func TestEveryKind(t *testing.T) {
	w := start(t)
	at := flyball.TimeOf(time.Now())
	encode := func(r *kgo.Record, err error) *kgo.Record {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	action := flyball.Action{Name: "rollback"}
	windows := &processors.Windows{}
	nan := math.NaN()
	windows.Append(processors.WindowRow{Indicator: "requests", Entity: "cart", Labels: `{"service.name":"cart"}`, Start: at.Add(-time.Minute), End: at, Revision: 2,
		Count: 10, Bad: 3, Sum: 5, Min: 1, Max: 2, P50: 1, P90: 2, P95: 2, P99: 2, Complete: true})
	windows.Append(processors.WindowRow{Indicator: "queue", Entity: "mail", Labels: `{"service.name":"mail"}`, Start: at.Add(-time.Minute), End: at, Revision: 1,
		Sum: nan, Min: nan, Max: nan, P50: nan, P90: nan, P95: nan, P99: nan})
	records := []*kgo.Record{
		encode(w.events.Decision(&flyball.Decision{ID: "d1", At: at, Verb: "act", Rule: "r", Finding: "f", Entity: "cart", Target: "deployment/cart", Action: action, Mode: "auto", Reason: "it burns"})),
		encode(w.events.Command(&flyball.Command{ID: "c1", At: at, Decision: "d1", OperationID: "o1", Attempt: 1, Action: action, Target: "deployment/cart", Mode: "auto", Deadline: at.Add(time.Minute)})),
		encode(w.events.Outcome(&flyball.Outcome{ID: "u1", Class: flyball.OutcomeSucceeded, Command: "c1", Target: "deployment/cart", At: at, OperationID: "o1", Attempt: 1, Started: at, Finished: at})),
		encode(w.events.Verdict(&flyball.Verdict{ID: "v1", Revision: 1, Canary: "release", Entity: "cart", Version: "2", Phase: "running", Verdict: "fail", At: at, StartedAt: at, EndsAt: at})),
		{Topic: w.events.Topics.Windows(), Value: windows.Blocks()[0]},
		w.events.Topics.DeadLetter(&kgo.Record{Topic: "spans", Partition: 2, Offset: 17, Value: []byte("x")}, "aggregate", "malformed", "cannot read field 3"),
	}
	for _, r := range records {
		r.Partition = 0
	}
	w.send(t, kgo.TryCommit, records...)
	f := func(kind, want string, lines int, args ...string) {
		t.Helper()
		for _, output := range []string{"text", "json"} {
			out, err := w.tail(t, append([]string{kind, "-o", output}, args...)...)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Count(out, "\n") != lines || output == "text" && !strings.Contains(out, want) {
				t.Errorf("tail %s %v: %q is not in\n%s", kind, args, want, out)
			}
			for l := range strings.Lines(out) {
				if output == "json" && !json.Valid([]byte(l)) {
					t.Errorf("tail %s: this is no JSON: %s", kind, l)
				}
			}
		}
	}
	f("decisions", "act             rollback deployment/cart  by rule r  it burns", 1)
	f("commands", "rollback deployment/cart  attempt 1", 1, "--service", "cart")
	f("outcomes", "succeeded          deployment/cart", 1, "--service", "deployment/cart")
	f("verdicts", "fail          running  cart 2", 1)
	f("windows", `requests  {service.name="cart"}  10 samples, 3 bad, p50 1, p99 2, correction 1`, 2)
	f("windows", "queue", 1, "--service", "mail")
	f("deadletter", "aggregate  malformed       spans/2@17  cannot read field 3", 1)
}

func TestWrongArguments(t *testing.T) {
	w := start(t)
	f := func(args, want string) {
		t.Helper()
		if _, err := w.tail(t, strings.Fields(args)...); !errors.Is(err, errUsage) || !strings.Contains(err.Error(), want) {
			t.Errorf("tail %s: %v, want %q", args, err, want)
		}
	}
	f("", "say what to follow")
	f("finding", `did you mean "findings"?`)
	f("decisions --severity page", "have no severity")
	f("deadletter --service cart", "about no service")
	f("findings --severity high", "want page, ticket or info")
	f("findings -o yaml", "want text or json")
	f("findings -n -1", "cannot be negative")
}

// What comes is shown as it comes, and Ctrl-C is no error.
func TestFollow(t *testing.T) {
	w := start(t)
	w.send(t, kgo.TryCommit, w.finding(t, "before", "cart", "page", time.Now()))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := w.run(ctx, out, "findings", "-o", "json", "--severity", "page")
		out.Close()
		done <- err
	}()
	lines := bufio.NewScanner(r)
	next := func(want string) {
		t.Helper()
		if !lines.Scan() || !strings.Contains(lines.Text(), want) {
			t.Fatalf("%q (%v), want %q", lines.Text(), lines.Err(), want)
		}
	}
	next(`"id":"before"`)
	w.send(t, kgo.TryAbort, w.finding(t, "aborted", "cart", "page", time.Now()))
	w.send(t, kgo.TryCommit, w.finding(t, "unwanted", "cart", "info", time.Now()))
	w.send(t, kgo.TryCommit, w.finding(t, "live", "cart", "page", time.Now()))
	next(`"id":"live"`)
	cancel()
	if err := <-done; err != nil {
		t.Errorf("it ends with %v", err)
	}
	if lines.Scan() {
		t.Errorf("it says more: %s", lines.Text())
	}
}
