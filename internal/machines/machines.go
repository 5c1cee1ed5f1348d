// Package machines makes the configurations of the pure machines out of a
// configuration, the same for everybody who runs them: internal/pipeline on Kafka,
// internal/scenario in memory, internal/replay over history.
package machines

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/detectors/anomaly/series"
	"github.com/flyball-io/flyball/detectors/burnrate"
	"github.com/flyball-io/flyball/detectors/canary/live"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/processors/evaluate"
	"github.com/flyball-io/flyball/processors/remediation"
	"github.com/flyball-io/flyball/processors/topology"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// IndicatorsOf returns the indicators of a source.
func IndicatorsOf(c *config.Config, source string) []flyball.Indicator {
	return slices.DeleteFunc(slices.Clone(c.Indicators), func(i flyball.Indicator) bool { return i.Source != source })
}

// Measured returns the sources that some indicator reads.
func Measured(c *config.Config) []flyball.Source {
	return slices.DeleteFunc(slices.Clone(c.Sources), func(s flyball.Source) bool {
		return len(IndicatorsOf(c, s.Name)) == 0
	})
}

// Evaluate returns what the evaluate machines of a configuration work on; Partition is
// left to the caller.
func Evaluate(c *config.Config) evaluate.Config {
	return evaluate.Config{
		Sources: Measured(c), Indicators: c.Indicators, SLOs: c.SLOs,
		StatusEvery: time.Duration(c.Pipeline.SLO.StatusInterval), Streams: c.Pipeline.Limits.LabelSets,
		Detector: func(s flyball.SLO) detectors.SLODetector { return burnrate.New(s) },
		Canaries: c.Canaries, CanaryJudge: live.New,
		Detectors: c.Detectors, Anomaly: series.New,
	}
}

// Decide returns what the decide machine of a configuration decides by.
func Decide(c *config.Config) (remediation.Config, error) {
	revision, err := Revision(c)
	if err != nil {
		return remediation.Config{}, err
	}
	cfg := remediation.Config{Rules: c.Rules, Guardrails: c.Guardrails, Topology: c.Topology, ConfigRevision: revision}
	return cfg, cfg.Validate()
}

// Watermark returns what the decide machine reads of a watermark on its topic.
func Watermark(w sinkkafka.Watermark) *remediation.Watermark {
	out := &remediation.Watermark{Partition: w.Partition, Of: w.Of, At: w.Watermark}
	for _, e := range w.Edges {
		out.Edges = append(out.Edges, topology.Edge(e))
	}
	return out
}

// Edges returns what a watermark carries of what was learned, and how much there was no
// room for.
func Edges(l *topology.Learner) (out []sinkkafka.Edge, limited int) {
	edges, limited := l.Tell()
	for _, e := range edges {
		out = append(out, sinkkafka.Edge(e))
	}
	return out, limited
}

// Revision is a hash of everything that a configuration says, secrets left out, so that
// a decision can name the text it was made by.
func Revision(c *config.Config) (string, error) {
	text, err := config.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("cannot hash the configuration: %w", err)
	}
	h := sha256.Sum256(text)
	return hex.EncodeToString(h[:8]), nil
}
