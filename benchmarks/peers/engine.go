package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// job is what an engine is told.
type job struct {
	brokers string
	input   string
	dir     string // a folder of its own
	name    string // of the run: a prefix of its groups and topics
}

func (j job) output() string { return j.name + ".windows" }

// engine is one of those that are compared.
type engine struct {
	// title is what people read.
	title string
	// command runs the engine until it is killed.
	command func(ctx context.Context, p Plan, j job) (*exec.Cmd, error)
	// group commits what has been read of the input.
	group func(j job) string
	// read adds a record of the output to the results.
	read func(r *kgo.Record, to results) error
	// open is how long before the end of the input windows may still be open when all
	// has been read.
	open time.Duration
}

const (
	brokerProcessor = 0
	engineProcessor = 1
	// grace is how long Kafka Streams keeps windows open. It reads partitions unevenly and
	// has no watermark per partition: with less it drops spans while it catches up.
	grace = time.Minute
)

// engines are all of them by name.
var engines = map[string]engine{
	"flyball": {
		title: "Flyball", command: flyballCommand, read: readFlyball, open: 20 * time.Second,
		group: func(j job) string { return j.name + ".-aggregate-spans" },
	},
	"kafka_streams":           kafkaStreams("Kafka Streams", "fold=none", "decoder=scan"),
	"kafka_streams_folded":    kafkaStreams("Kafka Streams, folding records by hand", "fold=record", "decoder=scan"),
	"flink":                   flink("Flink", "fold=none", "decoder=scan"),
	"kafka_streams_generated": kafkaStreams("Kafka Streams, generated classes", "fold=none", "decoder=generated"),
	"flink_generated":         flink("Flink, generated classes", "fold=none", "decoder=generated"),
	"flink_folded":            flink("Flink, folding records by hand", "fold=record", "decoder=scan"),
}

//go:embed flyball.yaml
var flyballConfig string

func flyballCommand(ctx context.Context, p Plan, j job) (*exec.Cmd, error) {
	text := strings.ReplaceAll(flyballConfig, "otlp_spans]", j.input+"]") + fmt.Sprintf(`---
apiVersion: flyball.dev/v1
kind: Pipeline
metadata:
  name: peers
spec:
  kafka:
    brokers: [%q]
    topicPrefix: %q
    group: %q
  http:
    listen: %q
`, j.brokers, j.name+".", j.name+".", flyballAddress)
	if err := os.WriteFile(filepath.Join(j.dir, "peers.yaml"), []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("cannot write the configuration: %w", err)
	}
	return onProcessor(ctx, engineProcessor, p.Binary, "run", "--config", j.dir, "--roles", "aggregate,evaluate", "--log-level", "warn"), nil
}

// flyballAddress is where Flyball serves HTTP while it is measured.
const flyballAddress = "127.0.0.1:18686"

// java is a command that runs a main class of a built peer.
func java(ctx context.Context, p Plan, peer, class string, options, args []string) *exec.Cmd {
	path := filepath.Join(p.Java, peer, "target", "classes") + ":" + filepath.Join(p.Java, peer, "target", "libs", "*")
	list := append([]string{
		"-Xms2g", "-Xmx2g", "-XX:+UseSerialGC", // what a JVM picks by itself on one core
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
	}, options...)
	return onProcessor(ctx, engineProcessor, "java", append(append(list, "-cp", path, class), args...)...)
}

func kafkaStreams(title string, args ...string) engine {
	return engine{
		title: title, group: func(j job) string { return j.name }, read: readPeer, open: grace + 30*time.Second,
		command: func(ctx context.Context, p Plan, j job) (*exec.Cmd, error) {
			return java(ctx, p, "kafkastreams", "io.flyball.peers.kafkastreams.Requests", nil, append([]string{
				"brokers=" + j.brokers, "input=" + j.input, "output=" + j.output(), "group=" + j.name, "dir=" + j.dir,
				"threads=1", "store=memory", "commit=1000", "compression=lz4", fmt.Sprintf("grace=PT%dS", int(grace.Seconds())),
			}, args...)), nil
		},
	}
}

func flink(title string, args ...string) engine {
	return engine{
		title: title, group: func(j job) string { return j.name }, read: readPeer, open: 20 * time.Second,
		command: func(ctx context.Context, p Plan, j job) (*exec.Cmd, error) {
			// Flink's own start scripts open these, too.
			opens := []string{"--add-opens=java.base/java.util=ALL-UNNAMED", "--add-opens=java.base/java.lang=ALL-UNNAMED", "--add-opens=java.base/java.nio=ALL-UNNAMED"}
			return java(ctx, p, "flink", "io.flyball.peers.flink.Requests", opens, append([]string{
				"brokers=" + j.brokers, "input=" + j.input, "output=" + j.output(), "group=" + j.name, "dir=" + j.dir,
				"threads=1", "store=memory", "checkpoint=PT10S", "compression=lz4",
			}, args...)), nil
		},
	}
}
