// Package checkpoint is what a successor starts from: how far a partition was read,
// committed with its offset, and the state that was kept of it.
package checkpoint

import (
	"encoding/json"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest/kafka"
)

// checkpoint is the metadata committed with an offset that was lowered: the
// committed offset is where memory must be rebuilt from, Head is where news
// begin. At is the latest event time read, of telemetry: other members see by it who
// is behind.
type checkpoint struct {
	Version int          `json:"v"`
	Head    int64        `json:"head"`
	At      flyball.Time `json:"at,omitempty"`
}

// Resumption is where a successor must start to read a partition, and from where
// on records are news to it.
type Resumption struct {
	// Low is the lowest offset that memory came from, math.MaxInt64 where there is none.
	Low int64
	// Head is only needed while it is further than what has been read: while memory is
	// being rebuilt.
	Head int64
	// At is the latest event time read, 0 where that does not matter.
	At flyball.Time
}

// Lower moves the offsets of a commit back to where a successor must
// start to read, and keeps how far was really read beside them.
func Lower(req *kmsg.TxnOffsetCommitRequest, resume map[kafka.Partition]Resumption) {
	for t := range req.Topics {
		topic := &req.Topics[t]
		for p := range topic.Partitions {
			part := &topic.Partitions[p]
			r, ok := resume[kafka.Partition{Topic: topic.Topic, Partition: part.Partition}]
			if !ok {
				r.Low = part.Offset
			}
			metadata, err := json.Marshal(checkpoint{Version: 1, Head: max(part.Offset, r.Head), At: r.At})
			if err != nil {
				panic("BUG: a checkpoint does not encode: " + err.Error())
			}
			text := string(metadata)
			part.Offset, part.Metadata = min(part.Offset, r.Low), &text
		}
	}
}

// TimeOf returns the latest event time that a checkpoint tells of, flyball.NoTime
// where it does not.
func TimeOf(metadata string) flyball.Time {
	var c checkpoint
	if err := json.Unmarshal([]byte(metadata), &c); err != nil || c.At == 0 {
		return flyball.NoTime
	}
	return c.At
}

// HeadOf returns where news begin in a partition just assigned.
func HeadOf(a kafka.Assignment) (int64, error) {
	if a.Offset < 0 || a.Metadata == "" {
		return max(a.Offset, 0), nil
	}
	var c checkpoint
	if err := json.Unmarshal([]byte(a.Metadata), &c); err != nil || c.Version != 1 {
		return 0, fmt.Errorf("cannot resume %s/%d: its offset was committed by another version or program: metadata %q", a.Topic, a.Partition.Partition, a.Metadata)
	}
	return c.Head, nil
}
