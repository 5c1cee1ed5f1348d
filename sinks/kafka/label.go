package kafka

import (
	"encoding/json"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
)

// labelHeader carries what a person said of a finding beside the panes of its entity,
// so that it has its place in the one order in which evaluate reads.
const labelHeader = "flyball-label"

// LabelRecords returns what tells evaluate and the copy to ClickHouse of a label.
// Partition is that of the entity in the panes topic.
func LabelRecords(t Topics, l flyball.FindingLabel, partition int32) ([]*kgo.Record, error) {
	text, err := json.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("cannot encode label of finding %q: %w", l.Finding, err)
	}
	return []*kgo.Record{
		{Topic: t.Labels(), Key: []byte(l.Entity), Value: text},
		{Topic: t.Panes(), Partition: partition, Headers: []kgo.RecordHeader{{Key: labelHeader, Value: text}}},
	}, nil
}

// LabelOf returns the label that a record of the panes topic carries, nil for none.
func LabelOf(r *kgo.Record) (*flyball.FindingLabel, error) {
	for _, h := range r.Headers {
		if h.Key == labelHeader {
			return decodeLabel(h.Value)
		}
	}
	return nil, nil
}

// DecodeLabel reads a record of the labels topic.
func DecodeLabel(r *kgo.Record) (flyball.FindingLabel, error) {
	l, err := decodeLabel(r.Value)
	if err != nil {
		return flyball.FindingLabel{}, err
	}
	return *l, nil
}

func decodeLabel(text []byte) (*flyball.FindingLabel, error) {
	l := &flyball.FindingLabel{At: flyball.NoTime}
	if err := json.Unmarshal(text, l); err != nil {
		return nil, fmt.Errorf("cannot decode label: %w", err)
	}
	if l.Finding == "" || l.Verdict != flyball.LabelReal && l.Verdict != flyball.LabelNoise {
		return nil, fmt.Errorf("cannot decode label: %q of finding %q", l.Verdict, l.Finding)
	}
	return l, nil
}
