package apachekafka

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// boot writes the properties, formats a new folder, starts the process and waits until it serves.
func (b *Broker) boot(ctx context.Context) error {
	settings := serverProperties(b.cfg, b.dataDir(), b.endpoints)
	if err := os.WriteFile(b.propertiesPath(), renderProperties(settings), 0o600); err != nil {
		return fmt.Errorf("cannot write server.properties: %w", err)
	}
	if err := b.format(ctx); err != nil {
		return err
	}
	log, err := os.OpenFile(b.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("cannot open log: %w", err)
	}
	defer log.Close() // the child has its own copy
	info, err := log.Stat()
	if err != nil {
		return fmt.Errorf("cannot read size of log: %w", err)
	}
	// Not CommandContext: ctx bounds the start, not the life.
	cmd := exec.Command(b.java, b.brokerArgs()...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = b.cfg.Dir, log, log
	p, err := startProcess(cmd)
	if err != nil {
		return fmt.Errorf("cannot run %q: %w", b.java, err)
	}
	late := fmt.Errorf("the broker did not answer within %s", b.cfg.ReadyTimeout)
	ready, cancel := context.WithTimeoutCause(ctx, b.cfg.ReadyTimeout, late)
	defer cancel()
	if err := awaitReady(ready, b.Addr(), p); err != nil {
		p.kill()
		text, tailErr := readTail(b.logPath(), info.Size())
		return errors.Join(explain(err, text), tailErr)
	}
	// Another server on the port would have answered too.
	if !p.running() {
		text, tailErr := readTail(b.logPath(), info.Size())
		return errors.Join(explain(errExited, text), tailErr)
	}
	b.setProcess(p)
	return nil
}

// format makes a new data folder a Kafka log directory; one that is formatted is left alone.
func (b *Broker) format(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(b.dataDir(), "meta.properties")); err == nil {
		return nil
	}
	cmd := exec.CommandContext(ctx, b.java,
		"-XX:TieredStopAtLevel=1", "-Xmx128m",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
		"-cp", filepath.Join(b.cfg.Libs, "*"),
		"kafka.tools.StorageTool", "format", "--cluster-id", newClusterID(), "--config", b.propertiesPath())
	output, err := cmd.CombinedOutput()
	if err != nil {
		if ctx.Err() != nil { // the tool was killed, and "signal: killed" would hide why
			err = context.Cause(ctx)
		}
		return explain(fmt.Errorf("cannot format %q: %w", b.dataDir(), err), string(output))
	}
	return nil
}

// newClusterID returns 16 random bytes as Kafka writes them: unpadded base64 for URLs.
func newClusterID() string {
	var id [16]byte
	rand.Read(id[:])
	// Kafka's command line would take a leading dash, which is 62 in the first six bits, for an option.
	id[0] &= 0x7f
	return base64.RawURLEncoding.EncodeToString(id[:])
}

func (b *Broker) brokerArgs() []string {
	heap := fmt.Sprintf("%dm", b.cfg.HeapMiB)
	args := []string{
		"-Xms" + heap, "-Xmx" + heap,
		// What Kafka's own start script chooses, so that benchmarks measure the broker people run.
		"-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35",
		"-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true",
		"-Dorg.slf4j.simpleLogger.showDateTime=true",
		"-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS",
		// The dump of all settings, four times at every start, hides everything else.
		"-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
	}
	args = append(args, b.cfg.JVMOptions...)
	return append(args, "-cp", filepath.Join(b.cfg.Libs, "*"), "kafka.Kafka", b.propertiesPath())
}
