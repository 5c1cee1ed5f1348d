//go:build synctests

package crash

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/crash/proxy"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// conversation is what detectors, executors and people say to decide, one after the
// other: each after what the one before came to.
func conversation(epoch time.Time) []*kgo.Record {
	e := sinkkafka.Encoder{Topics: topics}
	at := func(d time.Duration) flyball.Time { return flyball.TimeOf(epoch.Add(d)) }
	must := func(r *kgo.Record, err error) *kgo.Record {
		if err != nil {
			panic("BUG: " + err.Error())
		}
		return r
	}
	finding := func(id, entity string, state flyball.FindingState, revision int, d time.Duration) *kgo.Record {
		return must(e.Finding(&flyball.Finding{ID: id, Revision: revision, Kind: "burn_rate", State: state, Severity: "page", Entity: entity,
			Labels: flyball.LabelsOf("service.name", entity), Detector: "availability", At: at(d), OpenedAt: at(0)}))
	}
	control := func(kind flyball.ControlKind, d time.Duration) *kgo.Record {
		return must(e.Control(&flyball.Control{ID: string(kind), Kind: kind, At: at(d), Who: "ann", Why: "drill",
			Scope: flyball.Scope{Kind: flyball.ScopeService, Name: "pay"}}))
	}
	outcome := func(operation string, attempt int, class flyball.OutcomeClass, d time.Duration) *kgo.Record {
		return must(e.Outcome(&flyball.Outcome{Class: class, Target: "deployment/x", At: at(d), OperationID: operation, Attempt: attempt,
			Started: flyball.NoTime, Finished: flyball.NoTime}))
	}
	watermark := func(d time.Duration) *kgo.Record {
		return e.Watermark(sinkkafka.Watermark{Partition: 0, Of: 1, Watermark: at(d)})
	}
	const m = time.Minute
	rollback := func(finding string) string { return operation("rollback", finding) }
	return []*kgo.Record{
		finding("f1", "cart", flyball.FindingOpened, 1, 0), // two rules act
		outcome(rollback("f1"), 1, flyball.OutcomeAccepted, m/2),
		control(flyball.ControlPause, m),
		finding("f2", "pay", flyball.FindingOpened, 1, m), // held
		control(flyball.ControlResume, m),
		finding("f2", "pay", flyball.FindingUpdated, 2, 2*m), // two rules act
		outcome(rollback("f1"), 1, flyball.OutcomeSucceeded, 2*m),
		outcome(rollback("f2"), 1, flyball.OutcomeTransient, 2*m),
		watermark(4 * m), // tried again
		outcome(rollback("f2"), 2, flyball.OutcomePermanent, 4*m),
		finding("f1", "cart", flyball.FindingResolved, 2, 5*m), // effective
		watermark(20 * m), // what was not heard of
	}
}

// talk lets decide hear the conversation while processes die at the steps, one after
// the other, and returns what it came to after each part. With want it waits for
// what is wanted before it says the next.
func talk(t *testing.T, steps []step, want []results) (came []results, r *reader, fired int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{sourcePartitions: 1, perRecord: 1, commitInterval: 500 * time.Millisecond, panes: 1, workers: 1})
		defer w.close()
		var mu sync.Mutex
		left := steps
		w.onMessage(func(p *process, m proxy.Message) {
			mu.Lock()
			defer mu.Unlock()
			if len(left) == 0 || !p.alive() || m != (proxy.Message{Key: left[0].key.Int16(), Version: m.Version, Client: left[0].client, Response: left[0].response}) {
				return
			}
			w.note("KILL %s %s", p.name, left[0])
			left, fired = left[1:], fired+1
			p.kill()
			time.AfterFunc(500*time.Millisecond, func() { w.start("decide") })
		})
		w.start("decide")
		w.start("decide")
		time.Sleep(5 * time.Second) // topics are there
		r = w.reader()
		defer r.client.Close()
		for i, rec := range conversation(w.epoch()) {
			if err := w.client.ProduceSync(context.Background(), rec).FirstErr(); err != nil {
				t.Errorf("cannot say %d: %v", i, err)
			}
			r.poll(2 * time.Second)
			for began := time.Now(); want != nil && !r.has(want[i]) && time.Since(began) < patience; {
				r.poll(time.Second)
			}
			snapshot := results{}
			for k, v := range r.got {
				snapshot[k] = v
			}
			came = append(came, snapshot)
		}
		r.poll(settle)
	})
	return came, r, fired
}

// Decide is killed before and after every request while it hears findings, outcomes
// and controls: no command is lost, none is there twice, and none says anything else.
func TestKillDecideInConversation(t *testing.T) {
	want, r, _ := talk(t, nil, nil)
	kinds := r.got.kinds()
	if kinds["command"] != 5 || kinds["decision"] < 16 {
		t.Fatalf("the conversation came to %v: %v", kinds, r.got)
	}
	var all []step
	for _, key := range []kmsg.Key{kmsg.TxnOffsetCommit, kmsg.EndTxn, kmsg.Produce, kmsg.Fetch, kmsg.InitProducerID, kmsg.JoinGroup, kmsg.SyncGroup, kmsg.OffsetFetch} {
		for _, response := range []bool{false, true} {
			all = append(all, step{"flyball-decide", key, response})
		}
	}
	const runs = 4
	for i := range fewer(runs) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			var steps []step
			for j := i; j < len(all); j += runs {
				steps = append(steps, all[j])
			}
			for tries := 2; ; tries-- {
				_, r, fired := talk(t, steps, want)
				wrong := r.compare(want[len(want)-1])
				if wrong != "" && tries > 0 && len(r.doubles) == 0 && r.w.log.endsWith("unable to join group session") {
					continue // kfake waits for a member that is gone
				}
				if wrong != "" {
					t.Errorf("killed at %v:\n%s\nthe last of the log:\n%s", steps, wrong, r.w.log)
				}
				if fired < len(steps)-1 {
					t.Errorf("%d of %v happened", fired, steps)
				}
				return
			}
		})
	}
}

// operation is the id that decide gives what a rule does about a finding: a hash of
// the parts, each with its length in front. Executors know it from the command.
func operation(rule, finding string) string {
	var b []byte
	for _, part := range []string{"operation", rule, finding} {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(part))), part...)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}
