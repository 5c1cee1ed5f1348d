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

// resumption is where a successor must start to read a partition, and from where
// on records are news to it. head is only needed while it is further than what
// has been read: while memory is being rebuilt.
type resumption struct {
	low, head int64
}

// lowerOffsets moves the offsets of a commit back to where a successor must
// start to read, and keeps how far was really read beside them.
func lowerOffsets(req *kmsg.TxnOffsetCommitRequest, resume map[kafka.Partition]resumption) {
	for t := range req.Topics {
		topic := &req.Topics[t]
		for p := range topic.Partitions {
			part := &topic.Partitions[p]
			r, ok := resume[kafka.Partition{Topic: topic.Topic, Partition: part.Partition}]
			if !ok {
				r.low = part.Offset
			}
			metadata, err := json.Marshal(checkpoint{Version: 1, Head: max(part.Offset, r.head)})
			if err != nil {
				panic("BUG: a checkpoint does not encode: " + err.Error())
			}
			text := string(metadata)
			part.Offset, part.Metadata = min(part.Offset, r.low), &text
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
