package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"github.com/flyball-io/flyball/internal/embedded/filelock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t testing.TB, change func(*Config)) *Server {
	t.Helper()
	cfg := Default()
	if change != nil {
		change(&cfg)
	}
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("cannot close: %v", err)
		}
	})
	return s
}

func client(t testing.TB, s *Server, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(s.Addrs()...)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func produce(t testing.TB, c *kgo.Client, topic string, values ...string) {
	t.Helper()
	for _, v := range values {
		r := &kgo.Record{Topic: topic, Key: []byte("k"), Value: []byte(v), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte(v)}}}
		if err := c.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// consume reads n records of all partitions, in order.
func consume(t testing.TB, c *kgo.Client, n int) (values []string) {
	t.Helper()
	for len(values) < n {
		fetches := c.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)+"/"+string(r.Headers[0].Value)) })
	}
	return values
}

func TestProduceAndConsume(t *testing.T) {
	f := func(name string, change func(*Config)) {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(c *Config) {
				c.Topics = []Topic{{Name: "spans", Partitions: 1}}
				change(c)
			})
			if len(s.Addrs()) == 0 || !strings.HasPrefix(s.Addrs()[0], "127.0.0.1:") {
				t.Fatalf("addresses %v", s.Addrs())
			}
			c := client(t, s, kgo.ConsumeTopics("spans"))
			produce(t, c, "spans", "a", "b", "c")
			if diff := cmp.Diff([]string{"a/a", "b/b", "c/c"}, consume(t, c, 3)); diff != "" {
				t.Error(diff)
			}
		})
	}
	f("in memory", func(*Config) {})
	f("three brokers", func(c *Config) { c.Brokers = 3 })
	f("temporary directory", func(c *Config) { c.Temporary = true })
	f("kept directory", func(c *Config) { c.DataDir = filepath.Join(t.TempDir(), "new") })
}

func TestRestart(t *testing.T) {
	dir := t.TempDir()
	port := freePort(t)
	compacted := Topic{Name: "state", Partitions: 4, Settings: map[string]string{"cleanup.policy": "compact"}}
	config := func(c *Config) {
		c.DataDir, c.Port = dir, port
		c.Topics = []Topic{{Name: "spans", Partitions: 1}, compacted}
	}
	s := start(t, config)
	if want := []string{"127.0.0.1:" + strconv.Itoa(port)}; cmp.Diff(want, s.Addrs()) != "" {
		t.Errorf("addresses %v, want %v", s.Addrs(), want)
	}
	c := client(t, s, kgo.ConsumeTopics("spans"), kgo.ConsumerGroup("g"), kgo.DisableAutoCommit())
	produce(t, c, "spans", "a", "b", "c")
	consume(t, c, 3)
	if err := c.CommitRecords(t.Context(), &kgo.Record{Topic: "spans", Offset: 1}); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = start(t, func(c *Config) {
		config(c)
		c.Topics = append(c.Topics, Topic{Name: "later", Partitions: 2})
	})
	c = client(t, s, kgo.ConsumeTopics("spans"), kgo.ConsumerGroup("g"))
	produce(t, c, "spans", "d")
	// The group goes on behind its committed record.
	if diff := cmp.Diff([]string{"c/c", "d/d"}, consume(t, c, 2)); diff != "" {
		t.Error(diff)
	}
	admin := kadm.NewClient(c)
	topics, err := admin.ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for name, detail := range topics {
		got[name] = len(detail.Partitions)
	}
	if diff := cmp.Diff(map[string]int{"spans": 1, "state": 4, "later": 2}, got); diff != "" {
		t.Error(diff)
	}
	configs, err := admin.DescribeTopicConfigs(t.Context(), "state")
	if err != nil {
		t.Fatal(err)
	}
	policy := ""
	for _, c := range configs[0].Configs {
		if c.Key == "cleanup.policy" {
			policy = c.MaybeValue()
		}
	}
	if policy != "compact" {
		t.Errorf("cleanup.policy is %q after a restart", policy)
	}
}

// TestRestartAfterTransactions commits, aborts and leaves open a transaction,
// and counts what a reader of committed records sees after a restart.
func TestRestartAfterTransactions(t *testing.T) {
	dir := t.TempDir()
	config := func(c *Config) {
		c.DataDir = dir
		c.Topics = []Topic{{Name: "out", Partitions: 1}}
	}
	var want []string
	for round := range 3 {
		s := start(t, config)
		run := func(id string, end func(*kgo.Client, context.Context) error) {
			// Readers wait for an open transaction until it times out.
			c := client(t, s, kgo.TransactionalID(fmt.Sprintf("%s-%d", id, round)), kgo.TransactionTimeout(time.Second))
			if err := c.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
			produce(t, c, "out", id+strconv.Itoa(round))
			if err := end(c, t.Context()); err != nil {
				t.Fatal(err)
			}
			if id == "open" {
				return // still running when the broker is closed
			}
			c.Close()
		}
		run("commit", func(c *kgo.Client, ctx context.Context) error { return c.EndTransaction(ctx, kgo.TryCommit) })
		run("abort", func(c *kgo.Client, ctx context.Context) error { return c.EndTransaction(ctx, kgo.TryAbort) })
		want = append(want, fmt.Sprintf("commit%d/commit%d", round, round))
		run("open", func(*kgo.Client, context.Context) error { return nil })
		reader := client(t, s, kgo.ConsumeTopics("out"), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
		if diff := cmp.Diff(want, consume(t, reader, len(want))); diff != "" {
			t.Errorf("start %d: %s", round, diff)
		}
		reader.Close()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOneProcessPerDirectory(t *testing.T) {
	dir := t.TempDir()
	s := start(t, func(c *Config) { c.DataDir = dir })
	cfg := Default()
	cfg.DataDir = dir
	if _, err := Start(t.Context(), cfg); !errors.Is(err, filelock.ErrLocked) {
		t.Errorf("a second broker on one directory gave %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	start(t, func(c *Config) { c.DataDir = dir })
}

func TestTemporaryDirectoryGoes(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := start(t, func(c *Config) { c.Temporary = true })
	produce(t, client(t, s, kgo.AllowAutoTopicCreation(), kgo.UnknownTopicRetries(0)), create(t, s, "x"), "a")
	before, err := os.ReadDir(os.TempDir())
	if err != nil || len(before) != 1 {
		t.Fatalf("%d directories while it runs: %v", len(before), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadDir(os.TempDir()); err != nil || len(after) != 0 {
		t.Errorf("left behind: %v, %v", after, err)
	}
}

func create(t testing.TB, s *Server, topic string) string {
	t.Helper()
	if err := createTopics(t.Context(), s.Addrs(), []Topic{{Name: topic, Partitions: 1}}); err != nil {
		t.Fatal(err)
	}
	return topic
}

func TestAutoCreateTopics(t *testing.T) {
	f := func(allow bool, want error) {
		t.Helper()
		s := start(t, func(c *Config) { c.AutoCreateTopics = allow })
		c := client(t, s, kgo.AllowAutoTopicCreation(), kgo.UnknownTopicRetries(1))
		err := c.ProduceSync(t.Context(), &kgo.Record{Topic: "new", Value: []byte("a")}).FirstErr()
		if !errors.Is(err, want) {
			t.Errorf("allowed %v: got %v, want %v", allow, err, want)
		}
	}
	f(true, nil)
	f(false, kerr.UnknownTopicOrPartition)
}

// TestClusterTakesFaults shows the way to kfake's faults.
func TestClusterTakesFaults(t *testing.T) {
	s := start(t, func(c *Config) { c.Topics = []Topic{{Name: "x", Partitions: 1}} })
	seen := 0
	s.Cluster().ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		seen++
		return nil, nil, false
	})
	produce(t, client(t, s), "x", "a")
	if seen != 1 {
		t.Errorf("the control saw %d requests", seen)
	}
}

func TestStartErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(want string, change func(*Config)) {
		t.Helper()
		cfg := Default()
		change(&cfg)
		s, err := Start(t.Context(), cfg)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f("address already in use", func(c *Config) { c.Port = taken.Addr().(*net.TCPAddr).Port })
	f("cannot make data directory", func(c *Config) { c.DataDir = filepath.Join(file, "below") })
	f("Brokers", func(c *Config) { c.Brokers = 0 })
	f("port 65535 for 2 brokers", func(c *Config) { c.Brokers, c.Port = 2, 65535 })
	f("Temporary", func(c *Config) { c.DataDir, c.Temporary = t.TempDir(), true })
	f(`topic "x"`, func(c *Config) { c.Topics = []Topic{{Name: "x"}} })
	f(`cannot create topic "a`, func(c *Config) {
		c.Topics = []Topic{{Name: "a.b", Partitions: 1}, {Name: "a_b", Partitions: 1}}
	})
}

func TestErrorLogReachesClose(t *testing.T) {
	l := &errorLog{}
	l.Logf(kfake.LogLevelWarn, "only a warning")
	l.Logf(kfake.LogLevelDebug, "noise")
	if err := l.err(); err != nil {
		t.Errorf("got %v", err)
	}
	l.Logf(kfake.LogLevelError, "persist to disk: %v", "full")
	if err := l.err(); err == nil || !strings.Contains(err.Error(), "persist to disk: full") {
		t.Errorf("got %v", err)
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
