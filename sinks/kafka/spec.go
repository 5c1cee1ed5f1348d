package kafka

import (
	"strconv"
	"time"
)

// Spec is what one topic must be.
type Spec struct {
	// Name of the topic.
	Name string
	// Partitions to make it with.
	Partitions int32
	// Replication is the replication factor to make it with; -1 is the broker's
	// default.
	Replication int16
	// Exact is set when an existing topic must have just so many: because it is
	// one log (1), or because its partitions belong to those of panes.
	Exact bool
	// Compact is set when the topic keeps the last value of every key for ever.
	// All others must not: compaction would drop events that share a key.
	Compact bool
	// Configs of the topic when it is made. Operators may change them later,
	// except cleanup.policy.
	Configs map[string]string
}

// MaxMessageBytes is the largest batch that topics which carry Arrow or state
// take; the broker's default of 1 MB is small for a block of panes.
const MaxMessageBytes = 8 << 20

// KeyedPartitions is how many partitions topics get that are keyed and read by
// others: verdicts, commands, decisions and dead letters. Existing ones may have
// any number.
const KeyedPartitions = 8

const day = 24 * time.Hour

// Specs returns what every topic must be. The panes topic, and those that are
// read or written together with it, have the given number of partitions, which
// cannot change without losing state.
//
// Retention is how long a reader may be away without losing anything: evaluate
// 3 days (panes), the copy to ClickHouse 7 days (windows, slo, bands, commands), people
// and audits 30 days (the rest).
func (t Topics) Specs(panes int32) []Spec {
	large := map[string]string{"max.message.bytes": strconv.Itoa(MaxMessageBytes)}
	return []Spec{
		events(t.Panes(), panes, true, 3*day, large),
		events(t.Windows(), panes, true, 7*day, large),
		events(t.SLO(), panes, true, 7*day, large),
		events(t.Canaries(), panes, true, 30*day, nil),
		events(t.Findings(), 1, true, 30*day, nil),
		events(t.Labels(), 1, true, 30*day, nil),
		events(t.Bands(), panes, true, 7*day, large),
		events(t.Outcomes(), 1, true, 30*day, nil),
		events(t.Control(), 1, true, 30*day, nil),
		events(t.Verdicts(), KeyedPartitions, false, 30*day, nil),
		events(t.Commands(), KeyedPartitions, false, 7*day, nil),
		events(t.Decisions(), KeyedPartitions, false, 30*day, nil),
		events(t.DeadLetters(), KeyedPartitions, false, 30*day, large),
		{
			Name: t.State(), Partitions: panes, Replication: -1, Exact: true, Compact: true,
			// Small segments and an eager cleaner: a restart reads the whole topic.
			Configs: with(large, "cleanup.policy", "compact", "min.cleanable.dirty.ratio", "0.1",
				"segment.bytes", strconv.Itoa(64<<20)),
		},
	}
}

// events is the spec of a topic that keeps everything for a time.
func events(name string, partitions int32, exact bool, retention time.Duration, configs map[string]string) Spec {
	return Spec{Name: name, Partitions: partitions, Replication: -1, Exact: exact, Configs: with(configs,
		"cleanup.policy", "delete", "retention.ms", strconv.FormatInt(retention.Milliseconds(), 10))}
}

// with returns configs and the pairs.
func with(configs map[string]string, pairs ...string) map[string]string {
	out := map[string]string{}
	for k, v := range configs {
		out[k] = v
	}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}
