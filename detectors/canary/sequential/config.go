// Package sequential judges a canary at every look, as often as one likes, with
// error rates that hold over all looks together.
//
// For every metric it keeps two kinds of evidence: that the canary is worse than
// the margin allows, and that it is not worse than the tolerance. Each is an
// e-process, so the chance that harm is ever found where there is none is at most
// alpha, and that a canary worse than the tolerance ever passes is at most beta.
// Between margin and tolerance lies Wald's zone of indifference, in which either
// answer is right.
//
// A Judge is fed pane by pane and decides as soon as the data do. It reads no
// clock and has no randomness: the same panes give the same verdict.
package sequential

import (
	"fmt"
	"math"
	"time"

	"github.com/flyball-io/flyball/detectors/canary"
	"github.com/flyball-io/flyball/detectors/stats"
)

// Config holds what all metrics of a canary share.
type Config struct {
	// Alpha is the chance, over all looks and metrics, that a canary no worse than
	// its margins fails. Half of it is reserved for critical metrics, whether there
	// are any or not, so that adding one changes nothing for the others: critical
	// metrics share their half equally, and the others are held to a false
	// discovery rate of theirs.
	Alpha float64
	// Beta is the chance, over all looks, that a metric worse than its tolerance
	// passes.
	Beta float64
	// Horizon is the number of panes after which the analysis ends, when that is
	// fixed beforehand: harm is then found by a group sequential test, which needs
	// fewer data. 0 when it is open.
	Horizon int
	// Warmup is the number of panes at the start that are passed over: a canary
	// that starts is not yet what it is going to be.
	Warmup int
	// PaneLength is the length of a pane, for sentences and for floors per minute.
	PaneLength time.Duration
	// CanaryShare is the share of the traffic that the canary should get, above 0
	// and below 1; 0 when the split is not to be checked.
	CanaryShare float64
	// Thresholds of the score.
	Thresholds canary.Thresholds
	// GroupWeights are percentages by group; groups without one share the rest.
	GroupWeights map[string]float64
}

// Default returns the configuration for metrics in panes of a minute: at most 5 %
// false fails and 5 % false passes.
func Default() Config {
	return Config{
		Alpha: 0.05, Beta: 0.05, PaneLength: time.Minute,
		Thresholds: canary.Thresholds{Pass: 95, Marginal: 75},
	}
}

// Validate reports what is out of range.
func (c Config) Validate() error {
	switch {
	case !(c.Alpha > 0 && c.Alpha < 0.5):
		return fmt.Errorf("cannot judge with alpha %v: want more than 0 and less than 0.5", c.Alpha)
	case !(c.Beta > 0 && c.Beta < 0.5):
		return fmt.Errorf("cannot judge with beta %v: want more than 0 and less than 0.5", c.Beta)
	case c.Horizon < 0:
		return fmt.Errorf("cannot judge with horizon %d: want 0 or more panes", c.Horizon)
	case c.Warmup < 0:
		return fmt.Errorf("cannot judge with a warm-up of %d panes: want 0 or more", c.Warmup)
	case c.PaneLength <= 0:
		return fmt.Errorf("cannot judge panes of length %v: want more than 0", c.PaneLength)
	case !(c.CanaryShare >= 0 && c.CanaryShare < 1):
		return fmt.Errorf("cannot judge with canary share %v: want 0 or more and less than 1", c.CanaryShare)
	case c.Thresholds.Marginal > c.Thresholds.Pass:
		return fmt.Errorf("cannot judge with a marginal threshold, %v, above pass, %v", c.Thresholds.Marginal, c.Thresholds.Pass)
	}
	return nil
}

// Kind is how a metric is measured, and so how it is tested.
type Kind string

// The kinds. Counts are events such as errors, with or without the number of
// requests that they are out of; a gauge is one value per pane; latency is a
// histogram per pane.
const (
	Counts  Kind = "counts"
	Gauge   Kind = "gauge"
	Latency Kind = "latency"
)

// Metric is one metric of a canary.
type Metric struct {
	Name   string
	Groups []string
	Kind   Kind
	// Direction says which change is harm.
	Direction canary.Direction
	// Critical fails the canary by itself.
	Critical bool
	// Muted is judged and reported, but does not count.
	Muted bool
	// MustHaveData fails a metric without data, instead of leaving it open.
	MustHaveData bool
	// Increase and Decrease are the ratios of the canary to the baseline that are
	// still allowed: at least 1, and at most 1. Harm is what is beyond.
	Increase, Decrease float64
	// Absolute says that they are differences instead, above and below 0: events per
	// exposure, or the metric's own unit. Latency has them in one direction only.
	Absolute bool
	// BucketRatio is, for latency with such margins, how far apart the edges of
	// successive buckets are at most, as a ratio.
	BucketRatio float64
	// Unit of differences in sentences: "ns" is a time, "%" a share in percentage
	// points.
	Unit string
	// CriticalIncrease and CriticalDecrease are the ratios from which on harm of a
	// critical metric is critical.
	CriticalIncrease, CriticalDecrease float64
	// Tolerance says how far beyond the margin a metric must be shown not to lie in
	// order to pass, relative to it.
	Tolerance float64
	// Floor is, for counts, a rate that does not matter whatever its ratio: events
	// per exposure, or per pane without one. A rate shown to be below it passes.
	Floor float64
	// Reference is, for counts, the baseline's counts per pane before the canary
	// began, from which their dispersion is known. Nil when there are none.
	Reference *stats.ArmCounts
	// Past is, for counts, the same over the last day, in stretches; nil when it is not
	// known. From it, too, the dispersion is known.
	Past *stats.Past
	// Borrow is by how much the rate that the baseline had before may raise evidence: a
	// factor from 1, not at all, to stats.MostBorrowed.
	Borrow float64
	// Before is, for latency, the baseline's histograms per pane before the canary
	// began. They set the thresholds, so there must be some.
	Before [][]Bucket
}

// Defaults of a metric. A rise by a quarter is what Kayenta's judge tolerates;
// events are so rare that few canaries can exclude it for them: it takes some 1,200
// events, but 110 to exclude that they double.
const (
	DefaultTolerance       = 0.25
	DefaultCountsTolerance = 1.0
	// DefaultFloorPerMinute is one event in five minutes: to show that a rate is
	// below takes some twenty minutes without any.
	DefaultFloorPerMinute = 0.2
	// DefaultFloorShare is one event in a thousand requests.
	DefaultFloorShare = 0.001
)

// Bucket is one bucket of a histogram: so many values up to Upper, above the
// bucket before.
type Bucket struct {
	Upper float64
	Count float64
}

// Pane is one metric's data in one pane.
type Pane struct {
	Canary, Baseline Arm
}

// Arm is one arm's data in one pane. Every arm may have several replicas, such as
// pods, in the same order in every pane.
type Arm struct {
	// Values has one value for each replica, NaN where it has none.
	Values []float64
	// Exposure has what the counts of each replica are out of; nil when it is not
	// known. A replica with exposure and no value had no events.
	Exposure []float64
	// Buckets is the arm's histogram, for latency.
	Buckets []Bucket
}

func (m Metric) validate() error {
	switch {
	case m.Kind != Counts && m.Kind != Gauge && m.Kind != Latency:
		return fmt.Errorf("cannot judge metric %q: no kind %q", m.Name, m.Kind)
	case m.Absolute:
		return m.validateAbsolute()
	case !(m.Increase >= 1) || math.IsInf(m.Increase, 0):
		return fmt.Errorf("cannot judge metric %q: allowed increase %v, want a ratio of at least 1", m.Name, m.Increase)
	case !(m.Decrease >= 0 && m.Decrease <= 1):
		return fmt.Errorf("cannot judge metric %q: allowed decrease %v, want a ratio from 0 to 1", m.Name, m.Decrease)
	}
	return m.validateRest()
}

func (m Metric) validateAbsolute() error {
	switch {
	case !(m.Increase > 0) || math.IsInf(m.Increase, 0):
		return fmt.Errorf("cannot judge metric %q: allowed increase by %v, want a difference above 0", m.Name, m.Increase)
	case !(m.Decrease < 0) || math.IsInf(m.Decrease, 0):
		return fmt.Errorf("cannot judge metric %q: allowed decrease by %v, want a difference below 0", m.Name, m.Decrease)
	case m.Kind == Latency && m.up() && m.down():
		return fmt.Errorf("cannot judge metric %q: a latency with a margin that is a difference has one direction", m.Name)
	case m.Kind == Latency && !(m.BucketRatio >= 1):
		return fmt.Errorf("cannot judge metric %q: edges of buckets with a ratio of %v, want at least 1", m.Name, m.BucketRatio)
	}
	return m.validateRest()
}

func (m Metric) validateRest() error {
	switch {
	case !(m.Tolerance > 0) || math.IsInf(m.Tolerance, 0):
		return fmt.Errorf("cannot judge metric %q: tolerance %v, want more than 0", m.Name, m.Tolerance)
	case !(m.Borrow == 0 || m.Borrow >= 1 && m.Borrow <= stats.MostBorrowed):
		return fmt.Errorf("cannot judge metric %q: borrow %v, want a factor from 1 to %d", m.Name, m.Borrow, stats.MostBorrowed)
	case !(m.Floor >= 0):
		return fmt.Errorf("cannot judge metric %q: floor %v, want 0 or more", m.Name, m.Floor)
	case m.Kind == Latency && total(m.Before) == 0:
		return fmt.Errorf("cannot judge metric %q: no latencies from before the canary to set thresholds by", m.Name)
	}
	return nil
}

// up and down are whether an increase and a decrease can be harm.
func (m Metric) up() bool   { return m.Direction.Up() }
func (m Metric) down() bool { return m.Direction.Down() && (m.Absolute || m.Decrease > 0) }

// tolerated are the margins with what is tolerated beyond them.
func (m Metric) tolerated() (increase, decrease float64) {
	if m.Absolute {
		return m.Increase * (1 + m.Tolerance), m.Decrease * (1 + m.Tolerance)
	}
	return m.Increase * (1 + m.Tolerance), m.Decrease / (1 + m.Tolerance)
}
