// Package executor is the reference executor: it obeys the commands of one topic, one
// after the other for each target, and reports every outcome.
//
// A command is obeyed once. Before an action begins, accepted is reported and durable;
// after it, how it ended. A successor finds what was reported in the topic of outcomes:
// what has ended is not done again, and what was accepted and has not ended is ambiguous,
// so that it is reported as failed, unless the action says that doing it twice is the
// same as once.
package executor

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/sinks/kafka"
)

// Reasons of outcomes.
const (
	ReasonUnsigned      = "UNSIGNED"
	ReasonUntrusted     = "UNTRUSTED_KEY"
	ReasonBadSignature  = "BAD_SIGNATURE"
	ReasonMalformed     = "MALFORMED"
	ReasonTarget        = "TARGET_NOT_ALLOWED"
	ReasonAction        = "UNKNOWN_ACTION"
	ReasonParameter     = "BAD_PARAMETER"
	ReasonDeadline      = "DEADLINE_OVER"
	ReasonAmbiguous     = "AMBIGUOUS_RESULT"
	ReasonTimeout       = "TIMEOUT"
	ReasonNotReached    = "NOT_REACHED"
	ReasonRefused       = "REFUSED"
	ReasonFailed        = "FAILED"
	ReasonNotConfigured = "NOT_CONFIGURED"
)

// Result is how an action ended.
type Result struct {
	// Class is succeeded, transient_failure, permanent_failure or rejected.
	Class flyball.OutcomeClass
	// Reason is one of the constants, Detail is for a person.
	Reason, Detail string
}

// Action does one thing.
type Action interface {
	// Run does it, until the context ends. It must not panic.
	Run(context.Context, *flyball.Command) Result
}

// Bound is an action with what holds for it.
type Bound struct {
	Action
	// Timeout after which it is given up.
	Timeout time.Duration
	// Idempotent says that doing it twice is the same as once.
	Idempotent bool
}

// Config is what an executor obeys.
type Config struct {
	// Keys are the trusted keys by id; Unsigned obeys commands without a signature too.
	Keys     map[string]ed25519.PublicKey
	Unsigned bool
	// Targets are patterns as of path.Match; none allows nothing.
	Targets []string
	// Actions by name.
	Actions map[string]Bound
}

// Executor decides what becomes of commands. Several goroutines may use it, each for
// other targets.
type Executor struct {
	cfg  Config
	past *History
	now  func() time.Time
}

// New returns an executor that knows what was done before.
func New(cfg Config, past *History, now func() time.Time) *Executor {
	return &Executor{cfg: cfg, past: past, now: now}
}

// Obey does what a record says, if it may, and calls report for every outcome; when that
// fails nothing more is done, and the record must be given again. A record that cannot be
// answered, because it does not say what it is about, is an error that wraps ErrNoCommand.
func (e *Executor) Obey(ctx context.Context, r *kgo.Record, report func(flyball.Outcome) error) error {
	cmd, err := kafka.DecodeCommand(r)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoCommand, err)
	}
	res, ok := e.trusted(r)
	if !ok && res.Class == flyball.OutcomeRejected {
		// Who sent it is not known, so it says nothing about the operation that it names.
		o := e.outcome(&cmd, res, flyball.NoTime, flyball.NoTime)
		o.OperationID, o.Attempt = "untrusted/"+cmd.ID, 1
		return report(o)
	}
	began := e.past.Of(cmd.OperationID, cmd.Attempt)
	if began.ended {
		return nil // its outcome is out
	}
	say := func(res Result, started, finished flyball.Time) error {
		o := e.outcome(&cmd, res, started, finished)
		if err := report(o); err != nil {
			return err
		}
		e.past.Note(&o)
		return nil
	}
	action, known := e.cfg.Actions[cmd.Action.Name]
	if began.accepted && !(known && action.Idempotent) { // by one that died, or lost its partition
		return say(Result{flyball.OutcomePermanent, ReasonAmbiguous, "it was begun by an executor that did not finish: it may have been done, or in part"}, began.started, flyball.NoTime)
	}
	if ok {
		res, ok = e.may(&cmd)
	}
	if !ok {
		return say(res, flyball.NoTime, flyball.NoTime)
	}
	started := flyball.TimeOf(e.now())
	if err := say(Result{Class: flyball.OutcomeAccepted}, started, flyball.NoTime); err != nil {
		return err
	}
	res = e.run(ctx, action, &cmd)
	return say(res, started, flyball.TimeOf(e.now()))
}

func (e *Executor) outcome(cmd *flyball.Command, res Result, started, finished flyball.Time) flyball.Outcome {
	return flyball.Outcome{
		Class: res.Class, Command: cmd.ID, Target: cmd.Target, At: flyball.TimeOf(e.now()), OperationID: cmd.OperationID,
		Attempt: cmd.Attempt, Started: started, Finished: finished, Reason: res.Reason, Detail: res.Detail,
	}
}

// may says whether a command that is what it says it is may be obeyed.
func (e *Executor) may(cmd *flyball.Command) (Result, bool) {
	if !e.now().Before(cmd.Deadline.Std()) {
		return Result{flyball.OutcomeExpired, ReasonDeadline, "its deadline was " + cmd.Deadline.String()}, false
	}
	allowed := false
	for _, pattern := range e.cfg.Targets {
		ok, err := path.Match(pattern, cmd.Target)
		allowed = allowed || err == nil && ok
	}
	if !allowed {
		return Result{flyball.OutcomeRejected, ReasonTarget, fmt.Sprintf("target %q is none of those that this executor may act on", cmd.Target)}, false
	}
	if _, ok := e.cfg.Actions[cmd.Action.Name]; !ok {
		return Result{flyball.OutcomeRejected, ReasonAction, fmt.Sprintf("this executor has no action %q", cmd.Action.Name)}, false
	}
	return Result{}, true
}

// trusted checks the signature and the expiry that it covers.
func (e *Executor) trusted(r *kgo.Record) (Result, bool) {
	err := kafka.Verify(r.Headers, r.Value, e.cfg.Keys, e.now())
	reason, class := "", flyball.OutcomeRejected
	switch {
	case err == nil:
		return Result{}, true
	case errors.Is(err, kafka.ErrUnsigned):
		if e.cfg.Unsigned {
			return Result{}, true
		}
		reason = ReasonUnsigned
	case errors.Is(err, kafka.ErrUnknownKey):
		reason = ReasonUntrusted
	case errors.Is(err, kafka.ErrExpired):
		reason, class = ReasonDeadline, flyball.OutcomeExpired
	default:
		reason = ReasonBadSignature
	}
	return Result{class, reason, err.Error()}, false
}

// run does an action, for its timeout and the deadline at most.
func (e *Executor) run(ctx context.Context, a Bound, cmd *flyball.Command) Result {
	left := cmd.Deadline.Std().Sub(e.now())
	ctx, cancel := context.WithTimeout(ctx, min(a.Timeout, left))
	defer cancel()
	res := a.Run(ctx, cmd)
	res.Detail = limited(res.Detail)
	return res
}

// maxDetail is how much of what an action said is reported, in bytes.
const maxDetail = 4096

// limited cuts a text, keeping its end, where errors mostly are.
func limited(s string) string {
	if len(s) <= maxDetail {
		return s
	}
	const mark = "[…] "
	return mark + s[len(s)-maxDetail+len(mark):]
}
