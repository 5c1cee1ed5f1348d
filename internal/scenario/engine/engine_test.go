package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/scenario/input"
	"github.com/flyball-io/flyball/internal/scenario/memlog"
)

const spec = `apiVersion: flyball.dev/v1
kind: Source
metadata: {name: spans}
spec: {topics: [spans], format: otlp_spans}
---
apiVersion: flyball.dev/v1
kind: Indicator
metadata: {name: requests}
spec: {source: spans}
`

func newEngine(t *testing.T, samples string, change func(*Config)) *Engine {
	t.Helper()
	c, problems := config.Options{}.Read([]config.File{{Name: "spec.yaml", Text: []byte(spec)}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	in, err := input.Parse(samples, []input.Source{{Name: "spans", Topics: []string{"spans"}, Value: "duration"}})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Spec: c, Input: in, Origin: flyball.Time(1_000_000 * time.Hour), Flush: time.Second, Panes: 3, Aggregators: 2, Evaluators: 2}
	if change != nil {
		change(&cfg)
	}
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const traffic = "partition 0 cart: 5!1@10msx18\npartition 1 pay: 3x18\npartition 0 cart from 20s late 50s: 1"

// run lets 3 minutes pass and returns what came out.
func run(t *testing.T, e *Engine) []Result {
	t.Helper()
	if err := e.Advance(3 * time.Minute); err != nil {
		t.Fatal(err)
	}
	results, err := e.Take()
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// TestRunsAreTheSame: a run depends on nothing but its configuration, also when
// members crash.
func TestRunsAreTheSame(t *testing.T) {
	for _, fault := range []Fault{None, Abort, CrashBefore, CrashAfter, Rebalanced} {
		once := func(c *Config) {
			c.Fault = func(a Attempt) Fault {
				if a.Try == 0 && a.Now.Sub(c.Origin)%(20*time.Second) == 0 {
					return fault
				}
				return None
			}
		}
		first := run(t, newEngine(t, traffic, once))
		if len(first) == 0 {
			t.Fatalf("nothing comes out under fault %d", fault)
		}
		for range 3 {
			if diff := cmp.Diff(first, run(t, newEngine(t, traffic, once)), cmpopts.EquateNaNs()); diff != "" {
				t.Fatalf("under fault %d another run gives (-first +other):\n%s", fault, diff)
			}
		}
	}
}

func TestFaultWithoutEndIsAnError(t *testing.T) {
	e := newEngine(t, traffic, func(c *Config) {
		c.Fault = func(a Attempt) Fault {
			if a.Role == Evaluate {
				return Abort
			}
			return None
		}
	})
	err := e.Advance(time.Minute)
	if err == nil || !strings.Contains(err.Error(), "cannot run evaluate 0 at ") {
		t.Errorf("error is %v", err)
	}
}

// TestPositionsAndCommits: what was read is committed, and lowered to what open
// windows need, with the head beside it.
func TestPositionsAndCommits(t *testing.T) {
	e := newEngine(t, traffic, nil)
	if err := e.Advance(35 * time.Second); err != nil {
		t.Fatal(err)
	}
	for _, p := range e.log.Partitions("spans") {
		o, known := e.log.Committed("flyball-aggregate-spans", p)
		if !known || o.At != e.log.End(p) || o.At != 4 {
			t.Errorf("%s is committed at %d, known %v; its end is %d", p, o.At, known, e.log.End(p))
		}
	}
	lowered := 0
	for _, p := range e.log.Partitions(e.topics.Panes()) {
		o, known := e.log.Committed("flyball-evaluate", p)
		if !known || !strings.Contains(o.Metadata, `"head":`) {
			t.Errorf("%s is committed at %d with %q, known %v", p, o.At, o.Metadata, known)
		}
		if o.At == 0 {
			lowered++
		}
	}
	if lowered == 0 {
		t.Error("no partition of panes would be read from its start, although no window closed")
	}
}

func TestPartitionsThatAreNot(t *testing.T) {
	e := newEngine(t, traffic, nil)
	p := memlog.Partition{Topic: "spans", Index: 2}
	if e.Lag(p, true) == nil || e.Silence(p, true) == nil {
		t.Errorf("partition %s, which is not there, lags or is silent", p)
	}
	if err := e.NewPartition("spans", true); err != nil {
		t.Fatal(err)
	}
	if err := e.Lag(p, true); err != nil {
		t.Error(err)
	}
}
