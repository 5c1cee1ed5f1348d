//go:build synctests

package crash

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// sample is one JSON sample.
type sample struct {
	at      time.Duration // event time since the start of the log
	entity  string
	route   string
	took    int // milliseconds
	failed  bool
	garbage bool // not JSON: becomes a dead letter
}

// Times of the log, in event time.
const (
	logLength   = 480 * time.Second
	logClosing  = 30 * time.Minute // one sample per partition, which closes all before it
	logDisorder = 4 * time.Second  // samples come at most this late after later ones
)

// testLog returns the samples of a shop with three incidents, in the order of
// their arrival. Some of them come late, but early enough for a correction, if
// late is set.
func testLog(late bool) []sample {
	rng := rand.New(rand.NewPCG(1, 2))
	var out []sample
	for second := time.Duration(0); second < logLength; second += time.Second {
		for e := range 6 {
			for r := range 2 {
				s := sample{
					at:     max(second+time.Duration(rng.IntN(1000))*time.Millisecond-time.Duration(rng.Int64N(int64(logDisorder-time.Second))), 0),
					entity: fmt.Sprintf("svc-%d", e), route: fmt.Sprintf("/r%d", r), took: 1 + rng.IntN(500),
				}
				s.failed = rng.IntN(100) < badPercent(e, second)
				if late && rng.IntN(20) == 0 {
					s.at = max(s.at-time.Duration(10+rng.IntN(30))*time.Second, 0)
				}
				out = append(out, s)
			}
		}
		if second%(97*time.Second) == 13*time.Second {
			out = append(out, sample{at: second, garbage: true})
		}
	}
	return out
}

func badPercent(entity int, at time.Duration) int {
	in := func(from, to time.Duration) bool { return at >= from*time.Second && at < to*time.Second }
	switch {
	case entity == 1 && (in(100, 190) || in(380, 440)), entity == 3 && in(230, 320):
		return 60
	}
	return 0
}

// arrival is a record and when, on the wall clock, it is produced.
type arrival struct {
	after  time.Duration
	record *kgo.Record
}

// pace is how much faster event time runs than the wall clock.
const pace = 10

// arrivals spreads the log over partitions, with a number of samples per record.
// Event times start at epoch.
func arrivals(log []sample, epoch time.Time, topic string, partitions, perRecord int) []arrival {
	var out []arrival
	open := make([]bytes.Buffer, partitions)
	count := make([]int, partitions)
	flush := func(p int, at time.Duration) {
		if count[p] > 0 {
			out = append(out, arrival{at / pace, &kgo.Record{Topic: topic, Partition: int32(p), Value: bytes.Clone(open[p].Bytes())}})
			open[p].Reset()
			count[p] = 0
		}
	}
	for i, s := range log {
		arrived := time.Duration(i) * logLength / time.Duration(len(log))
		if s.garbage {
			out = append(out, arrival{arrived / pace, &kgo.Record{Topic: topic, Partition: int32(i % partitions), Value: fmt.Appendf(nil, "{not json %d", i)}})
			continue
		}
		// Neighbors go to different partitions, and a series to all of them.
		p := (i + i/12) % partitions
		open[p].Write(s.json(epoch))
		if count[p]++; count[p] == perRecord {
			flush(p, arrived)
		}
	}
	for p := range partitions {
		flush(p, logLength)
	}
	for p := range partitions {
		closing := sample{at: logClosing, entity: "closing", route: "/", took: 1}
		out = append(out, arrival{logLength/pace + time.Second, &kgo.Record{Topic: topic, Partition: int32(p), Value: closing.json(epoch)}})
	}
	return out
}

func (s sample) json(epoch time.Time) []byte {
	status := "ok"
	if s.failed {
		status = "error"
	}
	return fmt.Appendf(nil, "{\"ts\":%d,\"svc\":%q,\"route\":%q,\"status\":%q,\"took\":%d}\n", epoch.Add(s.at).UnixNano(), s.entity, s.route, status, s.took)
}

// documents is the configuration of all runs.
func documents(topic string, commitInterval time.Duration, panes, workers int) string {
	return fmt.Sprintf(`apiVersion: flyball.dev/v1
kind: Pipeline
metadata: {name: crash}
spec:
  kafka: {brokers: ["127.0.0.1:9092"], topicPrefix: fb., group: fb}
  partitions: {panes: %d}
  commitInterval: %s
  workers: %d
  slo: {statusInterval: 30s}
---
apiVersion: flyball.dev/v1
kind: Source
metadata: {name: log}
spec:
  topics: [%q]
  format: json
  outOfOrderness: 5s
  idleTimeout: 10s
  json:
    timestamp: ts
    timestampFormat: unix_ns
    labels: {service.name: svc, route: route, status: status}
    values: {duration: {path: took, unit: ms}}
---
apiVersion: flyball.dev/v1
kind: Indicator
metadata: {name: requests}
spec:
  source: log
  groupBy: [route]
  value: duration
  bad: ['status="error"']
  pane: 5s
  window: 30s
  lateness: 1m
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: availability
  annotations: {flyball.dev/burn-rate-tiers: "page=5x1m/20s:page, ticket=2x2m/40s:ticket"}
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
  objectives: [{target: 0.95}]
---
apiVersion: flyball.dev/v1
kind: Rule
metadata: {name: rollback}
spec:
  when: finding.kind == "burn_rate" && finding.severity == "page"
  target: deployment/{{finding.entity}}
  action: {name: rollback}
  mode: auto
  cooldown: 1m
  deadline: 5m
  owner: test
---
apiVersion: flyball.dev/v1
kind: Rule
metadata: {name: scale-out}
spec:
  when: finding.kind == "burn_rate"
  target: hpa/{{finding.entity}}
  action: {name: scale_out}
  mode: auto
  cooldown: 2m
  deadline: 5m
  owner: test
---
apiVersion: flyball.dev/v1
kind: Guardrail
metadata: {name: everywhere}
spec: {select: ['entity=~".*"']}
`, panes, commitInterval, workers, topic)
}
