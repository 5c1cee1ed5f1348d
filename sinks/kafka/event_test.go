package kafka

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flyball-io/flyball"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestRecords pins how events are written: others read them.
func TestRecords(t *testing.T) {
	var b strings.Builder
	for _, r := range exampleRecords(t) {
		fmt.Fprintf(&b, "topic %s, key %s\n", r.Topic, r.Key)
		for _, h := range r.Headers {
			fmt.Fprintf(&b, "  %s: %s\n", h.Key, h.Value)
		}
		fmt.Fprintf(&b, "%s\n\n", r.Value)
	}
	golden := filepath.Join("testdata", "records.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("records (-want +got), -update to accept:\n%s", d)
	}
}

func TestFindingEventID(t *testing.T) {
	// A contract: consumers drop duplicates by it.
	if got, want := FindingEventID("f-1", 2), "e408e7b00b736055153e4d1063eb2baa"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if FindingEventID("f-1", 12) == FindingEventID("f-11", 2) {
		t.Error("two states have one id")
	}
}

func TestEncodeRefuses(t *testing.T) {
	e := exampleEncoder(t)
	f := func(name string, r *kgo.Record, err error) {
		t.Helper()
		if err == nil || r != nil {
			t.Errorf("%s: got %v, %v", name, r, err)
		}
	}
	finding, decision, command := exampleFinding(), exampleDecision(), exampleCommand()
	finding.At = flyball.NoTime
	r, err := e.Finding(finding)
	f("a finding without a time", r, err)
	decision.ID = ""
	r, err = e.Decision(decision)
	f("a decision without an id", r, err)
	command.Deadline = flyball.NoTime
	r, err = e.Command(command)
	f("a command without a deadline", r, err)
	command = exampleCommand()
	command.Target = ""
	r, err = e.Command(command)
	f("a command without a target", r, err)
}

func TestEvidenceThatJSONLacks(t *testing.T) {
	f := exampleFinding()
	inf, nan := math.Inf(1), math.NaN()
	f.Evidence = []flyball.Evidence{
		{Name: "up", Value: math.Inf(1), Threshold: &inf}, {Name: "nan", Value: math.NaN()},
		{Name: "down", Value: math.Inf(-1)}, {Name: "kept", Value: 1, Threshold: &nan},
	}
	got, err := DecodeFinding(must(t)(exampleEncoder(t).Finding(f)))
	if err != nil {
		t.Fatal(err)
	}
	most := math.MaxFloat64
	want := []flyball.Evidence{{Name: "up", Value: most, Threshold: &most}, {Name: "down", Value: -most}, {Name: "kept", Value: 1}}
	if d := cmp.Diff(want, got.Evidence); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if !math.IsInf(f.Evidence[0].Value, 1) {
		t.Error("the finding itself was changed")
	}
}

func TestDecodeRefuses(t *testing.T) {
	e := exampleEncoder(t)
	finding := func(r *kgo.Record) error { _, err := DecodeFinding(r); return err }
	decision := func(r *kgo.Record) error { _, err := DecodeDecision(r); return err }
	command := func(r *kgo.Record) error { _, err := DecodeCommand(r); return err }
	f := func(decode func(*kgo.Record) error, r *kgo.Record, change func(*kgo.Record), want string) {
		t.Helper()
		if err := decode(r); err != nil {
			t.Fatalf("before the change: %v", err)
		}
		change(r)
		if err := decode(r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	set := func(key, value string) func(*kgo.Record) {
		return func(r *kgo.Record) {
			for i := range r.Headers {
				if r.Headers[i].Key == key {
					r.Headers[i].Value = []byte(value)
				}
			}
		}
	}
	add := func(key, value string) func(*kgo.Record) {
		return func(r *kgo.Record) { r.Headers = append(r.Headers, kgo.RecordHeader{Key: key, Value: []byte(value)}) }
	}
	value := func(v string) func(*kgo.Record) { return func(r *kgo.Record) { r.Value = []byte(v) } }
	aFinding := func() *kgo.Record { return must(t)(e.Finding(exampleFinding())) }
	aCommand := func() *kgo.Record { return must(t)(e.Command(exampleCommand())) }

	f(finding, aFinding(), set(HeaderSpecVersion, "0.3"), `header ce_specversion is "0.3"`)
	f(finding, aFinding(), set(HeaderID, ""), "header ce_id is missing")
	f(finding, aFinding(), set(HeaderID, "other"), "is not that of finding")
	f(finding, aFinding(), set(HeaderContentType, "text/plain"), `header content-type is "text/plain"`)
	f(finding, aFinding(), set(HeaderType, TypeDecision), `header ce_type is "dev.flyball.decision.v1"`)
	f(finding, aFinding(), set(HeaderType, TypeFindingOpened), `the state is "updated"`)
	f(finding, aFinding(), set(HeaderTime, "yesterday"), "header ce_time")
	f(finding, aFinding(), add(HeaderID, "again"), "header ce_id appears twice")
	f(finding, aFinding(), value(""), "it has no data")
	f(finding, aFinding(), value("{"), "unexpected end of JSON")
	f(decision, must(t)(e.Decision(exampleDecision())), set(HeaderID, "other"), "differ")
	f(command, aCommand(), set(HeaderSubject, "deploy/other"), `the target is "deploy/checkout"`)
	f(command, aCommand(), set(HeaderExpiryTime, "2030-01-01T00:00:00Z"), "the deadline is")
}

func TestContentTypeMayHaveParameters(t *testing.T) {
	r := must(t)(exampleEncoder(t).Finding(exampleFinding()))
	for i := range r.Headers {
		if r.Headers[i].Key == HeaderContentType {
			r.Headers[i].Value = []byte("Application/JSON; charset=utf-8")
		}
	}
	if _, err := DecodeFinding(r); err != nil {
		t.Error(err)
	}
}

func TestHeader(t *testing.T) {
	r := &kgo.Record{Headers: []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte("2")}, {Key: "b"}}}
	if Header(r, "a") != "2" || Header(r, "b") != "" || Header(r, "c") != "" {
		t.Errorf("got %q, %q, %q", Header(r, "a"), Header(r, "b"), Header(r, "c"))
	}
}

// drawText draws text that JSON carries unchanged.
func drawText(t *rapid.T, name string) string { return rapid.String().Draw(t, name) }

func drawTime(t *rapid.T, name string) flyball.Time {
	return flyball.Time(rapid.Int64Range(-9e18, 9e18).Draw(t, name))
}

func drawEvidence(t *rapid.T) []flyball.Evidence {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) flyball.Evidence {
		number := rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64)
		e := flyball.Evidence{Name: drawText(t, "name"), Value: number.Draw(t, "value"), Unit: drawText(t, "unit"), Window: drawText(t, "window")}
		if rapid.Bool().Draw(t, "has threshold") {
			v := number.Draw(t, "threshold")
			e.Threshold = &v
		}
		return e
	}), 0, 3).Draw(t, "evidence")
}

func TestLawRoundTrip(t *testing.T) {
	e := exampleEncoder(t)
	same := func(t *rapid.T, want, got any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("(-written +read):\n%s", d)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		f := flyball.Finding{
			ID: "f" + drawText(t, "id"), Revision: rapid.Int().Draw(t, "revision"), Kind: drawText(t, "kind"),
			State:    rapid.SampledFrom([]flyball.FindingState{"opened", "updated", "resolved"}).Draw(t, "state"),
			Severity: drawText(t, "severity"), Entity: drawText(t, "entity"), Labels: flyball.LabelsOf("a", drawText(t, "a"), "b", drawText(t, "b")),
			Detector: drawText(t, "detector"), Tier: drawText(t, "tier"), At: drawTime(t, "at"), OpenedAt: drawTime(t, "opened"),
			Summary: drawText(t, "summary"), Evidence: drawEvidence(t), Incomplete: rapid.Bool().Draw(t, "incomplete"),
		}
		r, err := e.Finding(&f)
		if err != nil {
			t.Fatal(err)
		}
		gotFinding, err := DecodeFinding(r)
		same(t, f, gotFinding, err)

		d := *exampleDecision()
		d.ID, d.At, d.Entity, d.Target = "d"+drawText(t, "id"), drawTime(t, "at"), drawText(t, "entity"), drawText(t, "target")
		d.Explain = append(d.Explain, flyball.SubExpression{Expr: drawText(t, "expr"), Value: drawText(t, "value")})
		if r, err = e.Decision(&d); err != nil {
			t.Fatal(err)
		}
		gotDecision, err := DecodeDecision(r)
		same(t, d, gotDecision, err)

		c := *exampleCommand()
		c.ID, c.At, c.Deadline, c.Target = "c"+drawText(t, "id"), drawTime(t, "at"), drawTime(t, "deadline"), "t"+drawText(t, "target")
		c.Reason.Evidence, c.Decision = drawEvidence(t), drawText(t, "decision")
		if r, err = e.Command(&c); err != nil {
			t.Fatal(err)
		}
		gotCommand, err := DecodeCommand(r)
		same(t, c, gotCommand, err)
	})
}

// FuzzDecode feeds headers and values that anyone may have written.
func FuzzDecode(f *testing.F) {
	for _, r := range exampleRecords(f) {
		f.Add(Header(r, HeaderType), Header(r, HeaderID), Header(r, HeaderTime), Header(r, HeaderExpiryTime), r.Value)
	}
	f.Add(TypeCommand, "", "x", "9999-12-31T23:59:59Z", []byte(`{"labels":{"a":1}}`))
	f.Fuzz(func(t *testing.T, typ, id, at, expiry string, value []byte) {
		r := &kgo.Record{Value: value, Headers: attributes{
			id: id, typ: typ, time: flyball.NoTime, expiry: flyball.NoTime, subject: "s",
		}.headers()}
		r.Headers = append(r.Headers,
			kgo.RecordHeader{Key: HeaderTime, Value: []byte(at)}, kgo.RecordHeader{Key: HeaderExpiryTime, Value: []byte(expiry)})
		e := exampleEncoder(t)
		if v, err := DecodeFinding(r); err == nil && v.ID != "" && v.At != flyball.NoTime {
			again, err := DecodeFinding(must(t)(e.Finding(&v)))
			if d := cmp.Diff(v, again, cmpopts.EquateEmpty()); err != nil || d != "" {
				t.Fatalf("a finding that was read cannot be written: %v\n%s", err, d)
			}
		}
		if v, err := DecodeDecision(r); err == nil && v.ID != id {
			t.Fatalf("decision %q came as %q", v.ID, id)
		}
		if v, err := DecodeCommand(r); err == nil && v.Target != "s" {
			t.Fatalf("a command for %q came as one for %q", v.Target, "s")
		}
	})
}
