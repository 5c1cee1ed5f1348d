package e2e

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// signingKey writes a new private key and returns its file and the public key.
func signingKey(t *testing.T) (string, ed25519.PublicKey) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, public
}

// An incident becomes a finding, a decision and a signed command; it is resolved;
// the next one on the same target within the cooldown gets a decision and no
// command. All of it is in ClickHouse.
func TestIncidentIsRemedied(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	db := embeddedtest.ClickHouse(t)
	load := record(t, incidentLoad())
	topic := b.topic(t, "spans", int32(load.partitions))
	keyFile, public := signingKey(t)
	s := b.settings(db.DSN())
	s.more = statusEvery + fmt.Sprintf("  signing: {keyFile: %q, keyID: ops-1}\n", keyFile)
	p := run(t, s.write(t, spanSource(topic)+shopJudge))
	b.produce(t, load.to(topic, 0, len(load.records))...)
	b.produce(t, closers(t, topic, load.partitions, epoch.Add(time.Hour))...)

	conn := db.Open(t)
	await(t, patience, "two incidents remedied and all three over", func() string {
		n := count(t, conn, "SELECT count() FROM v_findings WHERE NOT is_open")
		d := count(t, conn, "SELECT count() FROM v_decisions WHERE notEmpty(gate_names)")
		c := count(t, conn, "SELECT count() FROM commands FINAL")
		if n != 3 || d != 3 || c != 2 {
			return fmt.Sprintf("%d findings resolved, %d decisions, %d commands", n, d, c)
		}
		return ""
	})
	p.stop()
	findings := checkFindings(t, b.read(t, b.names().Findings()))
	checkExamples(t, conn, findings, load)
	decisions := checkDecisions(t, b.read(t, b.names().Decisions()), findings)
	commands := b.read(t, b.names().Commands())
	if len(commands) != 2 {
		t.Fatalf("%d commands, want 2", len(commands))
	}
	for _, r := range commands {
		checkCommand(t, r, decisions, map[string]ed25519.PublicKey{"ops-1": public})
	}
	checkRemedyTables(t, conn, decisions, commands)
}

// checkFindings checks the life of every finding and returns their first states.
func checkFindings(t *testing.T, records []*kgo.Record) map[string]flyball.Finding {
	t.Helper()
	opened := map[string]flyball.Finding{}
	var story []string
	for _, r := range records {
		f, err := sinkkafka.DecodeFinding(r)
		if err != nil {
			t.Fatal(err)
		}
		story = append(story, fmt.Sprintf("%s %s %d", f.Entity, f.State, f.Revision))
		if f.State == flyball.FindingOpened {
			opened[f.ID] = f
		} else if opened[f.ID].ID == "" {
			t.Errorf("finding %q was %s before it opened", f.ID, f.State)
		}
	}
	slices.Sort(story)
	want := []string{
		"checkout opened 1", "checkout opened 1", "checkout resolved 2", "checkout resolved 2",
		"search opened 1", "search resolved 2",
	}
	if diff := cmp.Diff(want, story); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	return opened
}

// checkDecisions checks verbs and gates and returns the decisions by id.
func checkDecisions(t *testing.T, records []*kgo.Record, findings map[string]flyball.Finding) map[string]flyball.Decision {
	t.Helper()
	out := map[string]flyball.Decision{}
	var verbs []string
	for _, r := range records {
		d, err := sinkkafka.DecodeDecision(r)
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Gates) == 0 {
			continue // what became of an operation
		}
		out[d.ID] = d
		verbs = append(verbs, d.Entity+" "+string(d.Verb))
		f, ok := findings[d.Finding]
		if !ok || d.At != f.At || d.Rule != "rollback-on-burn" || d.Target != "deployment/"+d.Entity || len(d.Explain) == 0 {
			t.Errorf("decision %+v on finding %+v", d, f)
		}
		for _, g := range d.Gates {
			repeats := slices.Contains([]string{"target_busy", "cooldown", "loop"}, g.Gate)
			if want := d.Verb == flyball.VerbAct || !repeats; g.Pass != want {
				t.Errorf("gate %q of a decision to %s: %t, %s", g.Gate, d.Verb, g.Pass, g.Reason)
			}
		}
		if (d.Command != "") != (d.Verb == flyball.VerbAct) {
			t.Errorf("a decision to %s has the command %q", d.Verb, d.Command)
		}
	}
	slices.Sort(verbs)
	if diff := cmp.Diff([]string{"checkout act", "checkout suppress", "search act"}, verbs); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
	return out
}

// checkCommand checks the headers, the signature and the data of a command.
func checkCommand(t *testing.T, r *kgo.Record, decisions map[string]flyball.Decision, keys map[string]ed25519.PublicKey) {
	t.Helper()
	c, err := sinkkafka.DecodeCommand(r)
	if err != nil {
		t.Fatal(err)
	}
	d, ok := decisions[c.Decision]
	if !ok || d.Command != c.ID {
		t.Fatalf("command %+v of decision %+v", c, d)
	}
	headers := map[string]string{}
	for _, h := range r.Headers {
		if _, twice := headers[h.Key]; twice {
			t.Errorf("header %s is there twice", h.Key)
		}
		headers[h.Key] = string(h.Value)
	}
	signature := headers[sinkkafka.HeaderSignature]
	delete(headers, sinkkafka.HeaderSignature)
	want := map[string]string{
		"ce_specversion": "1.0", "ce_id": c.ID, "ce_source": "/flyball/e2e", "ce_type": "dev.flyball.command.v1",
		"ce_subject": "deployment/" + d.Entity, "ce_time": d.At.String(), "ce_correlationid": d.Finding, "ce_causationid": d.ID,
		"ce_expirytime": d.At.Add(5 * time.Minute).String(), "content-type": "application/json", "flyball-key-id": "ops-1",
	}
	if diff := cmp.Diff(want, headers); diff != "" {
		t.Errorf("headers of a command (-want +got):\n%s", diff)
	}
	if string(r.Key) != c.Target {
		t.Errorf("key %q, want the target %q", r.Key, c.Target)
	}
	at := d.At.Std()
	if err := sinkkafka.Verify(r.Headers, r.Value, keys, at); err != nil {
		t.Errorf("signature %q: %v", signature, err)
	}
	if err := sinkkafka.Verify(r.Headers, slices.Concat(r.Value, []byte(" ")), keys, at); err == nil {
		t.Error("a command that was changed is accepted")
	}
	if err := sinkkafka.Verify(r.Headers, r.Value, keys, at.Add(time.Hour)); err == nil {
		t.Error("a command that has expired is accepted")
	}
	var data map[string]any
	if err := json.Unmarshal(r.Value, &data); err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"operation_id", "attempt", "action", "target", "mode", "reason", "deadline"} {
		if _, ok := data[field]; !ok {
			t.Errorf("a command has no %q: %s", field, r.Value)
		}
	}
	if c.Action.Params["reason"] != "budget of "+d.Entity || c.Attempt != 1 || len(c.Reason.Evidence) == 0 {
		t.Errorf("command %+v", c)
	}
}

// checkRemedyTables compares the tables with the topics.
func checkRemedyTables(t *testing.T, conn driver.Conn, decisions map[string]flyball.Decision, commands []*kgo.Record) {
	t.Helper()
	text := func(rows driver.Rows) (string, error) {
		var s string
		return s, rows.Scan(&s)
	}
	var want []string
	for _, d := range decisions {
		want = append(want, fmt.Sprintf("%s %s %s %s", d.ID, d.Verb, d.Finding, d.Command))
	}
	slices.Sort(want)
	got := query(t, conn, "SELECT concat(decision_id, ' ', verb, ' ', finding_id, ' ', ifNull(command_id, '')) AS s FROM v_decisions WHERE notEmpty(gate_names) ORDER BY s", text)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("v_decisions (-want +got):\n%s", diff)
	}
	want = nil
	for _, r := range commands {
		c, err := sinkkafka.DecodeCommand(r)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("%s %s %s %s", c.ID, c.Decision, c.Target, c.Action.Name))
	}
	slices.Sort(want)
	got = query(t, conn, "SELECT concat(id, ' ', decision, ' ', target, ' ', action) AS s FROM commands FINAL ORDER BY s", text)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	kept := map[string]bool{}
	for _, s := range query(t, conn, "SELECT concat(id, ' ', toString(revision)) FROM findings FINAL", text) {
		kept[s] = true
	}
	if len(kept) != 6 {
		t.Errorf("states of findings in the table: %v, want 6", slices.Sorted(maps.Keys(kept)))
	}
	if n := count(t, conn, "SELECT count() FROM v_slo_status WHERE is_firing"); n < 1 {
		t.Error("no SLO status says that a tier fires")
	}
}
