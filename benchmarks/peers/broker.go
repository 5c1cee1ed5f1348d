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
	"time"

	"github.com/flyball-io/flyball/internal/embedded/apachekafka"
)

// brokerVariable names the environment variable that makes this program the parent of a
// broker in the folder that it names: a process of its own, so that the broker inherits
// the processor that it is bound to.
const brokerVariable = "FLYBALL_PEERS_BROKER"

// address is where a broker is, and its process.
type address struct {
	Addr string `json:"addr"`
	PID  int    `json:"pid"`
}

// serveBroker runs a broker until standard input ends. It prints its address.
func serveBroker(ctx context.Context) error {
	cfg := apachekafka.Default()
	cfg.Dir, cfg.HeapMiB, cfg.Partitions = os.Getenv(brokerVariable), 1024, 8
	cfg.Properties = map[string]string{
		// The clean-up of files would disturb.
		"log.retention.hours": "-1",
		// Flink's transactions are as long as the time between its checkpoints, and more.
		"transaction.max.timeout.ms": "900000",
	}
	b, err := apachekafka.Start(ctx, cfg)
	if err != nil {
		return err
	}
	err = json.NewEncoder(os.Stdout).Encode(address{b.Addr(), b.PID()})
	if err == nil {
		_, err = io.Copy(io.Discard, os.Stdin)
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	return errors.Join(err, b.Stop(stopping))
}

// brokerProcess is the process that runs a broker.
type brokerProcess struct {
	address
	cmd *exec.Cmd
	in  io.Closer
}

// startBroker starts a broker on a processor.
func startBroker(ctx context.Context, dir string, processor int) (*brokerProcess, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this program: %w", err)
	}
	cmd := onProcessor(context.WithoutCancel(ctx), processor, exe)
	cmd.Env = append(os.Environ(), brokerVariable+"="+filepath.Join(dir, "kafka"))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("cannot start the broker: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("cannot start the broker: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start the broker: %w", err)
	}
	b := &brokerProcess{cmd: cmd, in: in}
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&b.address); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot start the broker: %w", err), b.stop())
	}
	return b, nil
}

func (b *brokerProcess) stop() error {
	if err := errors.Join(b.in.Close(), b.cmd.Wait()); err != nil {
		return fmt.Errorf("cannot stop the broker: %w", err)
	}
	return nil
}
