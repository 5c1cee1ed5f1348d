package evaluate

import (
	"strings"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// TestComplaintsBecomeFindings: a mark that complains opens a finding about the source, a
// successor knows of it, and the first mark without resolves it.
func TestComplaintsBecomeFindings(t *testing.T) {
	cfg := simple()
	source := cfg.Sources[0].Name
	at := flyball.Time(1_700_000_040 * int64(time.Second))
	mark := func(offset int64, complaint string) Input {
		at += flyball.Time(10 * time.Second)
		return Input{Records: []Record{{Offset: offset, Marks: []processors.Mark{{Source: source, Topic: "otlp", Of: 1, Watermark: at, Complaint: complaint}}}}}
	}
	topic := map[string][]byte{}
	var found []flyball.Finding
	step := func(m *Machine, in Input) {
		ready := m.Step(in)
		for _, c := range ready.State {
			if topic[c.Key] = c.Value; c.Value == nil {
				delete(topic, c.Key)
			}
		}
		for _, f := range ready.Findings {
			if f.Kind == kindSelf {
				found = append(found, f)
			}
		}
		m.Commit()
	}
	m := New(cfg)
	step(m, mark(0, ""))
	step(m, mark(1, "schema 7 lacks a field"))
	next := New(cfg)
	for key, value := range topic {
		if err := next.Restore(key, value); err != nil {
			t.Fatal(err)
		}
	}
	next.Restored()
	step(next, mark(2, ""))
	if len(found) != 2 || found[0].State != flyball.FindingOpened || found[1].State != flyball.FindingResolved ||
		found[0].ID != found[1].ID || found[1].Revision != 2 || found[0].Entity != source || !strings.Contains(found[0].Summary, "schema 7 lacks a field") {
		t.Errorf("findings %+v", found)
	}
	for key := range topic {
		if strings.Contains(key, "complaint") {
			t.Errorf("%s is left in the state", key)
		}
	}
}
