package kafka

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
)

func TestVerdictsComeBack(t *testing.T) {
	e := exampleEncoder(t)
	want := exampleVerdict()
	r := must(t)(e.Verdict(want))
	if string(r.Key) != "a-1" || r.Topic != "flyball.verdicts" || Header(r, HeaderCorrelationID) != "a-1" {
		t.Errorf("got key %q, topic %q", r.Key, r.Topic)
	}
	got, err := DecodeVerdict(r)
	if err != nil {
		t.Fatal(err)
	}
	nan := cmp.Comparer(func(a, b flyball.Number) bool { return a == b || a != a && b != b })
	if diff := cmp.Diff(*want, got, nan, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if _, err := e.Verdict(&flyball.Verdict{ID: "a", At: flyball.NoTime}); err == nil {
		t.Error("a verdict without a time is written")
	}
}

func TestCanaryRequestsComeBack(t *testing.T) {
	e := exampleEncoder(t)
	want := exampleRequest()
	got, err := DecodeCanaryRequest(must(t)(e.CanaryRequest(want, now)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*want, got); diff != "" {
		t.Error(diff)
	}
	for _, r := range []flyball.CanaryRequest{{Canary: "c", Entity: "e"}, {ID: "i", Entity: "e"}, {ID: "i", Canary: "c"}} {
		if _, err := e.CanaryRequest(&r, now); err == nil {
			t.Errorf("%+v is written", r)
		}
	}
}

func TestMalformedCanaryEvents(t *testing.T) {
	e := exampleEncoder(t)
	f := func(r *kgo.Record, decode func(*kgo.Record) error, old, new, want string) {
		t.Helper()
		r.Value = []byte(strings.Replace(string(r.Value), old, new, 1))
		if err := decode(r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s for %s: got %v, want %q", new, old, err, want)
		}
	}
	verdict := func(r *kgo.Record) error { _, err := DecodeVerdict(r); return err }
	request := func(r *kgo.Record) error { _, err := DecodeCanaryRequest(r); return err }
	f(must(t)(e.Verdict(exampleVerdict())), verdict, `"revision":3`, `"revision":4`, "is not that of verdict")
	f(must(t)(e.Verdict(exampleVerdict())), verdict, `"effect":1.5`, `"effect":"soon"`, "cannot read number")
	f(must(t)(e.CanaryRequest(exampleRequest(), now)), verdict, "", "", "dev.flyball.canary.cancel.v1")
	f(must(t)(e.CanaryRequest(exampleRequest(), now)), request, `"cancel":true`, `"cancel":false`, "cancel is false")
	f(must(t)(e.CanaryRequest(exampleRequest(), now)), request, `{`, ``, "cannot decode request")
}
