package apachekafka

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The tests of this file run the whole life of a broker without Java: see fakeJava.

func fakeConfig(t *testing.T) Config {
	t.Helper()
	return Config{Dir: filepath.Join(t.TempDir(), "broker"), Libs: filepath.Join("no", "libs"), ReadyTimeout: time.Minute}
}

func startFake(t *testing.T, mode string, cfg Config) *Broker {
	t.Helper()
	installFakeJava(t, mode)
	b, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Kill)
	return b
}

func ping(t *testing.T, addr string) error {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	return askMetadata(t.Context(), client)
}

func TestBrokerLife(t *testing.T) {
	b := startFake(t, "serve", fakeConfig(t))
	addr, pid := b.Addr(), b.PID()
	if err := ping(t, addr); err != nil {
		t.Fatal(err)
	}
	if pid == 0 || pid == os.Getpid() {
		t.Fatalf("unexpected process id %d", pid)
	}

	if err := b.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.PID() != 0 {
		t.Fatalf("process id %d after Stop", b.PID())
	}
	if tail, err := b.LogTail(1); err != nil || tail != "terminated in order" {
		t.Fatalf("unexpected last line of the log: %q, %v", tail, err)
	}
	if err := ping(t, addr); err == nil {
		t.Fatal("the stopped broker answers")
	}
	if err := b.Stop(t.Context()); err != nil {
		t.Fatalf("second Stop: %v", err)
	}

	for range 2 { // from a stopped broker, then from a running one
		if err := b.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		if b.Addr() != addr || b.PID() == 0 || b.PID() == pid {
			t.Fatalf("after Restart: address %s, process %d; want address %s and another process than %d", b.Addr(), b.PID(), addr, pid)
		}
		pid = b.PID()
		if err := ping(t, addr); err != nil {
			t.Fatal(err)
		}
	}

	b.Kill()
	b.Kill()
	if b.PID() != 0 {
		t.Fatalf("process id %d after Kill", b.PID())
	}
	if err := ping(t, addr); err == nil {
		t.Fatal("the killed broker answers")
	}
}

func TestStopKillsWhatDoesNotEnd(t *testing.T) {
	b := startFake(t, "stubborn", fakeConfig(t))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := b.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("unexpected error: %v", err)
	}
	if err := ping(t, b.Addr()); err == nil || b.PID() != 0 {
		t.Fatalf("the broker still runs as %d", b.PID())
	}
}

func TestStartPicksOtherPortsWhenTaken(t *testing.T) {
	cfg := fakeConfig(t)
	b := startFake(t, "taken-once", cfg)
	first, err := os.ReadFile(filepath.Join(cfg.Dir, "taken"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(first), b.Addr()+",") {
		t.Fatalf("tried %s again after %s was taken", b.Addr(), first)
	}
}

func TestStartUsesFormattedFolder(t *testing.T) {
	cfg := fakeConfig(t)
	first := startFake(t, "serve", cfg)
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	startFake(t, "serve", cfg) // fakeFormat fails on a folder that exists
}

func TestStartFailures(t *testing.T) {
	f := func(mode string, change func(*Config), want ...string) {
		t.Helper()
		installFakeJava(t, mode)
		cfg := fakeConfig(t)
		if change != nil {
			change(&cfg)
		}
		b, err := Start(t.Context(), cfg)
		if err == nil {
			b.Kill()
			t.Fatalf("%s: no error", mode)
		}
		for _, part := range want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: error without %q:\n%v", mode, part, err)
			}
		}
	}
	f("crash", nil, "the broker process ended", "exit status 3", "as the test wants it")
	f("old", nil, "needs Java 17")
	f("unformattable", nil, "cannot format", "Error while writing meta.properties")
	f("mute", func(c *Config) { c.ReadyTimeout = 300 * time.Millisecond }, "did not answer within 300ms")
	f("serve", func(c *Config) { c.Partitions = -1 }, "cannot use partitions -1")

	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	f("serve", func(c *Config) { c.Port = port }, strconv.Itoa(port), "in use")
}

func TestStartHonoursContext(t *testing.T) {
	installFakeJava(t, "mute")
	want := errors.New("the caller's reason")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 300*time.Millisecond, want)
	defer cancel()
	if b, err := Start(ctx, fakeConfig(t)); !errors.Is(err, want) {
		if err == nil {
			b.Kill()
		}
		t.Fatalf("unexpected error: %v", err)
	}
}

func TestJavaMissing(t *testing.T) {
	t.Setenv("JAVA_HOME", "")
	t.Setenv("PATH", t.TempDir())
	_, err := Start(t.Context(), fakeConfig(t))
	if !errors.Is(err, ErrNotInstalled) || !strings.Contains(err.Error(), "apt-get install") {
		t.Fatalf("unexpected error: %v", err)
	}
}

func TestBrokerArguments(t *testing.T) {
	cfg := fakeConfig(t)
	cfg.HeapMiB, cfg.JVMOptions = 300, []string{"-Dof.the=caller"}
	b := startFake(t, "serve", cfg)
	log, err := b.LogTail(100)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"-Xms300m -Xmx300m", "-Dof.the=caller -cp " + filepath.Join(cfg.Libs, "*") + " kafka.Kafka"} {
		if !strings.Contains(log, want) {
			t.Errorf("no %q in\n%s", want, log)
		}
	}
}

func TestLeasedPortsDiffer(t *testing.T) {
	seen := map[int]bool{}
	for range 50 {
		l, err := leasePort()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(l.release)
		if seen[l.port] || l.port < firstPort || l.port > lastPort {
			t.Fatalf("unexpected port %d after %v", l.port, seen)
		}
		seen[l.port] = true
	}
}
