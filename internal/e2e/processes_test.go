package e2e

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/flyball-io/flyball/internal/loadgen"
	"github.com/flyball-io/flyball/internal/loadgen/shop"
)

// shopJudge measures the requests of a shop, judges them, and acts.
const shopJudge = `---
apiVersion: flyball.dev/v1
kind: Indicator
metadata: {name: requests}
spec:
  source: spans
  filter: ['span.kind="SERVER"']
  groupBy: [span.name]
  pane: 1s
  window: 5s
  lateness: 30s
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: availability
  annotations: {flyball.dev/burn-rate-tiers: "page_fast=10x2m/15s:page"}
spec:
  service: shop
  indicator:
    metadata: {name: availability}
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: flyball, spec: {indicator: requests, measure: bad}}}
        total: {metricSource: {type: flyball, spec: {indicator: requests}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
---
apiVersion: flyball.dev/v1
kind: Rule
metadata: {name: rollback-on-burn}
spec:
  when: finding.kind == "burn_rate" && finding.severity == "page"
  target: deployment/{{finding.entity}}
  action: {name: rollback, params: {reason: "budget of {{finding.entity}}"}}
  mode: auto
  cooldown: 10m
  deadline: 5m
  owner: shop-team
---
apiVersion: flyball.dev/v1
kind: Guardrail
metadata: {name: everywhere}
spec: {select: ['entity=~".*"']}
`

// incidents are two on one service, the second within the cooldown of the first,
// and one on another.
var incidents = []shop.Incident{
	{Kind: shop.ErrorBurst, Service: "checkout", Start: 60 * time.Second, Duration: 30 * time.Second, Severity: 0.8},
	{Kind: shop.ErrorBurst, Service: "search", Start: 90 * time.Second, Duration: 40 * time.Second, Severity: 0.7},
	{Kind: shop.ErrorBurst, Service: "checkout", Start: 270 * time.Second, Duration: 30 * time.Second, Severity: 0.8},
}

// incidentLoad is a shop with the incidents, large enough that nothing else burns a
// budget.
func incidentLoad() loadgen.Config {
	cfg := shopLoad(500, 6*time.Minute, incidents...)
	cfg.Partitions, cfg.TruthWindow = 6, 5*time.Second
	return cfg
}

// statusEvery makes SLO status often enough to compare.
const statusEvery = "  slo: {statusInterval: 5s}\n"

// share is one way to run flyball on the same telemetry.
type share struct {
	*broker
	t     *testing.T
	topic string
	dir   string
	load  *recording
	sent  int
}

func newShare(t *testing.T, load *recording) *share {
	t.Helper()
	b := newBroker(t)
	s := &share{broker: b, t: t, topic: b.topic(t, "spans", int32(load.partitions)), load: load}
	cfg := b.settings("")
	cfg.more = statusEvery
	s.dir = cfg.write(t, spanSource(s.topic)+shopJudge)
	return s
}

// send produces the load up to a share of it; the last part closes all windows.
func (s *share) send(part float64) {
	s.t.Helper()
	to := int(part * float64(len(s.load.records)))
	s.produce(s.t, s.load.to(s.topic, s.sent, to)...)
	s.sent = to
	if part == 1 {
		s.produce(s.t, closers(s.t, s.topic, s.load.partitions, epoch.Add(time.Hour))...)
	}
}

func (s *share) start() *process { return start(s.t, "run", "--config", s.dir) }

// windowsOf waits until there are closed windows up to an event time.
func (s *share) windowsOf(limit time.Duration, f *follower, until time.Duration) {
	s.t.Helper()
	f.until(limit, fmt.Sprintf("windows up to %s", until), func() string {
		end := int64(0)
		for _, v := range decodeWindows(s.t, f.records[s.names().Windows()]) {
			end = max(end, v.End)
		}
		if at := time.Unix(0, end).Sub(epoch); at < until {
			return fmt.Sprintf("the last is at %s", at)
		}
		return ""
	})
}

// done waits until everything has been read by every role.
func (s *share) done(limit time.Duration) {
	s.t.Helper()
	for _, step := range [][2]string{
		{"g-aggregate-spans", s.topic}, {"g-evaluate", s.names().Panes()}, {"g-decide", s.names().Findings()},
	} {
		await(s.t, limit, "everything is read", func() string { return s.caughtUp(s.t, s.prefix+step[0], step[1]) })
	}
}

// truth compares windows with the generator.
func (s *share) truth(got outcome) {
	s.t.Helper()
	want := map[windowID]windowValue{}
	for k, c := range s.load.truth.Sum(nil) {
		if k.Kind != shop.KindServer.String() {
			continue
		}
		id := windowID{"requests", labelsOf(s.t, "service.name", k.Service, "span.name", k.Name), k.Window, 0}
		v := want[id]
		want[id] = windowValue{
			End: k.Window + int64(5*time.Second), Count: v.Count + int64(c.Count), Bad: v.Bad + int64(c.Errors), Sum: v.Sum + float64(c.DurationNanos),
		}
	}
	if diff := diffMaps(want, latest(s.t, got.Windows)); diff != "" {
		s.t.Errorf("windows are not what the generator sent:\n%s", diff)
	}
}

// Any number of processes that share a group, and any death among them, give what
// one process gives: the same windows, findings, decisions and commands, each once.
func TestProcessesShareTheWork(t *testing.T) {
	t.Parallel()
	load := record(t, incidentLoad())
	var one outcome
	if !t.Run("one", func(t *testing.T) { one = runOne(t, load) }) {
		t.Fatal("there is nothing to compare with")
	}
	t.Run("two", func(t *testing.T) {
		t.Parallel()
		s := newShare(t, load)
		first, second := s.startTwo()
		s.send(1)
		s.done(patience)
		first.terminate()
		second.terminate()
		same(t, "two processes", one, s.outcome(t, s.names()))
	})
	t.Run("kill", func(t *testing.T) {
		t.Parallel()
		s := newShare(t, load)
		victim, other := s.strike()
		victim.kill()
		third := s.start()
		s.send(1)
		s.done(patience)
		other.terminate()
		third.terminate()
		same(t, "after a kill", one, s.outcome(t, s.names()))
	})
	t.Run("freeze", func(t *testing.T) {
		t.Parallel()
		s := newShare(t, load)
		victim, other := s.strike()
		victim.signal(syscall.SIGSTOP)
		s.send(1)
		s.done(patience) // by the other alone
		victim.signal(syscall.SIGCONT)
		s.awaitMembers(4, 2) // it is back, and what it held in its hands came to nothing
		s.done(patience)
		other.terminate()
		victim.terminate()
		same(t, "after a freeze", one, s.outcome(t, s.names()))
	})
}

// strike starts two processes and returns when both are at work; the first is to
// be struck.
func (s *share) strike() (victim, other *process) {
	s.t.Helper()
	victim, other = s.startTwo()
	f := s.follow(s.t, s.names().Windows())
	s.send(0.3)
	s.windowsOf(patience, f, time.Minute)
	s.send(0.6)
	return victim, other
}

// runOne is the run that others are compared with; it is itself compared with what
// is true.
func runOne(t *testing.T, load *recording) outcome {
	t.Helper()
	s := newShare(t, load)
	s.send(1)
	p := s.start()
	s.done(patience)
	p.terminate()
	got := s.outcome(t, s.names())
	s.truth(got)
	if len(got.Findings) != 6 || len(got.Decisions) != 6 || len(got.Commands) != 2 {
		t.Errorf("%d findings, %d decisions, %d commands; want 6 (three opened and resolved), 6 (three judged, one grouped, two operations closed), 2",
			len(got.Findings), len(got.Decisions), len(got.Commands))
	}
	return got
}

// startTwo starts two processes and waits until both have partitions of every kind.
func (s *share) startTwo() (first, second *process) {
	s.t.Helper()
	first, second = s.start(), s.start()
	s.awaitMembers(4, 2)
	return first, second
}

// awaitMembers waits until that many members have partitions.
func (s *share) awaitMembers(aggregate, evaluate int) {
	s.t.Helper()
	await(s.t, patience, "the processes share the partitions", func() string {
		a, e := s.members(s.t, s.prefix+"g-aggregate-spans"), s.members(s.t, s.prefix+"g-evaluate")
		if a != aggregate || e != evaluate {
			return fmt.Sprintf("%d members aggregate, %d evaluate; want %d, %d", a, e, aggregate, evaluate)
		}
		return ""
	})
}
