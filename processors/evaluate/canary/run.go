package canary

import (
	"fmt"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
)

// run is an analysis under way. Its looks are kept until its end: they are its state,
// from which a judge is made anew after a restart.
type run struct {
	ID        string       `json:"id"`
	Revision  string       `json:"revision"` // of the definition
	Version   string       `json:"version"`
	Baseline  string       `json:"baseline"`
	By        string       `json:"by,omitempty"`
	StartedAt flyball.Time `json:"started_at"`
	EndsAt    flyball.Time `json:"ends_at"`
	Pass      *float64     `json:"pass,omitempty"`
	Marginal  *float64     `json:"marginal,omitempty"`
	// Step counts the steps of traffic from 1, StepAt is when it began.
	Step   int          `json:"step,omitempty"`
	StepAt flyball.Time `json:"step_at"`
	// Verdicts that were reported, and what the last one said in short.
	Verdicts int    `json:"verdicts"`
	Said     string `json:"said"`
	Held     int    `json:"held,omitempty"`
	// Replicas are the names of canary and baseline replicas, in the order of values.
	Replicas [2][]string `json:"replicas"`
	// Looks, Before and History count what is kept beside this.
	Looks   int `json:"looks"`
	Before  int `json:"before"`
	History int `json:"history,omitempty"`

	looks   []storedLook
	before  [][]storedArm // of the baseline, by time and metric
	history []lent        // of the baseline, by time
	judge   detectors.CanaryJudge
	over    bool // the judge was told that there will be no more looks
}

// spec returns the definition with what was asked for otherwise.
func (s *subject) spec() flyball.Canary {
	c := s.def.spec
	r := s.Run
	c.Duration = r.EndsAt.Sub(r.StartedAt)
	if r.Pass != nil {
		c.Pass = *r.Pass
	}
	if r.Marginal != nil {
		c.Marginal = min(*r.Marginal, c.Pass)
	}
	return c
}

// of returns what canary and baseline have at a look.
func (s *subject) of(l look) (canary, baseline []counted) {
	if s.Run.Baseline == "" {
		return l.cohort(s.Run.Version), l.others(s.Run.Version)
	}
	return l.cohort(s.Run.Version), l.cohort(s.Run.Baseline)
}

func (s *subject) baselineOf(l look) []storedArm {
	_, baseline := s.of(l)
	var none []string // replicas are told apart while the analysis goes on
	out := make([]storedArm, len(s.def.spec.Metrics))
	for i, m := range s.def.spec.Metrics {
		none = none[:0]
		out[i] = store(arm(m.Kind, s.def.feedOf[i], baseline, &none))
	}
	return out
}

// observe keeps a look and shows it to the judge.
func (s *subject) observe(m *Machine, l look) {
	r := s.Run
	c, b := s.of(l)
	if len(c) > maxReplicas || len(b) > maxReplicas {
		m.out.ReplicasLost++
	}
	seen := make([]detectors.CanaryLook, len(s.def.spec.Metrics))
	for i, metric := range s.def.spec.Metrics {
		seen[i] = detectors.CanaryLook{
			Canary:   arm(metric.Kind, s.def.feedOf[i], c, &r.Replicas[0]),
			Baseline: arm(metric.Kind, s.def.feedOf[i], b, &r.Replicas[1]),
		}
	}
	r.looks = append(r.looks, storeLook(seen))
	r.Looks = len(r.looks)
	r.judge.Observe(seen)
}

// judged makes the judge, and shows it what was seen.
func (s *subject) judged(m *Machine) error {
	r := s.Run
	if r.judge != nil {
		return nil
	}
	before := make([][]detectors.CanaryArm, len(s.def.spec.Metrics))
	for _, list := range r.before {
		for i, a := range list {
			before[i] = append(before[i], a.arm())
		}
	}
	j, err := m.cfg.Judge(s.spec(), detectors.CanaryBefore{Looks: before, History: s.def.histories(r.history)})
	if err != nil {
		return err
	}
	for _, l := range r.looks {
		j.Observe(l.look())
	}
	r.judge = j
	return nil
}

// calibrated reports whether every metric of kind latency has values from before.
func (s *subject) calibrated() bool {
	for i, m := range s.def.spec.Metrics {
		if m.Kind != "latency" {
			continue
		}
		any := false
		for _, list := range s.Run.before {
			any = any || len(list[i].Buckets) > 0
		}
		if !any {
			return false
		}
	}
	return true
}

// advance does one interval of the analysis.
func (s *subject) advance(m *Machine, l look) {
	r, spec := s.Run, &s.def.spec
	judging := l.at.Add(-spec.Interval) >= r.StartedAt.Add(spec.Warmup)
	switch {
	case !l.complete:
		r.Held++
	case !judging || r.Looks == 0 && !s.calibrated():
		if len(r.before) < 4*maxBefore {
			r.before = append(r.before, s.baselineOf(l))
			r.Before = len(r.before)
		}
	default:
		if err := s.judged(m); err != nil {
			s.cancel(m, l.at, err.Error())
			return
		}
		s.observe(m, l)
	}
	s.settle(m, l, l.at >= r.EndsAt)
}

// decision is what the judge says in short; nothing is decided while a source is
// missing.
func (s *subject) decision(m *Machine, l look) string {
	if !l.complete || s.Run.Looks == 0 {
		return flyball.VerdictInconclusive
	}
	return s.asked(m).Decision()
}

// verdict is what there is to say; final when no other look follows.
func (s *subject) verdict(m *Machine, l look, final bool) flyball.Verdict {
	spec := &s.def.spec
	if s.Run.Looks > 0 {
		v := s.asked(m).Verdict(final)
		s.Run.over = final
		if !l.complete {
			v.Verdict = flyball.VerdictInconclusive
			v.Reason = "held: a source gives nothing although there is something to read"
		}
		return v
	}
	c := s.spec()
	warm := s.Run.StartedAt.Add(spec.Warmup + spec.Interval)
	v := flyball.Verdict{Verdict: flyball.VerdictInconclusive, Score: (c.Marginal + c.Pass) / 2}
	v.Reason, v.Needs = fmt.Sprintf("the first %v are passed over", spec.Warmup), fmt.Sprintf("about %v", warm.Sub(l.at))
	switch {
	case !l.complete:
		v.Reason = "held: a source gives nothing although there is something to read"
	case l.at >= warm:
		v.Reason = "there are no latencies of the baseline to set thresholds by"
		v.Needs = "traffic in the baseline: it had none"
	}
	return v
}

// asked returns the judge of an analysis that has looks.
func (s *subject) asked(m *Machine) detectors.CanaryJudge {
	if err := s.judged(m); err != nil {
		panic("BUG: a judge that was made before cannot be made: " + err.Error())
	}
	return s.Run.judge
}
