package automation

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/incident"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

func TestIncident(t *testing.T) {
	dir, client := setup(t)
	if _, err := kadm.NewClient(client).CreateTopics(t.Context(), 1, 1, nil, "flyball.findings", "flyball.commands", "flyball.outcomes"); err != nil {
		t.Fatal(err)
	}
	encode := sinkkafka.Encoder{Topics: sinkkafka.Topics{Prefix: "flyball."}}
	send := func(r *kgo.Record, err error) {
		t.Helper()
		if err == nil {
			err = client.ProduceSync(t.Context(), r).FirstErr()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	at := flyball.TimeOf(time.Now().Add(-time.Minute))
	later := func(s int) flyball.Time { return at.Add(time.Duration(s) * time.Second) }
	send(encode.Finding(&flyball.Finding{ID: "f-1", Revision: 1, Kind: "burn_rate", State: flyball.FindingOpened, Severity: "page", Entity: "cart", Detector: "availability", At: at, OpenedAt: at, Summary: "it burns"}))
	send(&kgo.Record{Topic: "flyball.findings", Value: []byte("nonsense")}, nil)
	d := flyball.Decision{ID: "d-1", At: later(1), Verb: flyball.VerbAct, Rule: "restart", Finding: "f-1", FindingRevision: 1, Entity: "cart", Target: "deploy/cart", Action: flyball.Action{Name: "restart"}, Mode: flyball.ModeAuto, Operation: "o-1", Command: "c-1"}
	send(encode.Decision(&d))
	send(encode.Command(&flyball.Command{ID: "c-1", At: later(1), OperationID: "o-1", Attempt: 1, Action: d.Action, Target: d.Target, Deadline: later(300), Decision: "d-1", Reason: flyball.CommandReason{Finding: "f-1"}}))
	send(encode.Outcome(&flyball.Outcome{Class: flyball.OutcomeSucceeded, OperationID: "o-1", Attempt: 1, Target: d.Target, At: later(9), Started: later(2), Finished: later(9)}))
	d.ID, d.At, d.Verb, d.Command, d.Reason = "d-2", later(40), flyball.VerbEffective, "", "the indicator has recovered"
	send(encode.Decision(&d))
	send(encode.Finding(&flyball.Finding{ID: "f-1", Revision: 2, Kind: "burn_rate", State: flyball.FindingResolved, Severity: "page", Entity: "cart", Detector: "availability", At: later(30), OpenedAt: at, Summary: "it burns"}))

	out, err := run(t, "incident", "--config", dir, "o-1", "-o", "json")
	var r incident.Report
	if err != nil || json.Unmarshal([]byte(out), &r) != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if r.Outcome != incident.Effective || r.State != "resolved" || len(r.Timeline) != 6 || r.Operations[0].Attempts != 1 ||
		*r.Times.Decide != 1 || *r.Times.Remediate != 8 || *r.Times.Recover != 30 || *r.Times.Detect < 50 {
		t.Errorf("%s", out)
	}
	out, err = run(t, "incident", "--config", dir, "f-1")
	if err != nil || !strings.HasPrefix(out, "# cart: it burns") || !strings.Contains(out, "One command was sent, and it helped") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := run(t, "incident", "--config", dir, "x"); err == nil || !strings.Contains(err.Error(), `cannot report on "x"`) {
		t.Errorf("an unknown id: %v", err)
	}
	var wrong *UsageError
	if _, err := run(t, "incident", "--config", dir, "f-1", "-o", "yaml"); !errors.As(err, &wrong) {
		t.Errorf("a wrong format: %v", err)
	}
}
