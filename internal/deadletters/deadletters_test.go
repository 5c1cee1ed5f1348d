package deadletters

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/embedded/kafka"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// world is a broker with dead letters, and a configuration that names it.
type world struct {
	dir    string
	client *kgo.Client
}

func start(t *testing.T) world {
	t.Helper()
	cfg := kafka.Default()
	cfg.Topics = []kafka.Topic{{Name: "spans", Partitions: 3}, {Name: "flyball.deadletter", Partitions: 1}}
	s, err := kafka.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	client, err := kgo.NewClient(kgo.SeedBrokers(s.Addrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(sinkkafka.MaxMessageBytes))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	w := world{dir: t.TempDir(), client: client}
	text := fmt.Sprintf("apiVersion: flyball.dev/v1\nkind: Pipeline\nmetadata: {name: test}\nspec: {kafka: {brokers: [%q]}}\n---\n"+
		"apiVersion: flyball.dev/v1\nkind: Source\nmetadata: {name: spans}\nspec: {topics: [spans], format: otlp_spans}\n", s.Addrs()[0])
	if err := os.WriteFile(filepath.Join(w.dir, "flyball.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	topics := sinkkafka.Topics{Prefix: "flyball."}
	bad := &kgo.Record{Topic: "spans", Partition: 2, Offset: 17, Key: []byte("k"), Value: []byte("no span"), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("v")}}}
	huge := &kgo.Record{Topic: "spans", Offset: 18, Value: bytes.Repeat([]byte("x"), sinkkafka.MaxMessageBytes)}
	foreign := &kgo.Record{Topic: "flyball.findings", Value: []byte("{")}
	for _, r := range []*kgo.Record{
		topics.DeadLetter(bad, "aggregate", "malformed", "cannot read field 3"),
		topics.DeadLetter(huge, "aggregate", "malformed", "cannot read field 4"),
		topics.DeadLetter(foreign, "decide", "malformed", "it is no finding"),
		topics.DeadPart([]byte(`{"count":3}`), "evaluate", "late", "3 samples came too late"),
	} {
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// run returns what a command writes.
func (w world) run(t *testing.T, args ...string) (out, talk string, err error) {
	t.Helper()
	c := Command(func(err error) error { return fmt.Errorf("usage: %w", err) })
	var o, e bytes.Buffer
	c.SetOut(&o)
	c.SetErr(&e)
	c.SilenceUsage, c.SilenceErrors = true, true
	c.SetArgs(append(args, "--config", w.dir))
	err = c.ExecuteContext(t.Context())
	return o.String(), e.String(), err
}

func TestLetters(t *testing.T) {
	w := start(t)
	f := func(args string, wants ...string) string {
		t.Helper()
		out, talk, err := w.run(t, strings.Fields(args)...)
		if err != nil {
			t.Fatalf("%s: %v", args, err)
		}
		for _, want := range wants {
			if !strings.Contains(out+talk, want) {
				t.Errorf("%q is missing in what %q says:\n%s%s", want, args, out, talk)
			}
		}
		return out
	}
	f("", "2      aggregate  malformed", "1      decide     malformed", "1      evaluate   late", "3 samples came too late")
	f("--stage evaluate -o json", `"count":1`, `"reason":"late"`)
	f("--reason nothing", "no dead letters")
	f("list --topic spans", "0/0", "spans/2@17", "cannot read field 3", "0/1")
	f("list --limit 1", "more than 1")
	if out := f("show 0/0", `header h: "v"`, `key "k"`); out != "no span" {
		t.Errorf("the value is %q", out)
	}
}

func TestRequeue(t *testing.T) {
	w := start(t)
	out, talk, err := w.run(t, "requeue", "--reason", "malformed")
	if err != nil || !strings.Contains(out, "1 would be given back") {
		t.Fatalf("%q, %v", out, err)
	}
	for _, want := range []string{"1 stay: they were cut", "1 stay: they did not come from a topic of a source"} {
		if !strings.Contains(talk, want) {
			t.Errorf("%q is missing in %q", want, talk)
		}
	}
	if out, _, err = w.run(t, "requeue", "--yes", "0/0", "0/3"); err != nil || !strings.Contains(out, "1 were given back") {
		t.Fatalf("%q, %v", out, err)
	}
	w.client.AddConsumeTopics("spans")
	fetches := w.client.PollFetches(t.Context())
	if err := fetches.Err(); err != nil || fetches.NumRecords() != 1 {
		t.Fatalf("%d records, %v", fetches.NumRecords(), err)
	}
	got := fetches.Records()[0]
	if got.Partition != 2 || string(got.Key) != "k" || string(got.Value) != "no span" || len(got.Headers) != 1 || got.Headers[0].Key != "h" {
		t.Errorf("given back is %+v", got)
	}
}

func TestWrongArguments(t *testing.T) {
	w := world{dir: t.TempDir()}
	f := func(want string, args ...string) {
		t.Helper()
		if _, _, err := w.run(t, args...); err == nil || !strings.Contains(err.Error(), "usage: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
	f("say which", "requeue")
	f("no place of a dead letter", "show", "17")
	f("no place of a dead letter", "requeue", "a/b")
	f("unknown output format", "-o", "xml")
}
