package kafka

import (
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Headers of a dead letter, beside those that the record came with.
const (
	HeaderStage     = "__flyball.error.stage"
	HeaderReason    = "__flyball.error.reason"
	HeaderMessage   = "__flyball.error.message"
	HeaderTopic     = "__flyball.error.topic"
	HeaderPartition = "__flyball.error.partition"
	HeaderOffset    = "__flyball.error.offset"
)

// DeadLetter returns the record for the dead-letter topic: r as it came, with
// who gave it up, why, and where it was. What r holds is copied, because its
// memory may be used again.
func (t Topics) DeadLetter(r *kgo.Record, stage, reason, message string) *kgo.Record {
	out := t.deadLetter(r.Key, r.Value, stage, reason, message)
	for _, h := range r.Headers {
		out.Headers = append(out.Headers, kgo.RecordHeader{Key: h.Key, Value: append([]byte(nil), h.Value...)})
	}
	out.Headers = append(out.Headers,
		kgo.RecordHeader{Key: HeaderTopic, Value: []byte(r.Topic)},
		kgo.RecordHeader{Key: HeaderPartition, Value: strconv.AppendInt(nil, int64(r.Partition), 10)},
		kgo.RecordHeader{Key: HeaderOffset, Value: strconv.AppendInt(nil, r.Offset, 10)},
	)
	return out
}

// DeadPart is DeadLetter for a part of an input that is no record of its own.
func (t Topics) DeadPart(value []byte, stage, reason, message string) *kgo.Record {
	return t.deadLetter(nil, value, stage, reason, message)
}

func (t Topics) deadLetter(key, value []byte, stage, reason, message string) *kgo.Record {
	return &kgo.Record{
		Topic: t.DeadLetters(), Key: append([]byte(nil), key...), Value: append([]byte(nil), value...),
		Headers: []kgo.RecordHeader{
			{Key: HeaderStage, Value: []byte(stage)},
			{Key: HeaderReason, Value: []byte(reason)},
			{Key: HeaderMessage, Value: []byte(message)},
		},
	}
}
