package chaos

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// driver makes the faults of a plan happen.
type driver struct {
	*cluster
	cfg   Config
	watch *watcher
	// sent is how far telemetry has come, in event time.
	sent func() time.Time
	log  *slog.Logger

	mu        sync.Mutex
	happened  map[Kind]int
	takeovers []time.Duration
	stops     []time.Duration
	unsettled int
}

// settleLimit is how long a fault may keep windows from closing after it is over.
const settleLimit = 2 * time.Minute

// leaveLimit is how long a process may take to leave while its broker is slow, or
// away, or it is stopped itself. Without any of that it takes less than ten
// seconds.
const leaveLimit = 30 * time.Second

// run works off the plan, or as much as there is time for.
func (d *driver) run(ctx context.Context, p plan) error {
	var light sync.WaitGroup
	defer light.Wait()
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	light.Go(func() {
		for _, f := range p.light {
			if !wait(ctx, f.gap) {
				return
			}
			d.lightFault(ctx, f)
		}
	})
	for _, f := range p.members {
		if !wait(ctx, f.gap) {
			return nil
		}
		if err := d.memberFault(ctx, f); err != nil {
			return fmt.Errorf("%s of slot %d: %w", f.kind, f.slot, err)
		}
	}
	light.Wait()
	return nil
}

// wait reports whether the time passed before the context ended.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (d *driver) note(f fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.happened[f.kind]++
	d.log.Info("fault", "kind", string(f.kind), "slot", f.slot, "lasts", f.lasts)
}

// lightFault happens to whichever process is in the slot, or the next one.
func (d *driver) lightFault(ctx context.Context, f fault) {
	var s *slot
	for i := range slots {
		if s = d.slots[(f.slot+i)%slots]; s.current() != nil {
			break
		}
	}
	p := s.current()
	if p == nil {
		return // just between two processes
	}
	d.note(f)
	switch f.kind {
	case Cut:
		s.link.Drop()
	case Hold:
		s.link.Hold()
		wait(ctx, f.lasts)
		s.link.Release()
	case Slow:
		s.link.Delay(f.delay)
		wait(ctx, f.lasts)
		s.link.Delay(0)
	case Pause:
		p.freeze()
		wait(ctx, f.lasts)
		p.thaw()
	}
}

// memberFault happens, and is waited for until windows close again.
func (d *driver) memberFault(ctx context.Context, f fault) error {
	d.note(f)
	s := d.slots[f.slot]
	switch f.kind {
	case Kill:
		return d.kill(ctx, s)
	case Freeze:
		p := s.current()
		p.freeze()
		wait(ctx, d.cfg.Session+f.lasts)
		p.thaw()
	case Leave:
		took, err := s.take().terminate(leaveLimit)
		if err != nil {
			return err
		}
		d.mu.Lock()
		d.stops = append(d.stops, took)
		d.mu.Unlock()
	case Join:
		if err := s.start(); err != nil {
			return err
		}
	case BrokerKill, BrokerStop:
		if f.kind == BrokerKill {
			d.broker.Kill()
		}
		// Not cut short: a broker that is away would be no end.
		if err := d.broker.Restart(context.WithoutCancel(ctx)); err != nil {
			return err
		}
	}
	d.settle(ctx)
	return d.alive()
}

// kill kills a process, starts another in its place, and measures how long it
// takes until somebody closes a window in one of the dead one's partitions.
func (d *driver) kill(ctx context.Context, s *slot) error {
	partitions := d.watch.partitionsOf(ctx, s.clientID())
	died := time.Now()
	s.take().kill()
	ends, err := d.watch.ends(ctx)
	if ctx.Err() != nil {
		return s.start()
	}
	if err != nil {
		return err
	}
	if err := s.start(); err != nil {
		return err
	}
	if len(partitions) > 0 {
		limited, cancel := context.WithTimeout(ctx, settleLimit)
		defer cancel()
		at, ok := d.watch.until(limited, func() bool {
			for _, p := range partitions {
				if last, any := d.watch.last[p]; any && last >= ends[p] {
					return true
				}
			}
			return false
		})
		if ok {
			d.mu.Lock()
			d.takeovers = append(d.takeovers, at.Sub(died))
			d.mu.Unlock()
		}
	}
	d.settle(ctx)
	return d.alive()
}

// settle waits until windows have closed that were still open.
func (d *driver) settle(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	now := d.sent()
	if _, ok := d.watch.until(limited, func() bool { return !d.watch.through.Before(now) }); !ok && ctx.Err() == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.unsettled++
		d.log.Warn("no window has closed since the last fault", "for", settleLimit)
	}
}

// alive fails when a process has ended that nobody ended.
func (d *driver) alive() error {
	for _, s := range d.slots {
		if p := s.current(); p != nil && p.ended() {
			return fmt.Errorf("the process of slot %d ended by itself (%v); its log is in %s", s.number, p.err, s.dir)
		}
	}
	return nil
}
