package apachekafka

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// Env is the environment variable that must be "1" for tests to start a real broker.
const Env = "FLYBALL_TEST_KAFKA"

// Shared is one broker for all tests of a test binary. The zero value is ready; it starts with the first test
// that asks for it and is stopped by Wrap. Tests that kill or restart a broker must start their own.
type Shared struct {
	// Config is that of the broker; Dir is chosen when it is empty, and then removed at the end.
	Config Config

	once   sync.Once
	broker *Broker
	tmp    string
	err    error
}

// SkipUnlessEnabled skips tb unless real brokers are asked for by Env.
func SkipUnlessEnabled(tb testing.TB) {
	tb.Helper()
	if os.Getenv(Env) != "1" {
		tb.Skipf("needs a real Apache Kafka broker: set %s=1 (make test-kafka)", Env)
	}
}

// Broker returns the running broker, or skips tb when real brokers are not asked for.
func (s *Shared) Broker(tb testing.TB) *Broker {
	tb.Helper()
	SkipUnlessEnabled(tb)
	s.once.Do(s.start)
	if s.err != nil {
		tb.Fatal(s.err)
	}
	return s.broker
}

func (s *Shared) start() {
	cfg := s.Config
	if cfg.Dir == "" {
		if s.tmp, s.err = os.MkdirTemp("", "flyball-kafka-"); s.err != nil {
			return
		}
		cfg.Dir = s.tmp
	}
	// The fetch may have to download; the start itself is bounded by ReadyTimeout.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	s.broker, s.err = Start(ctx, cfg)
}

// Prefix returns a prefix for topics, groups and transactional ids that no other test uses.
func (*Shared) Prefix(tb testing.TB) string {
	legal := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-':
			return r
		}
		return '-'
	}, tb.Name())
	// Kafka allows 249 characters for a topic.
	legal = legal[:min(len(legal), 120)]
	return strings.ToLower(legal + "-" + rand.Text()[:8] + ".")
}

// Wrap returns a runner of m that stops the broker after the tests:
//
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(kafka.Wrap(m)) }
func (s *Shared) Wrap(m interface{ Run() int }) *Runner { return &Runner{shared: s, tests: m} }

// Runner runs a test binary's tests and then stops its shared broker.
type Runner struct {
	shared *Shared
	tests  interface{ Run() int }
}

// Run returns the exit code of the tests, or 1 when they passed but the broker could not be stopped.
func (r *Runner) Run() int {
	code := r.tests.Run()
	if err := r.shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

func (s *Shared) stop() error {
	s.once.Do(func() {}) // no start from here on
	if s.tmp != "" {
		defer os.RemoveAll(s.tmp)
	}
	if s.broker == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return s.broker.Stop(ctx)
}
