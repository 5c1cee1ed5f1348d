package kafka

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Headers of a dead letter, beside those that the record came with. All values
// are text. A record that dies again gets them again: the last of each counts.
const (
	HeaderStage     = "__flyball.error.stage"
	HeaderReason    = "__flyball.error.reason"
	HeaderMessage   = "__flyball.error.message"
	HeaderTopic     = "__flyball.error.topic"
	HeaderPartition = "__flyball.error.partition"
	HeaderOffset    = "__flyball.error.offset"
	HeaderTimestamp = "__flyball.error.timestamp"
	// HeaderTruncated holds the length that the value had, when it was too large
	// for the topic and its start only was kept.
	HeaderTruncated = "__flyball.error.truncated"
)

// maxDeadValue bounds the value, with room for headers and framing. A record that
// the broker refuses would be produced again for ever, and nothing else with it.
const maxDeadValue = MaxMessageBytes - 1<<20

// maxDeadHeaders bounds the key and the headers that the record came with; those of
// a record with more are left out.
const maxDeadHeaders = 512 << 10

// maxDeadMessage bounds the message, which may quote its cause at length.
const maxDeadMessage = 4096

// DeadLetter returns the record for the dead-letter topic: r as it came, with
// who gave it up, why, and where it was. A value that is too large for the topic
// is cut, and HeaderTruncated says so. What r holds is copied, because its
// memory may be used again. The timestamp is left to the producer, so that
// retention counts from now and not from when the telemetry was made; r's own is
// in a header.
func (t Topics) DeadLetter(r *kgo.Record, stage, reason, message string) *kgo.Record {
	out := t.DeadPart(r.Value, stage, reason, message)
	out.Key = bytes.Clone(r.Key)
	var came []kgo.RecordHeader
	size := len(r.Key)
	for _, h := range r.Headers {
		size += len(h.Key) + len(h.Value)
	}
	if size > maxDeadHeaders { // else as above: they come on top of the value
		out.Key = out.Key[:min(len(out.Key), maxDeadHeaders)]
		out.Headers = append(out.Headers, kgo.RecordHeader{Key: HeaderTruncated, Value: strconv.AppendInt(nil, int64(len(r.Value)), 10)})
		r = &kgo.Record{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp}
	}
	for _, h := range r.Headers {
		came = append(came, kgo.RecordHeader{Key: h.Key, Value: bytes.Clone(h.Value)})
	}
	out.Headers = append(came, out.Headers...)
	out.Headers = append(out.Headers,
		kgo.RecordHeader{Key: HeaderTopic, Value: []byte(r.Topic)},
		kgo.RecordHeader{Key: HeaderPartition, Value: strconv.AppendInt(nil, int64(r.Partition), 10)},
		kgo.RecordHeader{Key: HeaderOffset, Value: strconv.AppendInt(nil, r.Offset, 10)},
	)
	if !r.Timestamp.IsZero() {
		out.Headers = append(out.Headers,
			kgo.RecordHeader{Key: HeaderTimestamp, Value: []byte(r.Timestamp.UTC().Format(time.RFC3339Nano))})
	}
	return out
}

// DeadPart is DeadLetter for a part of an input that is no record of its own.
func (t Topics) DeadPart(value []byte, stage, reason, message string) *kgo.Record {
	out := &kgo.Record{Topic: t.DeadLetters(), Headers: deathHeaders(stage, reason, message)}
	if n := len(value); n > maxDeadValue {
		value = value[:maxDeadValue]
		out.Headers = append(out.Headers, kgo.RecordHeader{Key: HeaderTruncated, Value: strconv.AppendInt(nil, int64(n), 10)})
	}
	out.Value = bytes.Clone(value)
	return out
}

func deathHeaders(stage, reason, message string) []kgo.RecordHeader {
	message = strings.ToValidUTF8(message, "\uFFFD")
	if len(message) > maxDeadMessage {
		message = strings.ToValidUTF8(message[:maxDeadMessage], "")
	}
	return []kgo.RecordHeader{
		{Key: HeaderStage, Value: []byte(stage)},
		{Key: HeaderReason, Value: []byte(reason)},
		{Key: HeaderMessage, Value: []byte(message)},
	}
}

// Death is why a record is in the dead-letter topic.
type Death struct {
	// Stage is the role that gave it up.
	Stage string
	// Reason is a short constant, a label of a metric.
	Reason string
	// Message says what is wrong, for a person.
	Message string
	// Truncated is set when only a part of it was kept.
	Truncated bool
	// Record is the record as it came, and where it was. Its Topic is empty when
	// it was a part of an input and no record of its own.
	Record *kgo.Record
}

// ReadDeadLetter reads a record of the dead-letter topic: its last death. What
// it returns shares memory with r.
func ReadDeadLetter(r *kgo.Record) (Death, error) {
	fail := func(err error) (Death, error) {
		return Death{}, fmt.Errorf("cannot read dead letter at offset %d: %w", r.Offset, err)
	}
	begin := len(r.Headers) - 1 // of the last death: its headers start with the stage
	for begin >= 0 && r.Headers[begin].Key != HeaderStage {
		begin--
	}
	if begin < 0 {
		return fail(fmt.Errorf("header %s is missing", HeaderStage))
	}
	text := func(key string) string {
		i := slices.IndexFunc(r.Headers[begin:], func(h kgo.RecordHeader) bool { return h.Key == key })
		if i < 0 {
			return ""
		}
		return string(r.Headers[begin+i].Value)
	}
	d := Death{
		Stage: text(HeaderStage), Reason: text(HeaderReason), Message: text(HeaderMessage), Truncated: text(HeaderTruncated) != "",
		Record: &kgo.Record{Topic: text(HeaderTopic), Key: r.Key, Value: r.Value, Headers: r.Headers[:begin:begin]},
	}
	if d.Record.Topic == "" {
		return d, nil
	}
	partition, err := strconv.ParseInt(text(HeaderPartition), 10, 32)
	if err != nil {
		return fail(fmt.Errorf("header %s: %w", HeaderPartition, err))
	}
	d.Record.Partition = int32(partition)
	if d.Record.Offset, err = strconv.ParseInt(text(HeaderOffset), 10, 64); err != nil {
		return fail(fmt.Errorf("header %s: %w", HeaderOffset, err))
	}
	if at := text(HeaderTimestamp); at != "" {
		if d.Record.Timestamp, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return fail(fmt.Errorf("header %s: %w", HeaderTimestamp, err))
		}
	}
	return d, nil
}
