//go:build synctests

package crash

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// step is a point in the loop of a role: just before the broker gets a request,
// or just before the process gets the response.
type step struct {
	client   string // client id, which names the role
	key      kmsg.Key
	response bool
}

func (s step) String() string {
	when := "before"
	if s.response {
		when = "after"
	}
	return fmt.Sprintf("%s %s of %s", when, s.key.Name(), s.client)
}

// steps returns every step of every role.
func steps() []step {
	loop := []kmsg.Key{
		kmsg.FindCoordinator, kmsg.JoinGroup, kmsg.SyncGroup, kmsg.OffsetFetch, kmsg.ListOffsets, kmsg.Fetch,
		kmsg.InitProducerID, kmsg.Produce, kmsg.TxnOffsetCommit, kmsg.Heartbeat, kmsg.EndTxn,
	}
	var out []step
	for _, response := range []bool{false, true} {
		for _, client := range []string{"flyball-aggregate", "flyball-evaluate", "flyball-decide"} {
			for _, key := range loop {
				out = append(out, step{client, key, response})
			}
		}
		// The client without a group makes topics and restores state.
		for _, key := range []kmsg.Key{kmsg.CreateTopics, kmsg.ListOffsets, kmsg.Fetch} {
			out = append(out, step{"flyball", key, response})
		}
	}
	return out
}

// The kinds of faults.
const (
	faultKill  = "kill"   // the process is gone, and another takes its place after a while
	faultDrop  = "drop"   // its connections break; it may connect again
	faultHold  = "hold"   // nothing passes for a while; then what it sent arrives
	faultSlow  = "slow"   // every message takes long for a while
	faultError = "error"  // the broker answers requests of the kind with an error
	faultStop  = "stop"   // the process is asked to leave, and another takes its place
	faultMore  = "more"   // one more process joins
	faultFewer = "fewer"  // a process is asked to leave, and nobody takes its place
	faultMove  = "leader" // every partition gets another leader, every group another coordinator
)

// fault is one fault of a plan.
type fault struct {
	kind string
	// at is the step that it waits for, after letting skip of them pass. Kinds that
	// need no step ignore it.
	at   step
	skip int
	// provoke starts a process to reach the step, for those at the start of one.
	provoke bool
	// early makes it wait from before the first process starts.
	early bool
	// gap is the time since the fault before, lasts how long the effect stays.
	gap, lasts time.Duration
	err        *kerr.Error
}

func (f fault) String() string {
	text := fmt.Sprintf("%s after %s: %s", f.kind, f.gap, f.at)
	if f.skip > 0 {
		text += fmt.Sprintf(" but %d", f.skip)
	}
	if f.lasts > 0 {
		text += fmt.Sprintf(", for %s", f.lasts)
	}
	if f.err != nil {
		text += ", " + f.err.Message
	}
	return text
}

// plan is what happens in one run.
type plan struct {
	seed   uint64
	split  bool // a process per role instead of processes with all roles
	faults []fault
}

func (p plan) String() string {
	text := fmt.Sprintf("seed %d, a process per role: %t", p.seed, p.split)
	for i, f := range p.faults {
		text += fmt.Sprintf("\n  %d. %s", i+1, f)
	}
	return text
}

// randomPlan makes the plan of a seed.
func randomPlan(seed uint64) plan {
	rng := rand.New(rand.NewPCG(seed, 0))
	p := plan{seed: seed, split: rng.IntN(2) == 0}
	all := steps()
	for range 1 + rng.IntN(8) {
		f := fault{
			kind: pick(rng, faultKill, faultKill, faultKill, faultKill, faultHold, faultHold, faultDrop, faultSlow, faultError, faultError, faultStop, faultMore, faultFewer),
			at:   all[rng.IntN(len(all))],
			skip: int(rng.ExpFloat64() * 4),
			gap:  time.Duration(rng.ExpFloat64() * float64(6*time.Second)),
		}
		switch f.kind {
		case faultHold:
			f.lasts = time.Duration(rng.ExpFloat64() * float64(15*time.Second))
		case faultSlow:
			f.lasts = time.Duration(rng.ExpFloat64() * float64(10*time.Second))
		case faultError:
			f.skip = 0
			f.err = pick(rng, errorsOf(f.at.key)...)
			f.lasts = time.Duration(rng.ExpFloat64() * float64(3*time.Second))
		}
		p.faults = append(p.faults, f)
	}
	return p
}

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

// errorsOf are errors that brokers answer such requests with.
func errorsOf(key kmsg.Key) []*kerr.Error {
	switch key {
	case kmsg.FindCoordinator:
		return []*kerr.Error{kerr.CoordinatorNotAvailable}
	case kmsg.JoinGroup, kmsg.SyncGroup, kmsg.Heartbeat:
		return []*kerr.Error{kerr.NotCoordinator, kerr.CoordinatorNotAvailable, kerr.UnknownMemberID, kerr.RebalanceInProgress, kerr.IllegalGeneration}
	case kmsg.OffsetFetch:
		return []*kerr.Error{kerr.UnstableOffsetCommit, kerr.CoordinatorLoadInProgress, kerr.NotCoordinator}
	case kmsg.Produce:
		return []*kerr.Error{kerr.NotLeaderForPartition, kerr.NotEnoughReplicas, kerr.NotEnoughReplicasAfterAppend, kerr.RequestTimedOut, kerr.InvalidProducerEpoch}
	case kmsg.Fetch, kmsg.ListOffsets:
		return []*kerr.Error{kerr.NotLeaderForPartition, kerr.UnknownServerError, kerr.LeaderNotAvailable}
	case kmsg.TxnOffsetCommit:
		return []*kerr.Error{kerr.CoordinatorLoadInProgress, kerr.NotCoordinator, kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.RequestTimedOut, kerr.UnknownServerError}
	case kmsg.EndTxn, kmsg.InitProducerID:
		return []*kerr.Error{kerr.CoordinatorLoadInProgress, kerr.NotCoordinator, kerr.ConcurrentTransactions, kerr.UnknownServerError}
	}
	return []*kerr.Error{kerr.UnknownServerError}
}

// answer makes the broker answer with the fault's error for as long as it lasts.
func (f fault) answer(c *kfake.Cluster) {
	h := c.Fault(kfake.Fault{Keys: []kmsg.Key{f.at.key}, Err: f.err, Count: -1})
	time.AfterFunc(f.lasts, h.Remove)
}
