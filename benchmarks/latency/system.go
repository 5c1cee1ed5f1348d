package main

import (
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/embedded/apachekafka"
	"github.com/flyball-io/flyball/internal/loadgen"
)

//go:embed latency.yaml
var configText string

const (
	inputTopic   = "otlp_spans"
	partitions   = 4
	group        = "flyball-aggregate-spans"
	commandTopic = "flyball.commands"
	// probesPerSecond is how many services fail per second.
	probesPerSecond = 5
	// patience is how long a command may take.
	patience = 30 * time.Second
)

// system is what runs.
type system struct {
	dir     string
	broker  *apachekafka.Broker
	flyball *exec.Cmd
	client  *kgo.Client
	admin   *kadm.Client
	probes  int
}

func start(ctx context.Context, binary string, talk io.Writer) (*system, error) {
	dir, err := os.MkdirTemp("", "flyball-latency-")
	if err != nil {
		return nil, fmt.Errorf("cannot make a folder: %w", err)
	}
	s := &system{dir: dir}
	if err := s.start(ctx, binary, talk); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

func (s *system) start(ctx context.Context, binary string, talk io.Writer) error {
	cfg := apachekafka.Default()
	cfg.Dir = filepath.Join(s.dir, "kafka")
	var err error
	if s.broker, err = apachekafka.Start(ctx, cfg); err != nil {
		return err
	}
	if s.client, err = kgo.NewClient(kgo.SeedBrokers(s.broker.Addr()), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0)); err != nil {
		return fmt.Errorf("cannot reach Kafka: %w", err)
	}
	s.admin = kadm.NewClient(s.client)
	if _, err := s.admin.CreateTopic(ctx, partitions, 1, nil, inputTopic); err != nil {
		return fmt.Errorf("cannot make the topic: %w", err)
	}
	text := configText + fmt.Sprintf(`---
apiVersion: flyball.dev/v1
kind: Pipeline
metadata: {name: latency}
spec:
  kafka: {brokers: [%q]}
  http: {listen: "127.0.0.1:18687"}
`, s.broker.Addr())
	folder := filepath.Join(s.dir, "config")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("cannot make a folder: %w", err)
	}
	if err := os.WriteFile(filepath.Join(folder, "latency.yaml"), []byte(text), 0o600); err != nil {
		return fmt.Errorf("cannot write the configuration: %w", err)
	}
	s.flyball = exec.Command(binary, "run", "--config", folder, "--roles", "aggregate,evaluate,decide", "--log-level", "warn")
	s.flyball.Stdout, s.flyball.Stderr = talk, talk
	if err := s.flyball.Start(); err != nil {
		return fmt.Errorf("cannot start flyball: %w", err)
	}
	return nil
}

// stop ends what runs.
func (s *system) stop() error {
	var err error
	if s.flyball != nil && s.flyball.Process != nil {
		err = errors.Join(s.flyball.Process.Signal(syscall.SIGTERM), s.flyball.Wait())
	}
	if s.client != nil {
		s.client.Close()
	}
	if s.broker != nil {
		s.broker.Kill()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// tooMuch is more spans per second than can be made.
const tooMuch = 3_000_000

// load sends spans of the shop until the context ends.
func (s *system) load(ctx context.Context, rate float64) error {
	c := loadgen.Default()
	c.Topic, c.Partitions, c.Shop.Rate = inputTopic, partitions, rate
	c.Kafka.Brokers, c.Kafka.Compression = []string{s.broker.Addr()}, "zstd"
	_, err := loadgen.Run(ctx, c, nil)
	return err
}

// sustained is how many spans per second flyball commits while more than it can take is
// offered.
func (s *system) sustained(ctx context.Context, length time.Duration) (float64, error) {
	loading, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.load(loading, tooMuch) }()
	var first, last int64
	var from, to time.Time
	for until := time.Now().Add(length + patience); time.Now().Before(until) && (from.IsZero() || to.Sub(from) < length); {
		select {
		case err := <-ended:
			return 0, fmt.Errorf("the load ended: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
		if n := s.committed(ctx); n > last {
			last, to = n, time.Now()
			if from.IsZero() {
				first, from = last, to
			}
		}
	}
	cancel()
	if err := <-ended; err != nil {
		return 0, err
	}
	if first == last {
		return 0, errors.New("flyball commits nothing")
	}
	return float64((last-first)*100) / to.Sub(from).Seconds(), s.catchUp(ctx)
}

// catchUp waits until nothing is left to read.
func (s *system) catchUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	for {
		ends, err := s.admin.ListEndOffsets(ctx, inputTopic)
		if err != nil {
			return fmt.Errorf("cannot list the ends of the topic: %w", err)
		}
		left := -s.committed(ctx)
		ends.Each(func(o kadm.ListedOffset) { left += o.Offset })
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("flyball does not catch up: %d records are left", left)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (s *system) committed(ctx context.Context) int64 {
	offsets, err := s.admin.FetchOffsets(ctx, group)
	if err != nil {
		return 0
	}
	sum := int64(0)
	for p := range int32(partitions) {
		if o, ok := offsets.Lookup(inputTopic, p); ok && o.At > 0 {
			sum += o.At
		}
	}
	return sum
}

// probe lets services fail beside a load and returns how long each took to lead to a
// command, and how many did not.
func (s *system) probe(ctx context.Context, rate float64, length time.Duration) (took []time.Duration, lost int, err error) {
	loading, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.load(loading, rate) }()
	defer func() { cancel(); err = errors.Join(err, <-ended) }()
	reader, err := kgo.NewClient(kgo.SeedBrokers(s.broker.Addr()), kgo.ConsumeTopics(commandTopic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtEnd()), kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		return nil, 0, fmt.Errorf("cannot reach Kafka: %w", err)
	}
	defer reader.Close()
	sent := map[string]time.Time{}
	began := time.Now()
	settle := 5 * time.Second // until the load is what it should be
	for len(sent) > 0 || time.Since(began) < settle+length {
		if since := time.Since(began); since > settle && since < settle+length {
			s.fail(ctx, sent)
		} else if since > settle+length+patience {
			break
		}
		poll, stop := context.WithTimeout(ctx, time.Second/probesPerSecond)
		for deadline, _ := poll.Deadline(); time.Now().Before(deadline); {
			reader.PollFetches(poll).EachRecord(func(r *kgo.Record) {
				name := strings.TrimPrefix(string(r.Key), "deploy/")
				if at, ok := sent[name]; ok {
					took = append(took, time.Since(at))
					delete(sent, name)
				}
			})
		}
		stop()
		if ctx.Err() != nil {
			return took, len(sent), ctx.Err()
		}
	}
	return took, len(sent), nil
}

// fail sends a record of ten spans of a new service, all of which failed.
func (s *system) fail(ctx context.Context, sent map[string]time.Time) {
	s.probes++
	name := fmt.Sprintf("probe-%06d", s.probes)
	sent[name] = time.Now()
	s.client.Produce(ctx, &kgo.Record{Topic: inputTopic, Partition: int32(s.probes % partitions), Value: failures(name, time.Now())}, nil)
}

// failures encodes the spans.
func failures(service string, at time.Time) []byte {
	attribute := func(key, value string) []byte {
		return bytesField(bytesField(nil, 1, key), 2, string(bytesField(nil, 1, value)))
	}
	span := binary.LittleEndian.AppendUint64([]byte{7<<3 | 1}, uint64(at.Add(-time.Millisecond).UnixNano()))
	span = binary.LittleEndian.AppendUint64(append(span, 8<<3|1), uint64(at.UnixNano()))
	span = bytesField(span, 9, string(attribute("http.route", "/")))
	span = bytesField(span, 15, string([]byte{3 << 3, 2}))
	var scope []byte
	for range 10 {
		scope = bytesField(scope, 2, string(span))
	}
	resource := bytesField(nil, 1, string(bytesField(nil, 1, string(attribute("service.name", service)))))
	return bytesField(nil, 1, string(bytesField(resource, 2, string(scope))))
}

func bytesField(dst []byte, number int, value string) []byte {
	return append(binary.AppendUvarint(append(dst, byte(number<<3|2)), uint64(len(value))), value...)
}
