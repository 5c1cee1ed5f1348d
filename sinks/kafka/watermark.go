package kafka

import (
	"fmt"

	"github.com/flyball-io/flyball"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TypeWatermark is the type of watermarks in the findings topic. They say that all
// findings of a partition of panes up to a time stand before them, which is how
// decide knows what time it is.
const TypeWatermark = "dev.flyball.watermark.v1"

// Watermark is the progress of event time in one partition of panes.
type Watermark struct {
	// Partition of panes, of so many.
	Partition int32 `json:"partition"`
	Of        int32 `json:"of"`
	// Watermark of all sources together.
	Watermark flyball.Time `json:"watermark"`
	// Edges are pairs of services of which the first calls the second, learned from
	// windows of calls.
	Edges []Edge `json:"edges,omitempty"`
}

// Edge says that a service calls another, about when.
type Edge struct {
	From string       `json:"from"`
	To   string       `json:"to"`
	At   flyball.Time `json:"at"`
}

// IsWatermark reports whether a record of the findings topic is a watermark.
func IsWatermark(r *kgo.Record) bool { return Header(r, HeaderType) == TypeWatermark }

// Watermark returns the record of a watermark, for partition 0 of the findings
// topic.
func (e Encoder) Watermark(w Watermark) *kgo.Record {
	return &kgo.Record{
		Topic: e.Topics.Findings(), Value: encodeData(w),
		Headers: attributes{
			id: fmt.Sprintf("watermark-%d-%d", w.Partition, w.Watermark), source: e.source(), typ: TypeWatermark,
			time: w.Watermark, expiry: flyball.NoTime,
		}.headers(),
	}
}

// DecodeWatermark reads a watermark.
func DecodeWatermark(r *kgo.Record) (Watermark, error) {
	if _, err := readAttributes(r.Headers, TypeWatermark); err != nil {
		return Watermark{}, fmt.Errorf("cannot decode watermark: %w", err)
	}
	w := Watermark{Watermark: flyball.NoTime}
	if err := decodeData(r.Value, &w); err != nil {
		return Watermark{}, fmt.Errorf("cannot decode watermark: %w", err)
	}
	if w.Of < 1 || w.Partition < 0 || w.Partition >= w.Of || w.Watermark == flyball.NoTime {
		return Watermark{}, fmt.Errorf("cannot decode watermark: partition %d of %d at %s", w.Partition, w.Of, w.Watermark)
	}
	return w, nil
}
