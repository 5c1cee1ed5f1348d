package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"time"

	"github.com/flyball-io/flyball/benchmarks/machine"
)

// taskVariable names the environment variable that makes this program a child
// which does one task: each gets a process of its own, so that what it uses can
// be told apart.
const taskVariable = "FLYBALL_BENCH_TASK"

// Task is what a child is told, as JSON in taskVariable.
type Task struct {
	// Kind of task: one of the names in tasks.
	Kind string `json:"kind"`
	// Workload by name.
	Workload string `json:"workload"`
	// Brokers to talk to.
	Brokers []string `json:"brokers"`
	// Topic of the spans, with this many partitions.
	Topic      string `json:"topic"`
	Partitions int    `json:"partitions"`
	// Records is how many records the topic has in each partition.
	Records []int64 `json:"records"`
	// WarmUp is how many records in all are fetched before measuring begins.
	WarmUp int64 `json:"warm_up"`
	// Workers is how many clients read.
	Workers int `json:"workers"`
	// Prefix starts the names of groups and topics that the task makes.
	Prefix string `json:"prefix"`
	// Spans to load, and how many of them per second of event time; when Paced
	// also per second of the clock.
	Spans int64   `json:"spans"`
	Rate  float64 `json:"rate"`
	Paced bool    `json:"paced"`
	// Profile is the file that a profile of the processor goes to, if any.
	Profile string `json:"profile"`
}

// tasks do what a child is told. They print one JSON value to out; a task that
// has to be stopped ends when in does.
var tasks = map[string]func(ctx context.Context, t Task, in io.Reader, out io.Writer) error{
	"broker":    serveBroker,
	"load":      load,
	"floor":     measureFloor,
	"aggregate": measureAggregate,
}

// runTask does the task of a child and returns its exit code; it reports false
// in the parent.
func runTask() (code int, child bool) {
	text, child := os.LookupEnv(taskVariable)
	if !child {
		return 0, false
	}
	var t Task
	err := json.Unmarshal([]byte(text), &t)
	if err == nil {
		err = tasks[t.Kind](context.Background(), t, os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "cannot do task %q: %v\n", t.Kind, err)
		return 1, true
	}
	return 0, true
}

// child is a running task.
type child struct {
	task Task
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
}

// start starts a task.
func start(ctx context.Context, t Task) (*child, error) {
	text, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("cannot encode task %q: %w", t.Kind, err)
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, exe)
	cmd.Env = append(os.Environ(), taskVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("cannot start task %q: %w", t.Kind, err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("cannot start task %q: %w", t.Kind, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start task %q: %w", t.Kind, err)
	}
	return &child{t, cmd, in, bufio.NewReader(out)}, nil
}

// read reads the JSON value that the task prints.
func (c *child) read(v any) error {
	if err := json.NewDecoder(c.out).Decode(v); err != nil {
		return fmt.Errorf("cannot read result of task %q: %w", c.task.Kind, err)
	}
	return nil
}

// stop tells the task to end and waits for it.
func (c *child) stop() error {
	closed := c.in.Close()
	if err := c.cmd.Wait(); err != nil {
		return fmt.Errorf("cannot finish task %q: %w", c.task.Kind, err)
	}
	if errors.Is(closed, os.ErrClosed) {
		closed = nil
	}
	return closed
}

// do runs a task that ends by itself.
func do(ctx context.Context, t Task, v any) error {
	c, err := start(ctx, t)
	if err != nil {
		return err
	}
	return errors.Join(c.read(v), c.stop())
}

// Usage is what a task used after its warm-up, which is the first part of the
// topic: what happens once per start, such as to join a group, share out the
// partitions and fill caches and pools, is left out.
type Usage struct {
	// Wall is by the clock.
	Wall time.Duration `json:"wall"`
	// CPU is the processor time of the whole process, user and system.
	CPU time.Duration `json:"cpu"`
	// Mallocs and Allocated are heap allocations and their bytes; GCs is how often
	// the collector ran.
	Mallocs   uint64 `json:"mallocs"`
	Allocated uint64 `json:"allocated"`
	GCs       uint32 `json:"gcs"`
	// Peak is the largest resident size, in bytes.
	Peak int64 `json:"peak"`
	// Traffic is what its clients moved.
	Traffic Traffic `json:"traffic"`
}

// meter measures a Usage.
type meter struct {
	traffic *traffic
	before  runtime.MemStats
	cpu     time.Duration
	profile io.Closer
}

// newMeter returns a meter that starts when the clients with its traffic as a
// hook have fetched the warm-up.
func newMeter(t Task) (*meter, error) {
	m := &meter{}
	m.traffic = &traffic{warmUp: t.WarmUp, began: m.start}
	profile := t.Profile
	if profile != "" {
		f, err := os.Create(filepath.Clean(profile))
		if err != nil {
			return nil, fmt.Errorf("cannot write profile: %w", err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return nil, fmt.Errorf("cannot write profile: %w", err)
		}
		m.profile = f
	}
	return m, nil
}

func (m *meter) start() {
	runtime.ReadMemStats(&m.before)
	m.cpu = machine.ProcessorTime()
}

// read ends the measurement.
func (m *meter) read() (Usage, error) {
	u := Usage{CPU: machine.ProcessorTime() - m.cpu, Peak: machine.PeakMemory(), Wall: m.traffic.wall(), Traffic: m.traffic.total()}
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	u.Mallocs, u.Allocated = after.Mallocs-m.before.Mallocs, after.TotalAlloc-m.before.TotalAlloc
	u.GCs = after.NumGC - m.before.NumGC
	if m.profile != nil {
		pprof.StopCPUProfile()
		if err := m.profile.Close(); err != nil {
			return u, fmt.Errorf("cannot write profile: %w", err)
		}
	}
	return u, nil
}
