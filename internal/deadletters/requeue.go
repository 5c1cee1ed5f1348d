package deadletters

import (
	"bytes"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/config"
)

// stays says why a letter cannot be given back, "" for nothing against it.
func stays(cfg *config.Config, l *letter) string {
	switch {
	case l.Record.Topic == "":
		return "they are parts of records"
	case l.Truncated:
		return "they were cut to fit the topic"
	}
	for _, s := range cfg.Sources {
		if slices.Contains(s.Topics, l.Record.Topic) {
			return ""
		}
	}
	return "they did not come from a topic of a source"
}

// back returns the record as it came.
func back(l *letter) *kgo.Record {
	return &kgo.Record{Topic: l.Record.Topic, Partition: l.Record.Partition, Key: bytes.Clone(l.Record.Key),
		Value: bytes.Clone(l.Record.Value), Headers: slices.Clone(l.Record.Headers), Timestamp: l.Record.Timestamp}
}
