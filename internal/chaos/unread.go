package chaos

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
)

// unread says how far a group is behind the last record of a topic, committed or
// not, "" for not at all.
func unread(ctx context.Context, admin *kadm.Client, group, topic string) (string, error) {
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return "", err
	}
	offsets, err := admin.FetchOffsets(ctx, group)
	if err != nil {
		return "", err
	}
	behind := ""
	ends.Each(func(end kadm.ListedOffset) {
		head := int64(0)
		if o, ok := offsets.Lookup(topic, end.Partition); ok && o.Err == nil {
			head = headOf(o)
		}
		if end.Err != nil {
			behind += end.Err.Error() + "; "
		} else if head < end.Offset {
			behind += fmt.Sprintf("%s/%d is at %d of %d; ", topic, end.Partition, head, end.Offset)
		}
	})
	return behind, nil
}

// headOf is how far a partition was read: the committed offset, or the head beside
// one that was lowered.
func headOf(o kadm.OffsetResponse) int64 {
	var c struct {
		Head int64 `json:"head"`
	}
	if err := json.Unmarshal([]byte(o.Metadata), &c); err != nil {
		return o.At
	}
	return max(o.At, c.Head)
}
