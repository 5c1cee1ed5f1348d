//go:build synctests

package crash

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
	"github.com/flyball-io/flyball/internal/crash/proxy"
	"github.com/flyball-io/flyball/internal/pipeline"
)

// source is the topic that the log is produced to.
const source = "telemetry"

// setup is what may differ between runs that must come to the same.
type setup struct {
	sourcePartitions int
	perRecord        int           // samples per record
	commitInterval   time.Duration // of aggregate
	panes            int           // partitions
	workers          int           // aggregate members per process
	late             bool          // some samples come late
}

func standard() setup {
	return setup{sourcePartitions: 3, perRecord: 4, commitInterval: 500 * time.Millisecond, panes: 3, workers: 1}
}

// world is one run: a broker, the log, and processes. It lives in a bubble of
// virtual time.
type world struct {
	t       *testing.T
	setup   setup
	network *kfake.VirtualNetwork
	cluster *kfake.Cluster
	cfg     *config.Config
	client  *kgo.Client
	admin   *kadm.Client
	log     *tail
	began   time.Time

	mu        sync.Mutex
	hook      func(*process, proxy.Message) // sees every message of every process
	processes []*process
	started   int
}

// latency is what every message takes. Without any, whoever tries again at once
// would do so for ever without a moment passing.
const latency = time.Millisecond

// newWorld starts a broker with an empty source topic.
func newWorld(t *testing.T, s setup) *world {
	t.Helper()
	w := &world{t: t, setup: s, network: &kfake.VirtualNetwork{}, log: &tail{}, began: time.Now()}
	opts := []kfake.Opt{
		kfake.NumBrokers(1), kfake.Ports(9092), kfake.ListenFn(w.network.Listen), kfake.SeedTopics(int32(s.sourcePartitions), source),
	}
	if verbose() {
		opts = append(opts, kfake.WithLogger(kfake.BasicLogger(w.log, kfake.LogLevelDebug)))
	}
	cluster, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	w.cluster = cluster
	cfg, problems := config.Options{}.Read([]config.File{{Name: "crash.yaml", Text: []byte(documents(source, s.commitInterval, s.panes, s.workers))}})
	if strictyaml.HasErrors(problems) {
		t.Fatal(problems)
	}
	w.cfg = cfg
	w.client, err = kgo.NewClient(kgo.SeedBrokers("127.0.0.1:9092"), kgo.Dialer(w.network.DialContext),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))
	if err != nil {
		t.Fatal(err)
	}
	w.admin = kadm.NewClient(w.client)
	return w
}

// close ends everything; a bubble must end without goroutines.
func (w *world) close() {
	w.mu.Lock()
	list := w.processes
	w.mu.Unlock()
	for _, p := range list {
		p.link.Release()
		p.cancel()
	}
	for _, p := range list {
		<-p.done
		p.link.Drop()
	}
	w.client.Close()
	w.cluster.Close()
	synctest.Wait()
	if w.t.Failed() {
		w.t.Logf("the last of the log:\n%s", w.log)
	}
}

// feed produces the log at its pace. It returns when all is acknowledged.
func (w *world) feed(ctx context.Context) {
	began := time.Now()
	for _, a := range arrivals(testLog(w.setup.late), w.epoch(), source, w.setup.sourcePartitions, w.setup.perRecord) {
		if wait := a.after - time.Since(began); wait > 0 {
			time.Sleep(wait)
		}
		w.client.Produce(ctx, a.record, func(_ *kgo.Record, err error) {
			if err != nil {
				w.t.Errorf("cannot produce the log: %v", err)
			}
		})
	}
	if err := w.client.Flush(ctx); err != nil {
		w.t.Errorf("cannot produce the log: %v", err)
	}
}

// epoch is the event time at which the log starts: well in the past, so that it
// may run faster than the clock.
func (w *world) epoch() time.Time { return w.began.Add(-2 * time.Hour).Truncate(time.Hour) }

// process is a Flyball that can be killed.
type process struct {
	name   string
	roles  []string
	link   *proxy.Link
	cancel context.CancelFunc
	done   chan struct{}
	err    error // once done

	mu     sync.Mutex
	killed bool
}

// start runs roles, all of them when none are named, in a process of their own.
func (w *world) start(roles ...string) *process {
	if len(roles) == 0 {
		roles = []string{"aggregate", "evaluate", "decide"}
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.mu.Lock()
	defer w.mu.Unlock()
	w.started++
	p := &process{name: fmt.Sprintf("p%d", w.started), roles: roles, cancel: cancel, done: make(chan struct{})}
	p.link = proxy.NewLink(w.network.DialContext, func(m proxy.Message) {
		w.mu.Lock()
		hook := w.hook
		w.mu.Unlock()
		if hook != nil {
			hook(p, m)
		}
	})
	p.link.Delay(latency)
	// A member that closes its connection while it waits to join stays in kfake's
	// groups for ever. A real broker would notice by the session timeout, and so
	// does kfake if only the connection lives.
	p.link.Linger(2 * time.Minute)
	// Decoders of zstd are closed by finalizers, which are outside of the bubble. A
	// compressor, because clients write to the list of ProducerBatchCompression.
	snappy, err := kgo.DefaultCompressor(kgo.SnappyCompression())
	if err != nil {
		panic("BUG: " + err.Error())
	}
	opts := []kgo.Opt{kgo.Dialer(p.link.DialContext), kgo.WithCompressor(snappy)}
	if verbose() {
		opts = append(opts, kgo.WithLogger(kgo.BasicLogger(w.log, kgo.LogLevelInfo, func() string { return p.name + " " })))
	}
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelInfo})).With("process", p.name)
	w.processes = append(w.processes, p)
	w.note("start %s %v", p.name, roles)
	go func() {
		defer close(p.done)
		p.err = pipeline.Run(ctx, pipeline.Options{
			Config: w.cfg, Roles: roles, Log: log, Metrics: pipeline.NewMetrics(prometheus.NewRegistry()),
			Kafka: opts,
		})
	}()
	return p
}

// kill ends a process as SIGKILL does: nobody hears of it any more.
func (p *process) kill() {
	p.mu.Lock()
	p.killed = true
	p.mu.Unlock()
	p.link.Cut()
	p.cancel()
}

func (p *process) alive() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.done:
		return false
	default:
		return !p.killed
	}
}

// onMessage sets what sees every message.
func (w *world) onMessage(hook func(*process, proxy.Message)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hook = hook
}

func (w *world) note(format string, args ...any) {
	fmt.Fprintf(w.log, "%s %s\n", time.Since(w.began), fmt.Sprintf(format, args...))
}

// tail keeps the end of what is logged.
type tail struct {
	mu    sync.Mutex
	lines []string
}

const tailLines = 400

// verbose says whether the log of a failure holds what clients and broker say:
// set CRASH_LOG=1.
func verbose() bool { return os.Getenv("CRASH_LOG") != "" }

func (l *tail) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(bytes.TrimRight(b, "\n")))
	if len(l.lines) > 2*tailLines && !verbose() {
		l.lines = append(l.lines[:0], l.lines[len(l.lines)-tailLines:]...)
	}
	return len(b), nil
}

// endsWith reports whether most of the last lines hold a text.
func (l *tail) endsWith(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	last := l.lines[max(len(l.lines)-10, 0):]
	for _, line := range last {
		if strings.Contains(line, text) {
			n++
		}
	}
	return 2*n > len(last)
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !verbose() {
		l.lines = l.lines[max(len(l.lines)-tailLines, 0):]
	}
	return strings.Join(l.lines, "\n")
}
