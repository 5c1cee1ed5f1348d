package sequential

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/flyball-io/flyball/detectors/canary"
)

// Verdict is what a judge says of a canary at a look.
type Verdict struct {
	Verdict canary.Verdict `json:"verdict"`
	// Score from 0 to 100. It agrees with the verdict: an inconclusive one lies
	// between the thresholds.
	Score float64 `json:"score"`
	// Reason is one sentence.
	Reason string `json:"reason"`
	// Panes looked at, and the pane after which the verdict was reached; 0 while it
	// is inconclusive.
	Panes     int `json:"panes"`
	DecidedAt int `json:"decided_at,omitempty"`
	// Needs is what it takes to decide, when inconclusive.
	Needs   *Needs   `json:"needs,omitempty"`
	Alpha   float64  `json:"alpha"`
	Beta    float64  `json:"beta"`
	Horizon int      `json:"horizon,omitempty"`
	Metrics []Detail `json:"metrics"`
	// Groups are Kayenta's scores by group.
	Groups []canary.GroupScore `json:"-"`
}

// outcome is a verdict without its details.
type outcome struct {
	verdict canary.Verdict
	score   float64
	reason  string
	groups  []canary.GroupScore
}

// outcome weighs the metrics as they stand: with everything open counted as
// failed, and as passed. When both sides of that agree, the rest need not be known.
func (j *Judge) outcome() outcome {
	worst, best := j.score(0), j.score(1)
	t := j.config.Thresholds
	for _, s := range j.metrics {
		if !s.Muted && s.criticalHarm() {
			return outcome{canary.VerdictFail, 0, fmt.Sprintf("Canary Failed: the critical metric %s is worse than allowed", s.Name), worst.groups}
		}
	}
	switch {
	case !slices.ContainsFunc(j.metrics, func(s *state) bool { return !s.Muted }):
		return j.open(worst, best, "no metric counts")
	case j.traffic != nil && j.traffic.broken:
		return j.open(worst, best, fmt.Sprintf("the canary gets %.3g %% of the traffic instead of %.3g %%", 100*j.traffic.actual(), 100*j.config.CanaryShare))
	case best.score < t.Marginal:
		return outcome{canary.VerdictFail, best.score, j.names("worse than allowed: ", func(s *state) bool { return s.harm != "" || j.class(s) == canary.NodataFailMetric }), worst.groups}
	case worst.score >= t.Pass && !j.openCritical():
		return outcome{canary.VerdictPass, worst.score, "no metric that counts is worse than tolerated", worst.groups}
	case worst.score >= t.Marginal && best.score < t.Pass:
		return outcome{canary.VerdictMarginal, worst.score, j.names("worse than allowed: ", func(s *state) bool { return s.harm != "" }), worst.groups}
	}
	return j.open(worst, best, j.names("not decided: ", func(s *state) bool { return j.undecided(s) }))
}

// open is the outcome when the data do not decide: a score in the middle, kept
// above marginal and below pass so that those who read only the score wait too.
func (j *Judge) open(worst, best outcome, reason string) outcome {
	t := j.config.Thresholds
	score := canary.Round2((worst.score + best.score) / 2)
	score = math.Max(t.Marginal+0.01, math.Min(score, t.Pass-0.01))
	return outcome{canary.VerdictInconclusive, score, reason, worst.groups}
}

func (j *Judge) undecided(s *state) bool {
	c := j.class(s)
	return !s.Muted && (c == canary.Inconclusive || c == canary.Nodata)
}

func (j *Judge) openCritical() bool {
	return slices.ContainsFunc(j.metrics, func(s *state) bool { return s.Critical && j.undecided(s) })
}

func (j *Judge) names(start string, which func(*state) bool) string {
	var names []string
	for _, s := range j.metrics {
		if !s.Muted && which(s) && !slices.Contains(names, s.Name) {
			names = append(names, s.Name)
		}
	}
	return start + strings.Join(names, ", ")
}

// score is Kayenta's weighted score with a given worth of an open metric. Metrics
// without a group make up one, and weights count in relation to those of the groups
// that are there: Kayenta lets an absent group lower the score that can be reached.
func (j *Judge) score(open float64) outcome {
	var results []canary.MetricResult
	for _, s := range j.metrics {
		groups := s.Groups
		if len(groups) == 0 {
			groups = []string{"ungrouped"}
		}
		results = append(results, canary.MetricResult{Name: s.Name, Groups: groups, Classification: j.class(s), Muted: s.Muted})
	}
	_, reachable := canary.GroupScores(results, j.config.GroupWeights, func(canary.Classification) (float64, bool) { return 1, true })
	groups, score := canary.GroupScores(results, j.config.GroupWeights, func(c canary.Classification) (float64, bool) {
		switch c {
		case canary.Pass:
			return 1, true
		case canary.Inconclusive, canary.Nodata:
			return open, true
		}
		return 0, true
	})
	if reachable > 0 {
		score = canary.Round2(score * 100 / reachable)
	}
	return outcome{score: score, groups: groups}
}

// Verdict reports the judgement of all panes so far.
func (j *Judge) Verdict() Verdict {
	o := j.outcome()
	v := Verdict{Panes: j.panes, Alpha: j.config.Alpha, Beta: j.config.Beta, Horizon: j.config.Horizon}
	switch {
	case j.failedAt > 0:
		o, v.DecidedAt = j.failure, j.failedAt
	case o.verdict == canary.VerdictPass:
		v.DecidedAt = j.passedAt
	case o.verdict == canary.VerdictMarginal:
		v.DecidedAt = j.panes
	}
	v.Verdict, v.Score, v.Reason, v.Groups = o.verdict, o.score, o.reason, o.groups
	for _, s := range j.metrics {
		v.Metrics = append(v.Metrics, j.detail(s))
	}
	if v.Verdict == canary.VerdictInconclusive {
		v.Needs = j.longest(v.Metrics)
		if v.Needs != nil {
			v.Reason += "; " + v.Needs.Text
		}
	}
	return v
}

// longest returns what the metric needs that takes longest.
func (j *Judge) longest(details []Detail) *Needs {
	var most *Needs
	for i, d := range details {
		if d.Needs != nil && !j.metrics[i].Muted && (most == nil || d.Needs.Panes > most.Panes) {
			most = d.Needs
		}
	}
	return most
}

func (j *Judge) detail(s *state) Detail {
	m := s.Metric
	inf := canary.Number(math.Inf(1))
	d := Detail{
		Name: m.Name, Kind: m.Kind, Direction: m.Direction, Classification: j.class(s), Critical: s.criticalHarm(),
		Effect:  canary.Number(s.last.effect),
		Allowed: [2]canary.Number{0, inf}, Tolerated: [2]canary.Number{0, inf}, Absolute: m.Absolute, Unit: m.Unit,
		EHarm: 1, ESafe: 1,
		EFail: canary.Number(1 / j.level(s)), EPass: canary.Number(1 / j.config.Beta),
	}
	if m.Absolute {
		d.Allowed[0], d.Tolerated[0] = -inf, -inf
	}
	increase, decrease := m.tolerated()
	if m.up() {
		d.Allowed[1], d.Tolerated[1] = canary.Number(m.Increase), canary.Number(increase)
	}
	if m.down() {
		d.Allowed[0], d.Tolerated[0] = canary.Number(m.Decrease), canary.Number(decrease)
	}
	if s.last.wait == "" && j.panes > j.config.Warmup {
		d.EHarm, d.ESafe = evidence(s.harmEvidence()), evidence(s.last.safe)
	}
	if s.harm != "" {
		d.EHarm = evidence(s.harmLog)
	}
	if s.safeAt > 0 {
		d.ESafe = evidence(s.safeLog)
	}
	s.tracker.describe(&d, levels{harm: j.share(s), beta: j.config.Beta, pane: j.config.PaneLength})
	switch d.Classification {
	case canary.High, canary.Low, canary.NodataFailMetric:
		d.Verdict, d.DecidedAt, d.Needs = canary.VerdictFail, s.harmAt, nil
	case canary.Pass:
		d.Verdict, d.DecidedAt, d.Needs = canary.VerdictPass, s.safeAt, nil
	default:
		d.Verdict = canary.VerdictInconclusive
		j.explainNeeds(&d)
	}
	d.Reason = s.sentence(d)
	return d
}

// explainNeeds puts what a metric needs into words.
func (j *Judge) explainNeeds(d *Detail) {
	n := d.Needs
	if n == nil || d.Classification == canary.Nodata || math.IsInf(n.Panes, 1) || math.IsNaN(n.Panes) {
		d.Needs = nil
		return
	}
	n.Panes = math.Ceil(n.Panes)
	n.Minutes = canary.Round2(n.Panes * j.config.PaneLength.Minutes())
	span := time.Duration(n.Panes * float64(j.config.PaneLength))
	n.Text = "about " + inWords(span)
	if n.Events > 0 {
		n.Text = fmt.Sprintf("about %.0f more %s or %s", n.Events, d.Name, inWords(span))
	}
}

func inWords(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", math.Ceil(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", math.Ceil(d.Minutes()))
	}
	return fmt.Sprintf("%.0f h", math.Ceil(d.Hours()))
}

// sentence says why a metric is classified as it is.
func (s *state) sentence(d Detail) string {
	if s.last.nodata || d.Panes == 0 {
		wait := s.last.wait
		if wait == "" {
			wait = "there are no data"
		}
		return fmt.Sprintf("%s: %s", s.Name, wait)
	}
	figures := fmt.Sprintf("%s is %s the baseline (%s) after %d panes", s.Name, s.size(d.Effect), s.span(d.Interval), d.Panes)
	if s.Kind == Counts && d.Canary.Events+d.Baseline.Events == 0 {
		figures = fmt.Sprintf("%s is 0 in both arms after %d panes", s.Name, d.Panes)
	} else if s.Kind == Counts {
		figures = fmt.Sprintf("%s (canary %g, baseline %g)", figures, d.Canary.Events, d.Baseline.Events)
	}
	if h := d.History; h != nil {
		before := inWords(time.Duration(h.Minutes * float64(time.Minute)))
		if math.IsInf(float64(h.Discount), 1) {
			figures += fmt.Sprintf(", which vary as the baseline's did in %s before", before)
		} else {
			figures += fmt.Sprintf(", and the baseline's %s before raise the evidence %s times", before, short(h.Gain))
		}
	}
	switch d.Classification {
	case canary.High:
		return fmt.Sprintf("%s; shown after pane %d to be more than the allowed %s", figures, s.harmAt, s.limit(d.Allowed[1]))
	case canary.Low:
		return fmt.Sprintf("%s; shown after pane %d to be less than the allowed %s", figures, s.harmAt, s.limit(d.Allowed[0]))
	case canary.Pass:
		return fmt.Sprintf("%s; shown after pane %d to be within what is tolerated", figures, s.safeAt)
	}
	switch {
	case s.last.wait != "":
		return fmt.Sprintf("%s; not decided: %s", figures, s.last.wait)
	case d.Needs != nil:
		return fmt.Sprintf("%s; not decided: it takes %s", figures, d.Needs.Text)
	}
	return figures + "; not decided, and more of the same would not decide it"
}
