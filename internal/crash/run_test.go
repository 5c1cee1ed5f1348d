//go:build synctests

package crash

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyball-io/flyball/internal/crash/proxy"
)

// patience is how long, in virtual time, a run may take after its last fault.
const patience = 5 * time.Minute

// unreached is how long a fault waits for its step; some steps do not come.
const unreached = 20 * time.Second

// driver carries out a plan.
type driver struct {
	w    *world
	plan plan
	rng  *rand.Rand

	mu    sync.Mutex
	armed *fault // waits for its step
	left  int    // of its skip
	fired chan struct{}
	count map[string]int // faults that happened
}

// runPlan runs the log while the faults of a plan happen, until done says so and
// a while longer, and returns the results, and how many faults of each kind
// happened.
func runPlan(t *testing.T, s setup, p plan, done func(*reader) bool) (r *reader, happened map[string]int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, s)
		defer w.close()
		d := &driver{w: w, plan: p, rng: rand.New(rand.NewPCG(p.seed, 1)), count: map[string]int{}}
		w.onMessage(d.message)
		var busy sync.WaitGroup
		busy.Go(d.faults)
		synctest.Wait() // an early fault is armed
		if p.split {
			for _, role := range []string{"aggregate", "evaluate", "decide"} {
				w.start(role)
				w.start(role)
			}
		} else {
			w.start()
			w.start()
		}
		r = w.reader()
		defer r.client.Close()
		busy.Go(func() { w.feed(context.Background()) })
		busy.Wait()
		for began := time.Now(); !done(r) && time.Since(began) < patience; {
			d.replace()
			r.poll(time.Second)
		}
		r.poll(settle)
		happened = d.count
	})
	return r, happened
}

// check runs a plan and fails when the results are not those wanted.
func check(t *testing.T, s setup, p plan, want results) map[string]int {
	t.Helper()
	r, happened := unstuck(t, s, p, func(r *reader) bool { return r.has(want) })
	if wrong := r.compare(want); wrong != "" {
		t.Errorf("%s\n%s\nthe last of the log:\n%s", p, wrong, r.w.log)
	}
	return happened
}

// unstuck runs a plan, and once or twice more when it did not come to its end
// because kfake got stuck: it waits for ever for a member that has left while it was
// waiting to join, which a real broker notices. What was read by then must not be
// wrong all the same.
func unstuck(t *testing.T, s setup, p plan, done func(*reader) bool) (r *reader, happened map[string]int) {
	t.Helper()
	for left := 2; ; left-- {
		r, happened = runPlan(t, s, p, done)
		if done(r) || left == 0 || len(r.doubles)+len(r.wrong) > 0 || !r.w.log.endsWith("unable to join group session") {
			return r, happened
		}
		t.Logf("seed %d: the broker waits for a member that is gone; again", p.seed)
	}
}

// faults makes the faults of the plan happen, one after the other.
func (d *driver) faults() {
	for i := range d.plan.faults {
		f := &d.plan.faults[i]
		if !f.early {
			time.Sleep(f.gap)
			d.replace()
		}
		switch f.kind {
		case faultError:
			d.happens(f, nil)
			f.answer(d.w.cluster)
		case faultStop, faultFewer:
			if p := d.any(); p != nil {
				d.happens(f, p)
				p.cancel()
				if f.kind == faultStop {
					d.another(p)
				}
			}
		case faultMore:
			if p := d.any(); p != nil {
				d.happens(f, p)
				d.w.start(p.roles...)
			}
		default:
			d.await(f)
		}
	}
}

// await arms a fault and waits until it has happened.
func (d *driver) await(f *fault) {
	fired := make(chan struct{})
	d.mu.Lock()
	d.armed, d.left, d.fired = f, f.skip, fired
	d.mu.Unlock()
	if f.provoke {
		d.w.start()
	}
	timer := time.NewTimer(unreached)
	defer timer.Stop()
	select {
	case <-fired:
	case <-timer.C:
		d.mu.Lock()
		d.armed = nil
		d.mu.Unlock()
	}
}

// message sees every message, and makes the armed fault happen at its step.
func (d *driver) message(p *process, m proxy.Message) {
	d.mu.Lock()
	f := d.armed
	if f == nil || !p.alive() || m != (proxy.Message{Key: f.at.key.Int16(), Version: m.Version, Client: f.at.client, Response: f.at.response}) {
		d.mu.Unlock()
		return
	}
	if d.left--; d.left >= 0 {
		d.mu.Unlock()
		return
	}
	d.armed = nil
	close(d.fired)
	d.mu.Unlock()
	d.happens(f, p)
	switch f.kind {
	case faultKill:
		p.kill()
		if !f.provoke {
			d.another(p)
		}
	case faultDrop:
		p.link.Drop()
	case faultHold:
		p.link.Hold()
		time.AfterFunc(f.lasts, p.link.Release)
	case faultSlow:
		p.link.Delay(100 * time.Millisecond)
		time.AfterFunc(f.lasts, func() { p.link.Delay(latency) })
	default:
		panic("BUG: no such fault: " + f.kind)
	}
}

func (d *driver) happens(f *fault, p *process) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count[f.kind]++
	d.count[f.at.String()]++
	name := ""
	if p != nil {
		name = p.name
	}
	d.w.note("FAULT %s %s", name, f)
}

// another starts a process in the place of one, a while later.
func (d *driver) another(p *process) {
	d.mu.Lock()
	wait := time.Duration(d.rng.ExpFloat64() * float64(2*time.Second))
	d.mu.Unlock()
	time.AfterFunc(wait, func() { d.w.start(p.roles...) })
}

// any returns a process that lives.
func (d *driver) any() *process {
	living := d.living()
	if len(living) == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return living[d.rng.IntN(len(living))]
}

func (d *driver) living() []*process {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(d.w.processes), func(p *process) bool { return !p.alive() })
}

// replace starts a process for every role that nobody has any more: one may give
// up when the broker refuses it, as a program ends with an error.
func (d *driver) replace() {
	held := map[string]bool{}
	for _, p := range d.living() {
		for _, role := range p.roles {
			held[role] = true
		}
	}
	for _, role := range []string{"aggregate", "evaluate", "decide"} {
		if !held[role] {
			d.w.start(role)
		}
	}
}
