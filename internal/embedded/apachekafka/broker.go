package apachekafka

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// Broker is a Kafka node, broker and controller at once, that runs as a child of this process.
// All methods may be called from several goroutines; Stop, Kill and Restart wait for each other.
type Broker struct {
	cfg       Config
	java      string
	endpoints []endpoint
	leases    []*lease

	op sync.Mutex // held by Stop, Kill and Restart

	mu   sync.Mutex // guards proc
	proc *process   // nil when stopped
}

// bindAttempts bounds how often Start picks other ports after one was taken under its hands.
const bindAttempts = 5

// errPortTaken is returned by boot when the broker could not bind.
var errPortTaken = errors.New("a port is in use")

// Start fetches the broker if needed, formats cfg.Dir if it is new, starts the broker and returns when it
// serves clients. ctx bounds the start only. The error of a broker that did not come up has the tail of its log.
func Start(ctx context.Context, cfg Config) (*Broker, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("cannot resolve broker folder %q: %w", cfg.Dir, err)
	}
	cfg.Dir = dir
	java, err := findJava()
	if err != nil {
		return nil, err
	}
	if cfg.Libs == "" {
		if cfg.Libs, err = Fetch(ctx, FetchConfig{}); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot create broker folder: %w", err)
	}
	b := &Broker{cfg: cfg, java: java}
	for attempt := 1; ; attempt++ {
		if err := b.choosePorts(); err != nil {
			return nil, err
		}
		err := b.boot(ctx)
		if err == nil {
			return b, nil
		}
		b.releasePorts()
		if !errors.Is(err, errPortTaken) || attempt == bindAttempts {
			return nil, fmt.Errorf("cannot start broker in %q: %w", dir, err)
		}
	}
}

// choosePorts gives every listener its port: the configured one, or a leased one.
func (b *Broker) choosePorts() error {
	b.endpoints = []endpoint{
		{name: plaintext, protocol: plaintext, port: b.cfg.Port},
		{name: controller, protocol: plaintext},
	}
	for _, l := range b.cfg.Listeners {
		b.endpoints = append(b.endpoints, endpoint{name: l.Name, protocol: l.Protocol, port: l.Port, advertised: l.AdvertisedPort, properties: l.Properties})
	}
	for i := range b.endpoints {
		if port := b.endpoints[i].port; port != 0 {
			if !bindable(port) {
				b.releasePorts()
				return fmt.Errorf("cannot use port %d: it is in use", port)
			}
			continue
		}
		l, err := leasePort()
		if err != nil {
			b.releasePorts()
			return err
		}
		b.leases = append(b.leases, l)
		b.endpoints[i].port = l.port
	}
	return nil
}

func (b *Broker) releasePorts() {
	for _, l := range b.leases {
		l.release()
	}
	b.leases = nil
}

// Addr returns host:port of the PLAINTEXT listener. It stays the same over restarts.
func (b *Broker) Addr() string { return b.endpoints[0].addr() }

// ListenerAddr returns host:port of the listener with that name, and "" when there is none.
func (b *Broker) ListenerAddr(name string) string {
	for _, e := range b.endpoints {
		if e.name == name && name != controller {
			return e.addr()
		}
	}
	return ""
}

// PID returns the process id of the running broker, and 0 when it does not run.
func (b *Broker) PID() int {
	p := b.process()
	if p == nil || !p.running() {
		return 0
	}
	return p.os.Pid
}

// LogTail returns the last n lines of the broker's log, over all its starts.
func (b *Broker) LogTail(n int) (string, error) {
	text, err := readTail(b.logPath(), 0)
	if err != nil {
		return "", err
	}
	return lastLines(text, n), nil
}

// Stop asks the broker to shut down in order and waits for it. When ctx ends first it is killed and an
// error returned. Stopping a broker that does not run does nothing.
func (b *Broker) Stop(ctx context.Context) error {
	b.op.Lock()
	defer b.op.Unlock()
	return b.stop(ctx)
}

func (b *Broker) stop(ctx context.Context) error {
	p := b.process()
	if p == nil {
		return nil
	}
	defer b.setProcess(nil)
	if err := p.os.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.kill()
		return fmt.Errorf("cannot signal broker in %q: %w", b.cfg.Dir, err)
	}
	select {
	case <-p.exited:
		return nil
	case <-ctx.Done():
		p.kill()
		return fmt.Errorf("cannot stop broker in %q in order, killed it: %w", b.cfg.Dir, context.Cause(ctx))
	}
}

// Kill ends the broker by SIGKILL, as a crash would, and returns when it is gone. What it had
// written is kept by the operating system; Restart recovers it.
func (b *Broker) Kill() {
	b.op.Lock()
	defer b.op.Unlock()
	if p := b.process(); p != nil {
		p.kill()
		b.setProcess(nil)
	}
}

// Restart stops the broker if it runs and starts it again on the same folder and the same ports.
func (b *Broker) Restart(ctx context.Context) error {
	b.op.Lock()
	defer b.op.Unlock()
	if err := b.stop(ctx); err != nil {
		return err
	}
	if err := b.boot(ctx); err != nil {
		return fmt.Errorf("cannot restart broker in %q: %w", b.cfg.Dir, err)
	}
	return nil
}

func (b *Broker) process() *process {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.proc
}

func (b *Broker) setProcess(p *process) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.proc = p
}

func (b *Broker) dataDir() string { return filepath.Join(b.cfg.Dir, "data") }
func (b *Broker) propertiesPath() string {
	return filepath.Join(b.cfg.Dir, "server.properties")
}
func (b *Broker) logPath() string { return filepath.Join(b.cfg.Dir, "broker.log") }

// explain adds to err what the log of the failed start says.
func explain(err error, log string) error {
	switch {
	case strings.Contains(log, "Address already in use"):
		err = fmt.Errorf("%w: %w", errPortTaken, err)
	case strings.Contains(log, "UnsupportedClassVersionError"):
		err = fmt.Errorf("%w (Apache Kafka %s needs Java 17 or later)", err, KafkaVersion())
	}
	return fmt.Errorf("%w%s", err, indented(lastLines(log, 25)))
}
