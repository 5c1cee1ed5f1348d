package main

import (
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

func TestConfigurationIsWithoutMistakes(t *testing.T) {
	cfg, problems := config.Options{}.Read([]config.File{{Name: "latency.yaml", Text: []byte(configText)}})
	if strictyaml.HasErrors(problems) || len(cfg.Rules) != 1 || len(cfg.SLOs) != 1 {
		t.Errorf("%v, %v", problems, cfg)
	}
}

// TestFailuresAreSpans decodes what a probe sends.
func TestFailuresAreSpans(t *testing.T) {
	p := ingest.Projection{Labels: []string{"service.name", "status.code"}, Values: []string{flyball.FieldDuration}}
	d, err := decode.New(flyball.Source{Format: "otlp_spans"}, p)
	if err != nil {
		t.Fatal(err)
	}
	dict := ingest.NewDictionary(len(p.Labels))
	b := ingest.NewBuilder(p, dict, ingest.NewPool())
	defer b.Release()
	at := time.Unix(1_700_000_000, 0)
	if err := d.Decode(failures("probe-000001", at), b); err != nil {
		t.Fatal(err)
	}
	batch := b.Batch()
	defer batch.Release()
	labels := dict.Values(batch.Set.Value(9), nil)
	if batch.Rows() != 10 || labels[0] != "probe-000001" || labels[1] != "ERROR" || batch.MaxTime != flyball.TimeOf(at) || batch.Values[0].Value(0) != 1e6 {
		t.Errorf("%d rows, labels %v, at %v", batch.Rows(), labels, batch.MaxTime)
	}
}

func TestQuantile(t *testing.T) {
	var took []time.Duration
	for i := range 100 {
		took = append(took, time.Duration(100-i)*time.Second)
	}
	for share, want := range map[float64]float64{0.5: 51, 0.95: 96, 0.99: 100, 1: 100} {
		if got := quantile(took, share); got != want {
			t.Errorf("%v: %v, want %v", share, got, want)
		}
	}
}
