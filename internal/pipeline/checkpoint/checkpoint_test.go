package checkpoint

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest/kafka"
)

// TestCheckpoint commits an offset and reads it back as a successor does.
func TestCheckpoint(t *testing.T) {
	f := func(read int64, r *Resumption, wantOffset, wantHead int64) {
		t.Helper()
		req := kmsg.NewPtrTxnOffsetCommitRequest()
		topic := kmsg.NewTxnOffsetCommitRequestTopic()
		topic.Topic = "panes"
		part := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		part.Partition, part.Offset = 3, read
		topic.Partitions = append(topic.Partitions, part)
		req.Topics = append(req.Topics, topic)
		resume := map[kafka.Partition]Resumption{}
		if r != nil {
			resume[kafka.Partition{Topic: "panes", Partition: 3}] = *r
		}
		Lower(req, resume)
		got := req.Topics[0].Partitions[0]
		if got.Offset != wantOffset {
			t.Errorf("committed %d, want %d", got.Offset, wantOffset)
		}
		head, err := HeadOf(kafka.Assignment{Offset: got.Offset, Metadata: *got.Metadata})
		if err != nil || head != wantHead {
			t.Errorf("head %d, %v, want %d", head, err, wantHead)
		}
	}
	f(100, nil, 100, 100)                              // nothing known of the partition
	f(100, &Resumption{Low: 1 << 62}, 100, 100)        // nothing in memory
	f(100, &Resumption{Low: 40, Head: 90}, 40, 100)    // panes in memory
	f(60, &Resumption{Low: 40, Head: 90}, 40, 90)      // memory is still being rebuilt
	f(60, &Resumption{Low: 1 << 62, Head: 90}, 60, 90) // and what was rebuilt has expired
}

func TestHeadOf(t *testing.T) {
	if head, err := HeadOf(kafka.Assignment{Offset: -1}); err != nil || head != 0 {
		t.Errorf("a partition never read: %d, %v", head, err)
	}
	for _, metadata := range []string{"member-1", `{"v":2,"head":7}`} {
		if _, err := HeadOf(kafka.Assignment{Offset: 5, Metadata: metadata}); err == nil {
			t.Errorf("metadata %q is taken for ours", metadata)
		}
	}
}

func TestTimeOf(t *testing.T) {
	f := func(metadata string, want flyball.Time) {
		t.Helper()
		if got := TimeOf(metadata); got != want {
			t.Errorf("TimeOf(%q) = %v, want %v", metadata, got, want)
		}
	}
	f(`{"v":1,"head":7,"at":"1970-01-01T00:00:02Z"}`, flyball.Time(2e9))
	f(`{"v":1,"head":7}`, flyball.NoTime)
	f("", flyball.NoTime)
	f("member-1", flyball.NoTime)
}
