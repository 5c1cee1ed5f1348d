// Package kafka runs a Kafka broker inside this process, over real TCP on
// 127.0.0.1, for the dev command and the tests. The broker is franz-go's
// kfake; this package adds what kfake leaves to its users: topics with
// settings that are also created on a second start, one process per data
// directory, and a Close that reports what could not be saved.
//
// Two things to know of kfake. A process that dies while a transaction is
// open leaves a log that loses or doubles records when the same
// transactional.id is used again: always Close, and use a fresh
// transactional.id per start. And without a data directory every record stays
// in memory for good.
package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/flyball-io/flyball/internal/embedded/filelock"
)

// Config configures a [Server].
type Config struct {
	// DataDir keeps topics, records, groups and transactions across restarts.
	// Empty means that nothing is kept.
	DataDir string
	// Temporary puts the data into a temporary directory that Close removes,
	// instead of memory. It is for long runs and has no use with a DataDir.
	Temporary bool
	// Brokers is the number of brokers; 1 or more.
	Brokers int
	// Port is the port of the first broker; the others follow it. 0 takes
	// free ports.
	Port int
	// Topics are created if they do not exist. Existing ones stay as they are.
	Topics []Topic
	// AutoCreateTopics creates a topic when a client asks for its metadata
	// and allows that, as kcat and Kafka's own tools do.
	AutoCreateTopics bool
	// Logger gets the broker's warnings and errors; nil drops them.
	Logger *slog.Logger
	// Options are further options of kfake, for faults, SASL and limits.
	// Options that change the network do not work with Topics.
	Options []kfake.Opt
}

// Topic is a topic to create.
type Topic struct {
	// Name is the topic's name.
	Name string
	// Partitions is the number of partitions; 1 or more.
	Partitions int
	// Settings are topic settings such as cleanup.policy.
	Settings map[string]string
}

// Default is one broker on a free port that keeps everything in memory.
func Default() Config { return Config{Brokers: 1} }

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	switch {
	case c.Brokers < 1:
		return errors.New("the number of Brokers must be 1 or more")
	case c.Port < 0 || c.Port+c.Brokers-1 > 65535:
		return fmt.Errorf("cannot use port %d for %d brokers", c.Port, c.Brokers)
	case c.Temporary && c.DataDir != "":
		return errors.New("a broker with a DataDir cannot be Temporary")
	}
	for _, t := range c.Topics {
		if t.Name == "" || t.Partitions < 1 {
			return fmt.Errorf("topic %q must have a name and 1 or more partitions, not %d", t.Name, t.Partitions)
		}
	}
	return nil
}

// Server is a running cluster.
type Server struct {
	cluster *kfake.Cluster
	addrs   []string
	release func() error // gives up the data directory
	log     *errorLog

	closeOnce sync.Once
	closeErr  error
}

// Start starts the brokers and creates the topics. The context bounds the
// start only. The caller must call Close, also before the process ends.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	dir, release, err := claimDir(ctx, cfg)
	if err != nil {
		return nil, err
	}
	log := &errorLog{next: cfg.Logger}
	cluster, err := kfake.NewCluster(cfg.options(dir, log)...)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot start Kafka: %w", err), release())
	}
	s := &Server{cluster: cluster, addrs: cluster.ListenAddrs(), release: release, log: log}
	if err := createTopics(ctx, s.addrs, cfg.Topics); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// claimDir makes sure of the data directory, which may be none, for this
// process alone: kfake itself would let a second broker garble the log.
func claimDir(ctx context.Context, cfg Config) (dir string, release func() error, err error) {
	if cfg.Temporary {
		if dir, err = os.MkdirTemp("", "flyball-kafka-"); err != nil {
			return "", nil, fmt.Errorf("cannot make data directory: %w", err)
		}
		return dir, func() error { return os.RemoveAll(dir) }, nil
	}
	if cfg.DataDir == "" {
		return "", func() error { return nil }, nil
	}
	if err := os.MkdirAll(cfg.DataDir, 0o755); err != nil {
		return "", nil, fmt.Errorf("cannot make data directory %q: %w", cfg.DataDir, err)
	}
	unlock, err := filelock.Lock(ctx, filepath.Join(cfg.DataDir, "flyball.lock"), nil)
	if err != nil {
		return "", nil, fmt.Errorf("cannot use data directory %q: %w", cfg.DataDir, err)
	}
	return cfg.DataDir, func() error { unlock(); return nil }, nil
}

func (c Config) options(dir string, log *errorLog) []kfake.Opt {
	opts := []kfake.Opt{kfake.NumBrokers(c.Brokers), kfake.ClusterID("flyball-embedded"), kfake.WithLogger(log)}
	if dir != "" {
		opts = append(opts, kfake.DataDir(dir))
	}
	if c.Port != 0 {
		ports := make([]int, c.Brokers)
		for i := range ports {
			ports[i] = c.Port + i
		}
		opts = append(opts, kfake.Ports(ports...))
	}
	if c.AutoCreateTopics {
		opts = append(opts, kfake.AllowAutoTopicCreation())
	}
	return append(opts, c.Options...)
}

// Addrs are the brokers' addresses, host:port, for a client's seed brokers.
func (s *Server) Addrs() []string { return s.addrs }

// Cluster is kfake's handle, for faults, controls and inspection. Use Close of
// the Server, not of the cluster.
func (s *Server) Cluster() *kfake.Cluster { return s.cluster }

// Close stops the brokers and saves what a DataDir keeps; it reports what
// could not be saved. It may be called more than once.
func (s *Server) Close() error {
	s.closeOnce.Do(func() {
		s.log.reset()
		s.cluster.Close()
		s.closeErr = errors.Join(s.log.err(), s.release())
	})
	return s.closeErr
}

// errorLog passes warnings on and keeps errors: kfake reports a failed save
// nowhere else.
type errorLog struct {
	next *slog.Logger

	mu     sync.Mutex
	errors []error
}

// Logf implements kfake.Logger.
func (l *errorLog) Logf(level kfake.LogLevel, format string, args ...any) {
	if level > kfake.LogLevelWarn {
		return
	}
	text := fmt.Sprintf(format, args...)
	if level == kfake.LogLevelError {
		l.mu.Lock()
		l.errors = append(l.errors, fmt.Errorf("cannot run Kafka: %s", text))
		l.mu.Unlock()
	}
	if l.next == nil {
		return
	}
	severity := slog.LevelWarn
	if level == kfake.LogLevelError {
		severity = slog.LevelError
	}
	l.next.Log(context.Background(), severity, text, "component", "kafka")
}

func (l *errorLog) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errors = nil
}

func (l *errorLog) err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.errors...)
}
