package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
	"github.com/flyball-io/flyball/internal/loadgen"
	"github.com/flyball-io/flyball/internal/loadgen/shop"
	"github.com/flyball-io/flyball/sinks/clickhouse"
	"github.com/flyball-io/flyball/sinks/clickhouse/history"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Main(m)) }

var began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// coded is an error with an exit code.
type coded struct {
	code int
	err  error
}

func (c *coded) Error() string { return fmt.Sprint(c.code, " ", c.err) }

// run runs the command as flyball does.
func run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	c := New(func(err error) error { return &coded{2, err} }, func(code int) error { return &coded{code: code} })
	c.SilenceErrors, c.SilenceUsage = true, true
	var out, talk bytes.Buffer
	c.SetOut(&out)
	c.SetErr(&talk)
	c.SetArgs(args)
	if err := c.ExecuteContext(t.Context()); err != nil {
		code = 1
		var with *coded
		if errors.As(err, &with) {
			code = with.code
		}
		talk.WriteString(err.Error())
	}
	return code, out.String(), talk.String()
}

// write writes the configuration of the package's tests, changed.
func write(t *testing.T, old, new string) (dir string) {
	t.Helper()
	text, err := os.ReadFile("../testdata/shop/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("the configuration does not say %q", old)
	}
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "shop.yaml"), []byte(strings.ReplaceAll(string(text), old, new)), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

const shopConfig = "../testdata/shop"

func spans(t *testing.T) (dir string) {
	t.Helper()
	c := loadgen.Default()
	c.Shop.Rate, c.Shop.Duration, c.Shop.Start = 60, 5*time.Minute, began
	c.Shop.Incidents = []shop.Incident{{Kind: shop.ErrorBurst, Service: "checkout", Start: 3 * time.Minute, Duration: time.Minute, Severity: 0.5}}
	c.Unpaced, c.Dir = true, t.TempDir()
	if _, err := loadgen.Run(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	return c.Dir
}

func TestText(t *testing.T) {
	code, out, talk := run(t, "--config", shopConfig, "--file", spans(t))
	for _, want := range []string{"act             rollback-on-burn", "commands   1  rollback-on-burn  rollback on deployment/checkout",
		"1 burn_rate/page", "Every command is assumed to have succeeded; telemetry is what it was"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if code != 0 || !strings.Contains(talk, "times real time") || strings.Contains(talk, "\r") {
		t.Errorf("exit %d: %q", code, talk)
	}
}

func TestJSON(t *testing.T) {
	dir := spans(t)
	_, out, _ := run(t, "--config", shopConfig, "--file", dir, "-o", "json")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var d flyball.Decision
	if err := json.Unmarshal([]byte(lines[0]), &d); err != nil || d.Verb != flyball.VerbAct {
		t.Errorf("%v: %s", err, lines[0])
	}
	var last struct {
		Summary struct {
			Samples  int64
			Outcomes string
		}
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Summary.Samples == 0 || last.Summary.Outcomes != "assume-success" {
		t.Errorf("%v: %s", err, lines[len(lines)-1])
	}
	if _, again, _ := run(t, "--config", shopConfig, "--file", dir, "-o", "json"); again != out {
		t.Error("the same input gives another output")
	}
}

func TestAgainst(t *testing.T) {
	dir := spans(t)
	raised := write(t, "15x2m/15s", "45x2m/15s")
	f := func(wantCode int, want string, args ...string) {
		t.Helper()
		code, out, talk := run(t, append(args, "--file", dir)...)
		if code != wantCode || !strings.Contains(out, want) {
			t.Errorf("%q: exit %d, %s%s", args, code, out, talk)
		}
	}
	sentence := "the new configuration would have sent 1 fewer rollback (0 instead of 1) in 5m"
	f(0, sentence, "--config", raised, "--against", shopConfig)
	f(4, sentence, "--config", raised, "--against", shopConfig, "--exit-code")
	f(4, "1 more rollback (1 instead of 0)", "--config", shopConfig, "--against", raised, "--exit-code", "-o", "json")
	f(0, "would have decided the same in 5m", "--config", shopConfig, "--against", shopConfig, "--exit-code")
	_, out, _ := run(t, "--config", raised, "--against", shopConfig, "--file", dir)
	if !strings.HasPrefix(out, "- 2026-01-01T00:03:") {
		t.Error(out)
	}
}

func TestUsage(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		if code, _, talk := run(t, append([]string{"--config", shopConfig}, args...)...); code != 2 || !strings.Contains(talk, want) {
			t.Errorf("%q: exit %d, %s", args, code, talk)
		}
	}
	f("want one of --file, --kafka and --clickhouse")
	f("want one of", "--file", "x", "--kafka", "--from", "1h")
	f("say where to begin", "--kafka")
	f("unknown outcomes", "--file", "x", "--outcomes", "hope")
	f("hold no recorded outcomes", "--file", "x", "--outcomes", "recorded")
	f("needs --against", "--file", "x", "--exit-code")
	f("unknown output format", "--file", "x", "-o", "xml")
	f("cannot read --from", "--file", "x", "--from", "yesterday")
	f("is not before", "--kafka", "--from", "1h", "--to", "2h")
	f("no clickhouse.dsn", "--clickhouse", "--from", "1h")
	f("unknown argument", "--file", "x", "y")
}

// recorded opens an empty database with all tables.
func recorded(t *testing.T) (*clickhouse.DB, string) {
	t.Helper()
	database := embeddedtest.ClickHouse(t)
	settings := clickhouse.Default()
	settings.DSN = database.DSN()
	db, err := clickhouse.Open(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db, database.DSN()
}

func at(d time.Duration) flyball.Time { return flyball.TimeOf(began.Add(d)) }

// What was written is what is read, within the bounds, in the order of its times.
func TestHistoryIsReadBack(t *testing.T) {
	db, _ := recorded(t)
	observed, expected := 3.5, 1.25
	findings := []flyball.Finding{
		{ID: "a", Revision: 1, Kind: "anomaly", State: flyball.FindingOpened, Severity: "info", Entity: "cart", Labels: flyball.LabelsOf("zone", "b"), Detector: "d",
			At: at(time.Second), OpenedAt: at(time.Second), Summary: "s", Evidence: []flyball.Evidence{{Name: "digits", Value: 4}}, Incomplete: true,
			Series: []flyball.FindingSeries{{Indicator: "i", Value: "rate", Labels: flyball.LabelsOf("zone", "b"), Digits: 4, Share: 1, Observed: &observed, Expected: &expected, At: at(time.Second)}}},
		{ID: "a", Revision: 2, Kind: "anomaly", State: flyball.FindingResolved, Severity: "info", Entity: "cart", At: at(2 * time.Second), OpenedAt: at(time.Second)},
	}
	late := findings[1]
	late.ID, late.At = "b", at(time.Hour)
	outcomes := []flyball.Outcome{{ID: "o", Class: flyball.OutcomeAccepted, Command: "c", Target: "t", At: at(time.Second), OperationID: "op", Attempt: 2,
		Started: at(time.Second), Finished: flyball.NoTime, Reason: "R", Detail: "d"}}
	controls := []flyball.Control{{ID: "k", Kind: flyball.ControlMaintenance, At: at(time.Second), Who: "ann", Why: "moves", Until: at(time.Hour),
		Scope: flyball.Scope{Kind: flyball.ScopeService, Name: "cart"}}, {ID: "l", Kind: flyball.ControlApprove, At: at(2 * time.Second), Who: "ann", Why: "yes", Operation: "op"}}
	w := db.Writer()
	if err := errors.Join(w.InsertFindings(t.Context(), []flyball.Finding{late, findings[1], findings[0]}, ""),
		w.InsertOutcomes(t.Context(), outcomes, ""), w.InsertControls(t.Context(), controls, "")); err != nil {
		t.Fatal(err)
	}
	gotFindings, err1 := history.Findings(t.Context(), db, at(time.Second), at(time.Hour))
	gotOutcomes, err2 := history.Outcomes(t.Context(), db, at(0), at(time.Hour))
	gotControls, err3 := history.Controls(t.Context(), db, at(0), at(time.Hour))
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	for _, diff := range []string{cmp.Diff(findings, gotFindings, cmpopts.EquateEmpty()), cmp.Diff(outcomes, gotOutcomes), cmp.Diff(controls, gotControls)} {
		if diff != "" {
			t.Error(diff)
		}
	}
}

// Recorded findings are decided as they would be by the rules of today.
func TestFindingsOfClickHouse(t *testing.T) {
	db, dsn := recorded(t)
	threshold := 10.0
	finding := func(revision int, state flyball.FindingState, d time.Duration) flyball.Finding {
		return flyball.Finding{ID: "f1", Revision: revision, Kind: "burn_rate", State: state, Severity: "page", Entity: "checkout", Detector: "availability",
			Tier: "page_fast", At: at(d), OpenedAt: at(time.Minute), Summary: "burns",
			Evidence: []flyball.Evidence{{Name: "burn_long", Value: 12.5, Threshold: &threshold, Unit: "x", Window: "2m"}}}
	}
	list := []flyball.Finding{finding(1, flyball.FindingOpened, time.Minute), finding(2, flyball.FindingResolved, 3*time.Minute)}
	if err := db.Writer().InsertFindings(t.Context(), list, ""); err != nil {
		t.Fatal(err)
	}
	f := func(rule, to, want string, args ...string) {
		t.Helper()
		dir := write(t, `finding.kind == "burn_rate"`, rule)
		args = append(args, "--config", dir, "--from", "2026-01-01T00:00:00Z", "--to", to, "-o", "json", "--clickhouse", dsn)
		code, out, talk := run(t, args...)
		var verbs []string
		for _, l := range strings.Split(strings.TrimSpace(out), "\n") {
			var d flyball.Decision
			if err := json.Unmarshal([]byte(l), &d); err != nil {
				t.Fatalf("%v: %s%s", err, out, talk)
			}
			if d.Verb != "" {
				verbs = append(verbs, fmt.Sprint(d.Verb, "@", d.At.Sub(at(0))))
			}
		}
		if got := strings.Join(verbs, " "); code != 0 || got != want {
			t.Errorf("%s: exit %d, got %s, want %s\n%s", rule, code, got, want, talk)
		}
	}
	burn := `finding.evidence.burn_long == 12.5 && finding.thresholds.burn_long == 10.0`
	f(burn, "2026-01-01T01:00:00Z", "act@1m0s accepted@1m0s verifying@1m30s effective@3m0s")
	f(burn, "2026-01-01T00:02:00Z", "act@1m0s accepted@1m0s verifying@1m30s")
	f(burn, "2026-01-01T01:00:00Z", "act@1m0s unknown@1m35s closed@3m0s", "--outcomes", "assume-none")
	f(burn, "2026-01-01T01:00:00Z", "act@1m0s unknown@1m35s closed@3m0s", "--outcomes", "recorded")
	if err := db.Writer().InsertControls(t.Context(), []flyball.Control{{ID: "k", Kind: flyball.ControlKill, At: at(30 * time.Second), Who: "ann", Why: "enough",
		Scope: flyball.Scope{Kind: flyball.ScopeGlobal}}}, ""); err != nil {
		t.Fatal(err)
	}
	f(burn, "2026-01-01T01:00:00Z", "control@30s suppress@1m0s", "--outcomes", "recorded")
	f("finding.evidence.burn_long > 13.0", "2026-01-01T01:00:00Z", "")
}

// The brokers of the configuration, or others, are read.
func TestKafka(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "flyball.outcomes", "flyball.control"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	load := loadgen.Default()
	load.Shop.Rate, load.Shop.Duration, load.Shop.Start, load.Unpaced = 60, 5*time.Minute, began, true
	load.Shop.Incidents = []shop.Incident{{Kind: shop.ErrorBurst, Service: "checkout", Start: 3 * time.Minute, Duration: time.Minute, Severity: 0.5}}
	load.Kafka.Brokers, load.Kafka.Replication = cluster.ListenAddrs(), 1
	if _, err := loadgen.Run(t.Context(), load, nil); err != nil {
		t.Fatal(err)
	}
	addr := cluster.ListenAddrs()[0]
	own := write(t, "  commitInterval", fmt.Sprintf("  kafka: {brokers: [%q]}\n  commitInterval", addr))
	f := func(args ...string) {
		t.Helper()
		code, out, talk := run(t, append(args, "--from", "1h")...)
		if code != 0 || !strings.Contains(out, "rollback on deployment/checkout") {
			t.Errorf("%q: exit %d, %s%s", args, code, out, talk)
		}
	}
	f("--config", own, "--kafka")
	f("--config", shopConfig, "--kafka="+addr)
	f("--config", shopConfig, "--kafka", addr, "--outcomes", "recorded")
}
