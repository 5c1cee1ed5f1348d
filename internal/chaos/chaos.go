package chaos

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/loadgen"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// Config says how much chaos, and with what.
type Config struct {
	// Seed of the faults and of the telemetry.
	Seed uint64
	// Faults is how many there are.
	Faults int
	// Limit ends the faults early; 0 is no limit.
	Limit time.Duration
	// Binary is the flyball to run.
	Binary string
	// Dir is an empty folder for the broker's data, configurations and logs.
	Dir string
	// Session is the session timeout of the processes, at least 6 s.
	Session time.Duration
	// Rate of spans per second.
	Rate float64
	// BrokerTimeout is how long the broker may take to start.
	BrokerTimeout time.Duration
	// Log is told of every fault.
	Log *slog.Logger
}

// Default returns a thousand faults. Binary, Dir and Log are left empty.
func Default() Config {
	return Config{Seed: 1, Faults: 1000, Session: 6 * time.Second, Rate: 400, BrokerTimeout: 2 * time.Minute}
}

// doneLimit is how long the processes may take to read everything after the last
// fault, and the run that it is compared with to read it all.
const doneLimit = 5 * time.Minute

// Run runs the chaos and the calm, and compares.
func Run(ctx context.Context, cfg Config) (Report, error) {
	began := time.Now()
	c, err := startCluster(ctx, cfg)
	if err != nil {
		return Report{}, err
	}
	defer c.close()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.broker.Addr()), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.ZstdCompression()))
	if err != nil {
		return Report{}, fmt.Errorf("cannot make a client: %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	if _, err := admin.CreateTopic(ctx, inputPartitions, 1, nil, inputTopic); err != nil {
		return Report{}, fmt.Errorf("cannot create topic %q: %w", inputTopic, err)
	}
	for _, s := range c.slots {
		if err := s.configure(configuration(chaotic, s.front.Addr().String(), s.clientID(), cfg.Session)); err != nil {
			return Report{}, err
		}
	}
	d := &driver{cluster: c, cfg: cfg, log: cfg.Log, happened: map[Kind]int{}}
	load, err := d.chaos(ctx, &telemetry{client: client}, admin)
	if err != nil {
		return Report{}, err
	}
	cfg.Log.Info("the faults are over; the same telemetry without faults", "spans", load.Spans)
	if err := d.calm(ctx, admin); err != nil {
		return Report{}, err
	}
	want, err := readResults(ctx, c.broker.Addr(), calm)
	if err != nil {
		return Report{}, err
	}
	got, err := readResults(ctx, c.broker.Addr(), chaotic)
	if err != nil {
		return Report{}, err
	}
	r := d.report(load, want, got)
	r.Seconds = time.Since(began).Seconds()
	return r, nil
}

// chaos runs processes, telemetry and faults side by side, and returns when all
// telemetry has been read.
func (d *driver) chaos(ctx context.Context, sink *telemetry, admin *kadm.Client) (loadgen.Result, error) {
	for _, s := range d.slots[:first] {
		if err := s.start(); err != nil {
			return loadgen.Result{}, err
		}
	}
	var err error
	if d.watch, err = newWatcher(d.broker.Addr(), chaotic); err != nil {
		return loadgen.Result{}, err
	}
	defer d.watch.client.Close()
	runner, err := loadgen.NewRunner(shopConfig(d.cfg.Seed, d.cfg.Rate))
	if err != nil {
		return loadgen.Result{}, err
	}
	var busy sync.WaitGroup
	defer busy.Wait()
	watching, unwatch := context.WithCancel(ctx)
	defer unwatch()
	busy.Go(func() { d.watch.follow(watching) })

	var sent atomic.Int64
	sent.Store(epoch.UnixNano())
	d.sent = func() time.Time { return time.Unix(0, sent.Load()) }
	feeding, starve := context.WithCancel(ctx)
	defer starve()
	var load loadgen.Result
	var loadErr error
	var feed sync.WaitGroup
	feed.Go(func() {
		load, loadErr = runner.Run(feeding, sink, func(s loadgen.Stats) { sent.Store(s.EventTime.UnixNano()) })
	})
	faultsErr := d.faults(ctx)
	starve()
	feed.Wait()
	if err := errors.Join(faultsErr, loadErr, ctx.Err()); err != nil {
		return load, err
	}
	if err := sink.closeAll(ctx); err != nil {
		return load, err
	}
	if err := allRead(ctx, admin, chaotic); err != nil {
		return load, err
	}
	for _, s := range d.slots {
		if p := s.take(); p != nil {
			if _, err := p.terminate(leaveLimit); err != nil {
				return load, err
			}
		}
	}
	return load, nil
}

// faults waits until windows close, and then makes the faults happen.
func (d *driver) faults(ctx context.Context) error {
	started, cancel := context.WithTimeout(ctx, doneLimit)
	defer cancel()
	if _, ok := d.watch.until(started, func() bool { return d.watch.through.After(epoch.Add(5 * time.Second)) }); !ok {
		return errors.Join(errors.New("no window has closed before the first fault"), d.alive())
	}
	limited := ctx
	if d.cfg.Limit > 0 {
		var stop context.CancelFunc
		limited, stop = context.WithTimeout(ctx, d.cfg.Limit)
		defer stop()
	}
	return d.run(limited, newPlan(d.cfg.Seed, d.cfg.Faults))
}

// calm lets one process read the same telemetry.
func (d *driver) calm(ctx context.Context, admin *kadm.Client) error {
	dir := filepath.Join(d.cfg.Dir, "calm")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("cannot make a folder: %w", err)
	}
	text := configuration(calm, d.broker.Addr(), "calm", d.cfg.Session)
	if err := os.WriteFile(filepath.Join(dir, "flyball.yaml"), []byte(text), 0o600); err != nil {
		return fmt.Errorf("cannot write configuration: %w", err)
	}
	p, err := startProcess(d.cfg.Binary, dir)
	if err != nil {
		return err
	}
	if err := allRead(ctx, admin, calm); err != nil {
		p.kill()
		return err
	}
	_, err = p.terminate(leaveLimit)
	return err
}

// allRead waits until every role has read all that there is.
func allRead(ctx context.Context, admin *kadm.Client, n names) error {
	topics := sinkkafka.Topics{Prefix: n.topicPrefix}
	ctx, cancel := context.WithTimeout(ctx, doneLimit)
	defer cancel()
	looked := time.Now()
	for _, step := range [][2]string{
		{n.group + "-aggregate-spans", inputTopic}, {n.group + "-evaluate", topics.Panes()}, {n.group + "-decide", topics.Findings()},
	} {
		for {
			behind, err := unread(ctx, admin, step[0], step[1])
			if behind == "" && err == nil {
				break
			}
			if time.Since(looked) > hangsAfter {
				looked = time.Now()
				if err := hanging(ctx, admin); errors.Is(err, errHanging) {
					return fmt.Errorf("group %q has not read all of %q: %s %w", step[0], step[1], behind, err)
				}
			}
			if !wait(ctx, 100*time.Millisecond) {
				return fmt.Errorf("group %q has not read all of %q: %s %w", step[0], step[1], behind, errors.Join(err, ctx.Err()))
			}
		}
	}
	return nil
}
