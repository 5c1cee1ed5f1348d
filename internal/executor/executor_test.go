package executor

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/sinks/kafka"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// counted is an action that tells how often it ran.
type counted struct {
	times int
	with  Result
}

func (c *counted) Run(context.Context, *flyball.Command) Result {
	c.times++
	return c.with
}

// bench is an executor with a key, and what it reported.
type bench struct {
	t        *testing.T
	now      time.Time
	key      *kafka.SigningKey
	past     *History
	action   *counted
	cfg      Config
	outcomes []flyball.Outcome
	broken   int // the report that fails, counted from 1
}

func newBench(t *testing.T) *bench {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := kafka.NewSigningKey("k1", private)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, now: noon, key: key, past: NewHistory(100), action: &counted{with: Result{Class: flyball.OutcomeSucceeded, Detail: "done"}}}
	b.cfg = Config{
		Keys: map[string]ed25519.PublicKey{"k1": key.Public()}, Targets: []string{"deploy/*"},
		Actions: map[string]Bound{"rollback": {Action: b.action, Timeout: time.Minute}},
	}
	return b
}

func (b *bench) command(change func(*flyball.Command)) *kgo.Record {
	b.t.Helper()
	c := flyball.Command{
		ID: "c1", At: flyball.TimeOf(noon), Decision: "d1", OperationID: "op1", Attempt: 1, Target: "deploy/cart", Mode: flyball.ModeAuto,
		Action: flyball.Action{Name: "rollback"}, Deadline: flyball.TimeOf(noon.Add(5 * time.Minute)),
		Reason: flyball.CommandReason{Rule: "r", Revision: "1", Finding: "f1"},
	}
	if change != nil {
		change(&c)
	}
	r, err := kafka.Encoder{Topics: kafka.Topics{Prefix: "flyball."}, Key: b.key}.Command(&c)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *bench) obey(r *kgo.Record) error {
	b.outcomes = nil
	n := 0
	return New(b.cfg, b.past, func() time.Time { return b.now }).Obey(b.t.Context(), r, func(o flyball.Outcome) error {
		if n++; n == b.broken {
			return errors.New("no broker")
		}
		b.outcomes = append(b.outcomes, o)
		return nil
	})
}

// want checks the outcomes as "class reason" and how often the action ran.
func (b *bench) want(times int, want ...string) {
	b.t.Helper()
	var got []string
	for _, o := range b.outcomes {
		got = append(got, strings.TrimSpace(string(o.Class)+" "+o.Reason))
	}
	if diff := cmp.Diff(want, got); diff != "" || b.action.times != times {
		b.t.Errorf("the action ran %d times, want %d; outcomes: %s", b.action.times, times, diff)
	}
}

func TestObeysOnce(t *testing.T) {
	b := newBench(t)
	r := b.command(nil)
	if err := b.obey(r); err != nil {
		t.Fatal(err)
	}
	b.want(1, "accepted", "succeeded")
	o := b.outcomes[1]
	if o.OperationID != "op1" || o.Attempt != 1 || o.Target != "deploy/cart" || o.Command != "c1" || o.Started != flyball.TimeOf(noon) || o.Detail != "done" {
		t.Errorf("outcome %+v", o)
	}
	if err := b.obey(r); err != nil { // given again, or replayed by somebody
		t.Fatal(err)
	}
	b.want(1)
	if err := b.obey(b.command(func(c *flyball.Command) { c.Attempt = 2 })); err != nil {
		t.Fatal(err)
	}
	b.want(2, "accepted", "succeeded")
}

func TestRefuses(t *testing.T) {
	f := func(name, want string, record func(*bench) *kgo.Record) {
		t.Helper()
		b := newBench(t)
		if err := b.obey(record(b)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(b.outcomes) != 1 || string(b.outcomes[0].Class)+" "+b.outcomes[0].Reason != want || b.action.times != 0 {
			t.Errorf("%s: outcomes %+v, the action ran %d times; want %s", name, b.outcomes, b.action.times, want)
		}
		if untrusted := strings.HasPrefix(b.outcomes[0].OperationID, "untrusted/"); untrusted == strings.Contains("TARGET_NOT_ALLOWED UNKNOWN_ACTION DEADLINE_OVER", strings.Fields(want)[1]) {
			t.Errorf("%s: it is said of operation %q", name, b.outcomes[0].OperationID)
		}
		// What could not be trusted keeps nobody from obeying the real one.
		if strings.HasPrefix(b.outcomes[0].OperationID, "untrusted/") {
			if err := b.obey(b.command(nil)); err != nil || b.action.times != 1 {
				t.Errorf("%s: afterwards the real command runs %d times, %v", name, b.action.times, err)
			}
		}
	}
	header := func(r *kgo.Record, key, value string) *kgo.Record {
		for i := range r.Headers {
			if r.Headers[i].Key == key {
				r.Headers[i].Value = []byte(value)
			}
		}
		return r
	}
	f("another target", "rejected TARGET_NOT_ALLOWED", func(b *bench) *kgo.Record {
		return b.command(func(c *flyball.Command) { c.Target = "db/main" })
	})
	f("a deeper target", "rejected TARGET_NOT_ALLOWED", func(b *bench) *kgo.Record {
		return b.command(func(c *flyball.Command) { c.Target = "deploy/kube-system/dns" })
	})
	f("another action", "rejected UNKNOWN_ACTION", func(b *bench) *kgo.Record {
		return b.command(func(c *flyball.Command) { c.Action.Name = "format" })
	})
	f("too late", "expired DEADLINE_OVER", func(b *bench) *kgo.Record {
		b.now = noon.Add(5*time.Minute + time.Second)
		return b.command(nil)
	})
	f("a tampered value", "rejected BAD_SIGNATURE", func(b *bench) *kgo.Record {
		r := b.command(nil)
		r.Value = []byte(strings.Replace(string(r.Value), `"rollback"`, `"rollbacK"`, 1))
		return r
	})
	f("a tampered expiry", "rejected BAD_SIGNATURE", func(b *bench) *kgo.Record {
		r := b.command(nil)
		late := "2026-11-01T13:05:00Z"
		r.Value = []byte(strings.ReplaceAll(string(r.Value), "2026-11-01T12:05:00Z", late))
		return header(r, kafka.HeaderExpiryTime, late)
	})
	f("another key", "rejected UNTRUSTED_KEY", func(b *bench) *kgo.Record { return header(b.command(nil), kafka.HeaderKeyID, "k2") })
	f("no signature", "rejected UNSIGNED", func(b *bench) *kgo.Record {
		key := b.key
		b.key = nil
		defer func() { b.key = key }()
		return b.command(nil)
	})
	b := newBench(t)
	if err := b.obey(&kgo.Record{Value: []byte("hello")}); !errors.Is(err, ErrNoCommand) || len(b.outcomes) > 0 {
		t.Errorf("a record that is no command gives %v and %v", err, b.outcomes)
	}
}

// TestAfterACrash: what was begun and not ended is not done again, unless that is safe;
// what was not begun durably was not begun.
func TestAfterACrash(t *testing.T) {
	b := newBench(t)
	b.broken = 1
	if err := b.obey(b.command(nil)); err == nil {
		t.Fatal("a report that fails is no error")
	}
	b.want(0)
	b.broken = 2
	if err := b.obey(b.command(nil)); err == nil {
		t.Fatal("a report that fails is no error")
	}
	b.want(1, "accepted")
	b.broken = 0
	if err := b.obey(b.command(nil)); err != nil {
		t.Fatal(err)
	}
	b.want(1, "permanent_failure AMBIGUOUS_RESULT")
	if err := b.obey(b.command(nil)); err != nil {
		t.Fatal(err)
	}
	b.want(1)

	b = newBench(t)
	b.cfg.Actions["rollback"] = Bound{Action: b.action, Timeout: time.Minute, Idempotent: true}
	b.broken = 2
	_ = b.obey(b.command(nil)) // it fails at the second report
	b.broken = 0
	if err := b.obey(b.command(nil)); err != nil {
		t.Fatal(err)
	}
	b.want(2, "accepted", "succeeded")
}

func TestHistoryForgetsTheOldest(t *testing.T) {
	h := NewHistory(2)
	for _, op := range []string{"a", "b", "a", "c"} {
		h.Note(&flyball.Outcome{OperationID: op, Attempt: 1, Class: flyball.OutcomeSucceeded})
	}
	if h.Of("a", 1).ended || !h.Of("b", 1).ended || !h.Of("c", 1).ended {
		t.Error("it does not remember the last two")
	}
}

// script writes a shell script, which is then a program like any other.
func script(t *testing.T, text string) string {
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestProgram(t *testing.T) {
	cmd := &flyball.Command{ID: "c1", OperationID: "op1", Attempt: 3, Target: "deploy/cart", Action: flyball.Action{Params: map[string]string{"to": "v1; rm -rf /", "flag": "--force"}}, Reason: flyball.CommandReason{Rule: "burns"}}
	f := func(name string, s spec.ExecutorProgram, timeout time.Duration, class flyball.OutcomeClass, reason, detail string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		got := newProgram(&s).Run(ctx, cmd)
		if got.Class != class || got.Reason != reason || !strings.Contains(got.Detail, detail) {
			t.Errorf("%s: %+v, want %s %s with %q", name, got, class, reason, detail)
		}
		if strings.Contains(got.Detail, "s3cret") {
			t.Errorf("%s: it shows a secret: %s", name, got.Detail)
		}
	}
	env := map[string]spec.Secret{"TOKEN": "s3cret"}
	f("arguments are not a shell's", spec.ExecutorProgram{Program: script(t, `printf '[%s]' "$@"`), Args: []string{"{{target.name}}", "to={{params.to}}", "{{operation_id}}/{{attempt}}", "{{ reason }}"}}, time.Minute,
		flyball.OutcomeSucceeded, "", "[cart][to=v1; rm -rf /][op1/3][burns]")
	f("its environment is what is given", spec.ExecutorProgram{Program: script(t, `echo "token=$TOKEN home=$HOME"`), Env: env}, time.Minute, flyball.OutcomeSucceeded, "", "token=*** home=\n")
	f("it fails", spec.ExecutorProgram{Program: script(t, "echo why >&2; exit 3"), TransientExitCodes: []int{75}}, time.Minute, flyball.OutcomePermanent, ReasonFailed, "why")
	f("it fails for now", spec.ExecutorProgram{Program: script(t, "echo busy; exit 75"), TransientExitCodes: []int{75}}, time.Minute, flyball.OutcomeTransient, ReasonFailed, "busy")
	f("it takes too long", spec.ExecutorProgram{Program: script(t, "echo begun; exec sleep 60")}, 300*time.Millisecond, flyball.OutcomePermanent, ReasonTimeout, "begun")
	f("a parameter that is not there", spec.ExecutorProgram{Program: "/bin/true", Args: []string{"{{params.other}}"}}, time.Minute, flyball.OutcomeRejected, ReasonParameter, "{{params.other}}")
	f("a parameter that would be an option", spec.ExecutorProgram{Program: "/bin/true", Args: []string{"{{params.flag}}"}}, time.Minute, flyball.OutcomeRejected, ReasonParameter, "option")
	f("a program that is not there", spec.ExecutorProgram{Program: "/nowhere/at/all"}, time.Minute, flyball.OutcomePermanent, ReasonNotConfigured, "no such file")
	f("much to say", spec.ExecutorProgram{Program: script(t, "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done")}, time.Minute, flyball.OutcomeSucceeded, "", "line 2999")
	if got := limited(strings.Repeat("x", 3*maxDetail)); len(got) > maxDetail {
		t.Errorf("a detail of %d bytes is reported", len(got))
	}
}

func TestWebhook(t *testing.T) {
	cmd := &flyball.Command{ID: "c1", OperationID: "op1", Attempt: 1, Target: "deploy/cart", Action: flyball.Action{Name: "rollback"}}
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil { // only then is it seen that the client goes away
			return
		}
		if r.URL.Path == "/slow" {
			<-r.Context().Done()
			return
		}
		if r.Method != http.MethodPost || r.Header.Get("Idempotency-Key") != "c1" || r.Header.Get("Authorization") != "Bearer s3cret" {
			t.Errorf("request %s with %v", r.Method, r.Header)
		}
		if status == http.StatusFound {
			w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte("the token is s3cret"))
	}))
	defer server.Close()
	f := func(url string, code int, class flyball.OutcomeClass, reason string) {
		t.Helper()
		status = code
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		got := newWebhook(&spec.ExecutorWebhook{URL: url, Headers: map[string]spec.Secret{"Authorization": "Bearer s3cret"}}).Run(ctx, cmd)
		if got.Class != class || got.Reason != reason || strings.Contains(got.Detail, "s3cret") {
			t.Errorf("%d: %+v, want %s %s", code, got, class, reason)
		}
	}
	f(server.URL, 200, flyball.OutcomeSucceeded, "")
	f(server.URL, 202, flyball.OutcomeSucceeded, "")
	f(server.URL, 302, flyball.OutcomePermanent, ReasonFailed)
	f(server.URL, 409, flyball.OutcomePermanent, ReasonFailed)
	f(server.URL, 429, flyball.OutcomeTransient, ReasonRefused)
	f(server.URL, 500, flyball.OutcomePermanent, ReasonFailed)
	f(server.URL, 503, flyball.OutcomeTransient, ReasonRefused)
	f(server.URL+"/slow", 200, flyball.OutcomePermanent, ReasonTimeout)
	f("http://127.0.0.1:1", 200, flyball.OutcomeTransient, ReasonNotReached)
}
