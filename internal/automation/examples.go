package automation

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/sinks/clickhouse"
	"github.com/flyball-io/flyball/sinks/clickhouse/history"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// examplesOf returns the samples that the findings behind decisions are about, by the id
// of the finding: those of the latest state that had any.
func examplesOf(ctx context.Context, dir string, recorded bool, all []flyball.Decision) (map[string][]flyball.Example, error) {
	wanted := map[string]bool{}
	for i := range all {
		if id := all[i].Finding; id != "" {
			wanted[id] = true
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	if recorded {
		return fromDatabase(ctx, dir, func(ctx context.Context, db *clickhouse.DB) (map[string][]flyball.Example, error) {
			return history.Examples(ctx, db, slices.Sorted(maps.Keys(wanted)))
		})
	}
	cfg, err := config.Load(dir)
	if err != nil {
		return nil, usage(err)
	}
	out, latest := map[string][]flyball.Example{}, map[string]int{}
	topic := sinkkafka.Topics{Prefix: cfg.Pipeline.Kafka.TopicPrefix}.Findings()
	err = readTopics(ctx, cfg, []string{topic}, func(r *kgo.Record) {
		f, err := sinkkafka.DecodeFinding(r)
		if err == nil && wanted[f.ID] && len(f.Examples) > 0 && f.Revision > latest[f.ID] {
			out[f.ID], latest[f.ID] = f.Examples, f.Revision
		}
	})
	return out, err
}

// writeExamples writes the samples that findings are about.
func writeExamples(w io.Writer, byFinding map[string][]flyball.Example) error {
	for _, id := range slices.Sorted(maps.Keys(byFinding)) {
		if _, err := fmt.Fprintf(w, "\nsamples that finding %s is about\n", id); err != nil {
			return err
		}
		for i := range byFinding[id] {
			if _, err := fmt.Fprintf(w, "  %s\n", ExampleLine(&byFinding[id][i])); err != nil {
				return err
			}
		}
	}
	return nil
}

// ExampleLine writes a sample in a line.
func ExampleLine(e *flyball.Example) string {
	line := fmt.Sprintf("%s  %s %s", e.At, e.Indicator, e.Labels)
	if e.Value != nil {
		line += "  value " + strconv.FormatFloat(*e.Value, 'g', 6, 64)
	}
	if e.Trace != "" {
		line += "  trace " + e.Trace
	}
	if e.Text != "" {
		line += "  " + strconv.Quote(e.Text)
	}
	return line
}
