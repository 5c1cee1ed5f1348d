package main

import (
	_ "embed"
	"hash/maphash"
	"time"

	"github.com/flyball-io/flyball/benchmarks/bench/telemetry"
)

// workload is one kind of telemetry that is measured.
type workload struct {
	// config of aggregate: the defaults, and what any user has to write. source is the
	// name of its source.
	config []byte
	source string
	// perRecord is how many samples a record has.
	perRecord int64
	// unit of the sum of values in panes, in that of the floor.
	unit float64
	// walk makes the floor's decoder.
	walk func(seed maphash.Seed, out *tallies) recordWalker
	// generate makes records; spans come from the shop instead.
	generate func(start time.Time, perSecond float64) telemetry.Generator
}

// recordWalker counts what is in a record.
type recordWalker interface{ record(b []byte) error }

var (
	//go:embed bench.yaml
	spansConfig []byte
	//go:embed metrics.yaml
	metricsConfig []byte
	//go:embed events.yaml
	eventsConfig []byte
)

// workloads by the name of their format.
var workloads = map[string]workload{
	"spans": {
		config: spansConfig, source: "spans", perRecord: spansPerRecord, unit: 1e9,
		walk: func(seed maphash.Seed, out *tallies) recordWalker { return &walker{seed: seed, out: out} },
	},
	"metrics": {
		config: metricsConfig, source: "metrics", perRecord: telemetry.PointsPerRecord, unit: 1,
		walk: func(seed maphash.Seed, out *tallies) recordWalker { return &metricsWalker{seed: seed, out: out} },
		generate: func(start time.Time, perSecond float64) telemetry.Generator {
			return telemetry.NewMetrics(start, perSecond)
		},
	},
	"json": {
		config: eventsConfig, source: "events", perRecord: 1, unit: 1e6,
		walk: func(seed maphash.Seed, out *tallies) recordWalker { return &eventsWalker{seed: seed, out: out} },
		generate: func(start time.Time, perSecond float64) telemetry.Generator {
			return telemetry.NewEvents(start, perSecond)
		},
	},
}
