package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/pipeline"
)

// settings are what the tests set in a Pipeline document.
type settings struct {
	brokers     []string
	topicPrefix string
	group       string
	dsn         string
	more        string // further lines of the spec
	security    string // further settings of kafka
}

func (b *broker) settings(dsn string) settings {
	return settings{brokers: b.addrs, topicPrefix: b.prefix + "fb.", group: b.prefix + "g", dsn: dsn}
}

// document writes the Pipeline document.
func (s settings) document() string {
	return fmt.Sprintf(`apiVersion: flyball.dev/v1
kind: Pipeline
metadata: {name: e2e}
spec:
  kafka: {brokers: [%q], topicPrefix: %q, group: %q%s}
  partitions: {panes: 4}
  commitInterval: 250ms
  workers: 2
  clickhouse: {dsn: %q}
  http: {listen: "127.0.0.1:0"}
%s`, strings.Join(s.brokers, `","`), s.topicPrefix, s.group, s.security, s.dsn, s.more)
}

// write puts the configuration into a new directory.
func (s settings) write(t *testing.T, documents string) string {
	t.Helper()
	dir := t.TempDir()
	text := s.document() + "\n---\n" + documents
	if err := os.WriteFile(filepath.Join(dir, "flyball.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// running is a pipeline in this process.
type running struct {
	t      *testing.T
	cancel context.CancelFunc
	done   chan error
	once   sync.Once
}

// run starts the roles in this process; it is stopped at the end of the test.
func run(t *testing.T, dir string, roles ...string) *running {
	t.Helper()
	cfg, err := config.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{t: t, cancel: cancel, done: make(chan error, 1)}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
	go func() {
		r.done <- pipeline.Run(ctx, pipeline.Options{
			Config: cfg, Roles: roles, Log: log, Metrics: pipeline.NewMetrics(prometheus.NewRegistry()),
		})
	}()
	t.Cleanup(r.stop)
	return r
}

// stopWithin is how long a process may take to leave.
const stopWithin = 10 * time.Second

// stop ends the pipeline in order.
func (r *running) stop() {
	r.t.Helper()
	r.once.Do(func() {
		began := time.Now()
		r.cancel()
		if err := <-r.done; err != nil {
			r.t.Errorf("the pipeline ended with: %v", err)
		}
		if took := time.Since(began); took > stopWithin {
			r.t.Errorf("the pipeline took %s to stop, want at most %s", took, stopWithin)
		}
	})
}

// process is a flyball of its own.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	log  *buffer
	out  *buffer
	done chan struct{}
	code int
}

// buffer collects what a process writes.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// start runs the real program.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, log: &buffer{}, out: &buffer{}, done: make(chan struct{})}
	p.cmd = exec.Command(binary, args...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		err := p.cmd.Wait()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			p.code = exit.ExitCode()
		} else if err != nil {
			p.code = -1
		}
	}()
	t.Cleanup(func() {
		select {
		case <-p.done:
		default:
			p.cmd.Process.Kill()
			<-p.done
		}
		if t.Failed() {
			t.Logf("flyball %s wrote:\n%s", strings.Join(args, " "), p.log)
		}
	})
	return p
}

// kill ends the process as a crash would.
func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	<-p.done
}

// signal sends a signal.
func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// wait returns the exit code.
func (p *process) wait(limit time.Duration) int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.code
	case <-time.After(limit):
		p.t.Fatalf("flyball still runs after %s", limit)
		return -1
	}
}

// terminate asks the process to leave, and checks that it does so in time.
func (p *process) terminate() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	if code := p.wait(stopWithin); code != 0 {
		p.t.Errorf("flyball left with exit code %d", code)
	}
}
