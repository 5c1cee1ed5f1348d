package pipeline

import (
	"fmt"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestLagIsOfWhoHasThePartition: what another member has now is not shown any more, as
// it would stay for ever as it was.
func TestLagIsOfWhoHasThePartition(t *testing.T) {
	r := prometheus.NewRegistry()
	m := NewMetrics(r)
	fetched := kgo.Fetches{{Topics: []kgo.FetchTopic{{Topic: "panes", Partitions: []kgo.FetchPartition{
		{Partition: 0, LastStableOffset: 10, Records: []*kgo.Record{{Offset: 3}, {Offset: 4}}},
		{Partition: 1, LastStableOffset: 8, Records: []*kgo.Record{{Offset: 7}}},
		{Partition: 2, LastStableOffset: 9},
	}}}}}
	m.fetched(roleEvaluate, fetched)
	m.watermark.WithLabelValues("spans", "0").Set(1)
	m.watermark.WithLabelValues("spans", "1").Set(1)
	shows := func(want ...string) {
		t.Helper()
		families, err := r.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range families {
			for _, metric := range f.Metric {
				text := f.GetName()
				for _, l := range metric.Label {
					text += " " + l.GetValue()
				}
				got = append(got, fmt.Sprintf("%s = %v", text, metric.Gauge.GetValue()))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("shown are %q, want %q", got, want)
		}
	}
	shows("flyball_lag_records 0 evaluate panes = 5", "flyball_lag_records 1 evaluate panes = 0",
		"flyball_watermark_seconds 0 spans = 1", "flyball_watermark_seconds 1 spans = 1")
	m.gone(roleEvaluate, "panes", 0)
	shows("flyball_lag_records 1 evaluate panes = 0", "flyball_watermark_seconds 1 spans = 1")
}
