package automation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// run runs a command as flyball does.
func run(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	root := &cobra.Command{Use: "flyball", SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(Commands()...)
	var b bytes.Buffer
	root.SetOut(&b)
	root.SetErr(&bytes.Buffer{})
	root.SetArgs(args)
	err = root.ExecuteContext(t.Context())
	return b.String(), err
}

// setup starts a broker and writes a configuration that names it.
func setup(t *testing.T) (dir string, client *kgo.Client) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "flyball.control"), kfake.SeedTopics(2, "flyball.decisions"), kfake.SeedTopics(2, "flyball.findings"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	dir = t.TempDir()
	spec := fmt.Sprintf(`apiVersion: flyball.dev/v1
kind: Pipeline
metadata: {name: p}
spec: {kafka: {brokers: [%q]}}
---
apiVersion: flyball.dev/v1
kind: Guardrail
metadata: {name: nodes}
spec: {select: ['entity=~".*"']}
`, cluster.ListenAddrs()[0])
	if err := os.WriteFile(filepath.Join(dir, "p.yaml"), []byte(spec), 0o644); err != nil {
		t.Fatal(err)
	}
	client, err = kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("flyball.control"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return dir, client
}

func TestControlsArriveOnTheTopic(t *testing.T) {
	dir, client := setup(t)
	f := func(kind flyball.ControlKind, check func(flyball.Control) bool, args ...string) {
		t.Helper()
		if _, err := run(t, append(args, "--config", dir, "--who", "ann", "--why", "drill")...); err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		records := client.PollFetches(t.Context()).Records()
		if len(records) != 1 {
			t.Fatalf("%v: %d records", args, len(records))
		}
		c, err := sinkkafka.DecodeControl(records[0])
		if err != nil || c.Kind != kind || c.Who != "ann" || c.Why != "drill" || !check(c) {
			t.Errorf("%v: %+v, %v", args, c, err)
		}
	}
	f(flyball.ControlPause, func(c flyball.Control) bool { return c.Scope.String() == "service/cart" && c.Until > c.At }, "pause", "--service", "cart", "--for", "2h")
	f(flyball.ControlKill, func(c flyball.Control) bool { return c.Scope.String() == "global" && c.Until == 0 }, "pause", "--kill")
	f(flyball.ControlMaintenance, func(c flyball.Control) bool { return c.Until > c.At }, "pause", "--maintenance", "--for", "1h")
	f(flyball.ControlMode, func(c flyball.Control) bool { return c.Mode == flyball.ModeApprove }, "pause", "--mode", "approve", "--customer", "acme")
	f(flyball.ControlResume, func(c flyball.Control) bool { return c.Scope.String() == "action/restart" && c.Lifts == "x" }, "resume", "--action", "restart", "--lifts", "x")
	f(flyball.ControlResetBreaker, func(c flyball.Control) bool { return c.Guardrail == "nodes" && c.Backlog == "replay" }, "resume", "--breaker", "nodes", "--replay")
	f(flyball.ControlRelease, func(c flyball.Control) bool { return c.Target == "deploy/cart" }, "resume", "--target", "deploy/cart")
	f(flyball.ControlApprove, func(c flyball.Control) bool { return c.Operation == "o-1" }, "approve", "o-1")
	f(flyball.ControlReject, func(c flyball.Control) bool { return c.Operation == "o-1" }, "reject", "o-1")
}

func TestControlsThatAreRefused(t *testing.T) {
	dir, _ := setup(t)
	f := func(want string, args ...string) {
		t.Helper()
		_, err := run(t, append(args, "--config", dir)...)
		var usage *UsageError
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		} else if !strings.Contains(want, "required") && !errors.As(err, &usage) {
			t.Errorf("%v: %v is no error of usage", args, err)
		}
	}
	f(`required flag(s) "why"`, "pause")
	f("needs an end", "pause", "--why", "x", "--maintenance")
	f("mode is unknown", "pause", "--why", "x", "--mode", "wild")
	f(`no guardrail named "node"`, "resume", "--why", "x", "--breaker", "node")
	f("accepts 1 arg", "approve", "--why", "x")
}

func TestExplainAndDecisions(t *testing.T) {
	dir, client := setup(t)
	d := flyball.Decision{ID: "d-1", At: 1_767_225_600e9, Verb: flyball.VerbSuppress, Rule: "restart", Finding: "f-1", Entity: "cart", Target: "deploy/cart",
		Action: flyball.Action{Name: "restart"}, Mode: flyball.ModeAuto, Trigger: "finding", Operation: "o-1",
		Gates:   []flyball.GateResult{{Gate: "scope", Pass: true, Reason: "selected by all"}, {Gate: "cooldown", Reason: "wait until noon"}},
		Explain: []flyball.SubExpression{{Expr: `finding.severity == "page"`, Value: "true"}}}
	other := d
	other.ID, other.Finding, other.Operation, other.Verb, other.At = "d-2", "f-2", "o-2", flyball.VerbAct, d.At-1
	for _, x := range []flyball.Decision{d, other} {
		r, err := sinkkafka.Encoder{Topics: sinkkafka.Topics{Prefix: "flyball."}}.Decision(&x)
		if err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	f := flyball.Finding{ID: "f-1", Revision: 1, State: flyball.FindingOpened, Entity: "cart", At: d.At, OpenedAt: d.At, Examples: []flyball.Example{
		{Indicator: "requests", Labels: flyball.LabelsOf("service.name", "cart"), At: d.At - 1e9, Trace: "0af7651916cd43dd8448eb211c80319c", Text: "no money", Bad: true}}}
	resolved := f
	resolved.Revision, resolved.State, resolved.Examples = 2, flyball.FindingResolved, nil
	for _, x := range []flyball.Finding{f, resolved} {
		r, err := sinkkafka.Encoder{Topics: sinkkafka.Topics{Prefix: "flyball."}}.Finding(&x)
		if err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"d-1", "f-1", "o-1"} {
		out, err := run(t, "explain", "--config", dir, id)
		for _, want := range []string{"SUPPRESS  restart on deploy/cart", "yes scope", "NO  cooldown       wait until noon", `finding.severity == "page" = true`,
			"samples that finding f-1 is about\n", `{service.name="cart"}  trace 0af7651916cd43dd8448eb211c80319c  "no money"`} {
			if err != nil || !strings.Contains(out, want) {
				t.Errorf("explain %s: %v, want %q in\n%s", id, err, want, out)
			}
		}
	}
	out, err := run(t, "explain", "--config", dir, "d-1", "-o", "json")
	var got flyball.Decision
	if err != nil || json.Unmarshal([]byte(out), &got) != nil || got.ID != "d-1" || len(got.Gates) != 2 {
		t.Errorf("as JSON: %v\n%s", err, out)
	}
	if _, err := run(t, "explain", "--config", dir, "x"); err == nil || !strings.Contains(err.Error(), `cannot explain "x"`) {
		t.Errorf("an unknown id: %v", err)
	}
	out, err = run(t, "decisions", "--config", dir)
	if err != nil || strings.Index(out, "act") > strings.Index(out, "cooldown: wait until noon") {
		t.Errorf("in the order of time: %v\n%s", err, out)
	}
	if out, err = run(t, "decisions", "--config", dir, "--verb", "act"); err != nil || strings.Count(out, "\n") != 1 {
		t.Errorf("only acts: %v\n%s", err, out)
	}
}
