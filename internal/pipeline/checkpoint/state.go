package checkpoint

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"maps"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ReadState returns the last value of every key with that prefix in one
// partition of the state topic.
//
// It reads up to the high watermark and not only to the last stable offset: the
// markers of the predecessor's last transaction may reach this partition a
// moment after its offsets became visible. Control records are kept because
// such a marker may be the last record.
func ReadState(ctx context.Context, opts []kgo.Opt, topic string, partition int32, prefix string) (map[string][]byte, error) {
	fail := func(err error) (map[string][]byte, error) {
		return nil, fmt.Errorf("cannot restore state from %s/%d: %w", topic, partition, err)
	}
	cl, err := kgo.NewClient(append(slices.Clip(opts),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().AtStart()}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
	)...)
	if err != nil {
		return fail(err)
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	ends, err := adm.ListEndOffsets(ctx, topic)
	if err != nil {
		return fail(err)
	}
	starts, err := adm.ListStartOffsets(ctx, topic)
	if err != nil {
		return fail(err)
	}
	end, ok := ends.Lookup(topic, partition)
	if !ok || end.Err != nil {
		return fail(fmt.Errorf("it has no such partition: %w", end.Err))
	}
	start, _ := starts.Lookup(topic, partition)
	state := map[string][]byte{}
	for next := start.Offset; next < end.Offset; {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return fail(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			next = r.Offset + 1
			key := string(r.Key)
			if r.Attrs.IsControl() || !strings.HasPrefix(key, prefix) {
				return
			}
			if r.Value == nil {
				delete(state, key)
			} else {
				state[key] = r.Value
			}
		})
	}
	return state, nil
}

// Restore gives a machine its state, in the order of the keys.
func Restore(state map[string][]byte, set func(key string, value []byte) error) error {
	for _, key := range slices.Sorted(maps.Keys(state)) {
		if err := set(key, state[key]); err != nil {
			return err
		}
	}
	return nil
}
