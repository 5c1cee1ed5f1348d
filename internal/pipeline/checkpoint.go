package pipeline

import (
	"encoding/json"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flyball-io/flyball/ingest/kafka"
)

// checkpoint is the metadata committed with an offset that was lowered: the
// committed offset is where memory must be rebuilt from, Head is where news
// begin.
type checkpoint struct {
	Version int   `json:"v"`
	Head    int64 `json:"head"`
}

// lowerOffsets moves the offsets of a commit back to where a successor must
// start to read, and keeps how far was really read beside them.
func lowerOffsets(req *kmsg.TxnOffsetCommitRequest, resume map[kafka.Partition]int64) {
	for t := range req.Topics {
		topic := &req.Topics[t]
		for p := range topic.Partitions {
			part := &topic.Partitions[p]
			low, ok := resume[kafka.Partition{Topic: topic.Topic, Partition: part.Partition}]
			if !ok || low >= part.Offset {
				low = part.Offset
			}
			metadata, err := json.Marshal(checkpoint{Version: 1, Head: part.Offset})
			if err != nil {
				panic("BUG: a checkpoint does not encode: " + err.Error())
			}
			text := string(metadata)
			part.Offset, part.Metadata = low, &text
		}
	}
}

// headOf returns where news begin in a partition just assigned.
func headOf(a kafka.Assignment) (int64, error) {
	if a.Offset < 0 || a.Metadata == "" {
		return max(a.Offset, 0), nil
	}
	var c checkpoint
	if err := json.Unmarshal([]byte(a.Metadata), &c); err != nil || c.Version != 1 {
		return 0, fmt.Errorf("cannot resume %s/%d: its offset was committed by another version or program: metadata %q", a.Topic, a.Partition.Partition, a.Metadata)
	}
	return c.Head, nil
}
