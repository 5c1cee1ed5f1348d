package kafka

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
)

func TestOutcomeComesBack(t *testing.T) {
	e := exampleEncoder(t)
	for _, class := range flyball.OutcomeClasses() {
		o := exampleOutcome()
		o.Class = class
		got, err := DecodeOutcome(must(t)(e.Outcome(o)))
		o.ID = OutcomeID("o-1", 1, class)
		if err != nil || !cmp.Equal(*o, got) {
			t.Errorf("%s: %v\n%s", class, err, cmp.Diff(*o, got))
		}
	}
	r := must(t)(e.Outcome(exampleOutcome()))
	for i, h := range r.Headers {
		if h.Key == HeaderType {
			r.Headers[i].Value = []byte("dev.flyball.outcome.perhaps.v1")
		}
	}
	got, err := DecodeOutcome(r)
	if err != nil || got.Class != flyball.OutcomePermanent || got.Reason != "AMBIGUOUS_RESULT" || !strings.Contains(got.Detail, `"perhaps" is unknown`) {
		t.Errorf("an unknown class: %+v, %v", got, err)
	}
}

func TestControlComesBack(t *testing.T) {
	e := exampleEncoder(t)
	for _, kind := range flyball.ControlKinds() {
		c := exampleControl()
		c.Kind = kind
		got, err := DecodeControl(must(t)(e.Control(c)))
		if err != nil || !cmp.Equal(*c, got) {
			t.Errorf("%s: %v\n%s", kind, err, cmp.Diff(*c, got))
		}
	}
}

func TestWatermarkComesBack(t *testing.T) {
	e := exampleEncoder(t)
	want := Watermark{Partition: 2, Of: 3, Watermark: now, Edges: []Edge{{From: "cart", To: "db", At: now}}}
	r := e.Watermark(want)
	if got, err := DecodeWatermark(r); err != nil || !cmp.Equal(got, want) || !IsWatermark(r) || r.Topic != "flyball.findings" {
		t.Errorf("got %+v, %v", got, err)
	}
	want.Partition = 3
	if _, err := DecodeWatermark(e.Watermark(want)); err == nil {
		t.Error("partition 3 of 3 passes")
	}
}

func TestDecodePeopleRefuses(t *testing.T) {
	e := exampleEncoder(t)
	f := func(r *kgo.Record, decode func(*kgo.Record) error) {
		t.Helper()
		r.Value = []byte(`{"operation_id":"","attempt":0}`)
		if decode(r) == nil {
			t.Errorf("%s passes", r.Value)
		}
	}
	f(must(t)(e.Outcome(exampleOutcome())), func(r *kgo.Record) error { _, err := DecodeOutcome(r); return err })
	f(must(t)(e.Control(exampleControl())), func(r *kgo.Record) error { _, err := DecodeControl(r); return err })
	f(must(t)(e.Finding(exampleFinding())), func(r *kgo.Record) error { _, err := DecodeOutcome(r); return err })
	o := exampleOutcome()
	o.Class = "odd"
	if _, err := e.Outcome(o); err == nil {
		t.Error("an odd class is encoded")
	}
	o = exampleOutcome()
	o.At, o.Attempt = now.Add(-time.Hour), 0
	if _, err := e.Outcome(o); err == nil {
		t.Error("an outcome of no attempt is encoded")
	}
}
