package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
)

// Result is what came of sending a notification.
type Result string

// The results.
const (
	// Sent means that the receiver has it.
	Sent Result = "sent"
	// Skipped means that such a receiver has no use for it.
	Skipped Result = "skipped"
	// Refused means that the receiver does not want it, and never will.
	Refused Result = "refused"
	// Failed means that it may work later.
	Failed Result = "failed"
)

// Limits of sending. The zero value of each is its default.
type Limits struct {
	// Timeout of one attempt; 10 s.
	Timeout time.Duration
	// Retries are made at once, after a pause that doubles from Pause (500 ms) up to
	// MaxPause (10 s); 3.
	Retries         int
	Pause, MaxPause time.Duration
	// Failures in a row open the circuit breaker for Open: nothing is tried meanwhile.
	// 5, and 30 s.
	Failures int
	Open     time.Duration
}

func (l Limits) withDefaults() Limits {
	set := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	set(&l.Timeout, 10*time.Second)
	set(&l.Pause, 500*time.Millisecond)
	set(&l.MaxPause, 10*time.Second)
	set(&l.Open, 30*time.Second)
	if l.Retries == 0 {
		l.Retries = 3
	}
	if l.Failures == 0 {
		l.Failures = 5
	}
	return l
}

// Sender sends notifications to one receiver, one at a time.
type Sender struct {
	format  Format
	secrets []string
	client  *http.Client
	limits  Limits
	breaker circuitbreaker.CircuitBreaker[any]
	policy  failsafe.Executor[any]
}

// NewSender returns a sender. What receivers answer is quoted in errors, without the
// secrets.
func NewSender(f Format, secrets []string, l Limits) *Sender {
	s := &Sender{format: f, secrets: secrets, limits: l.withDefaults(), client: &http.Client{
		// A redirect would send the notification, and the headers, to somebody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	passing := func(_ any, err error) bool {
		var a *attemptError
		return errors.As(err, &a) && a.passing
	}
	s.breaker = circuitbreaker.NewBuilder[any]().HandleIf(passing).
		WithFailureThreshold(uint(s.limits.Failures)).WithDelay(s.limits.Open).Build()
	retry := retrypolicy.NewBuilder[any]().
		HandleIf(func(r any, err error) bool { return passing(r, err) && retryAfter(err) <= s.limits.MaxPause }).
		WithMaxRetries(s.limits.Retries).WithBackoff(s.limits.Pause, s.limits.MaxPause).WithJitterFactor(0.2).
		WithDelayFunc(func(e failsafe.ExecutionAttempt[any]) time.Duration {
			if d := retryAfter(e.LastError()); d > 0 {
				return d + d/4 // jitter must not make it earlier
			}
			return -1 // as WithBackoff says
		}).ReturnLastFailure().Build()
	s.policy = failsafe.With[any](retry, s.breaker)
	return s
}

// attemptError is why one attempt did not work.
type attemptError struct {
	text    string
	passing bool // it may work later
	after   time.Duration
}

// Error returns the error's text.
func (e *attemptError) Error() string { return e.text }

func retryAfter(err error) time.Duration {
	var a *attemptError
	if errors.As(err, &a) {
		return a.after
	}
	return 0
}

// Send sends a notification, until it is answered, the retries are used up or the
// context ends. When it failed it says for how long not to try again.
func (s *Sender) Send(ctx context.Context, n *Notification) (res Result, after time.Duration, err error) {
	// One that cannot be written will never be.
	if r, err := s.format.Encode(n, time.Now()); err != nil {
		return Refused, 0, fmt.Errorf("cannot encode notification %q: %w", n.ID, err)
	} else if r == nil {
		return Skipped, 0, nil
	}
	err = s.policy.WithContext(ctx).RunWithExecution(func(failsafe.Execution[any]) error {
		r, err := s.format.Encode(n, time.Now()) // signatures and ends of alerts are of now
		if err != nil {
			return err
		}
		return s.attempt(ctx, r)
	})
	if err == nil {
		return Sent, 0, nil
	}
	var a *attemptError
	switch {
	case errors.Is(err, circuitbreaker.ErrOpen):
		return Failed, max(s.breaker.RemainingDelay(), s.limits.Pause), fmt.Errorf("cannot send notification %q: %w", n.ID, err)
	case errors.As(err, &a) && !a.passing:
		return Refused, 0, fmt.Errorf("cannot send notification %q: %w", n.ID, err)
	}
	return Failed, max(retryAfter(err), s.breaker.RemainingDelay()), fmt.Errorf("cannot send notification %q: %w", n.ID, err)
}

// Open reports whether the circuit breaker is open.
func (s *Sender) Open() bool { return s.breaker.IsOpen() }

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 512

func (s *Sender) attempt(ctx context.Context, r *Request) error {
	ctx, cancel := context.WithTimeout(ctx, s.limits.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return &attemptError{text: "the URL cannot be used"} // it may be a secret
	}
	req.Header = r.Header.Clone()
	req.Header.Set("User-Agent", "flyball")
	resp, err := s.client.Do(req)
	if err != nil {
		var u *url.Error // it quotes the URL
		if errors.As(err, &u) {
			err = u.Err
		}
		if ctx.Err() != nil {
			return &attemptError{text: "there was no answer in time", passing: true}
		}
		return &attemptError{text: s.redact(err.Error()), passing: true}
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // what came of it is enough
	if resp.StatusCode/100 == 2 {
		return nil
	}
	return &attemptError{
		text:    strings.TrimSpace(resp.Status + " " + s.redact(strings.TrimSpace(string(answer)))),
		passing: passes(resp.StatusCode), after: wait(resp.Header.Get("Retry-After")),
	}
}

// passes reports whether what an answer complains of may go away by itself.
func passes(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}

// wait reads Retry-After: seconds, or a date. It is at most an hour.
func wait(text string) time.Duration {
	d := time.Duration(0)
	if n, err := strconv.Atoi(text); err == nil && n >= 0 && n < 1_000_000 {
		d = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		d = time.Until(at)
	}
	return min(max(d, 0), time.Hour)
}

func (s *Sender) redact(text string) string {
	for _, secret := range s.secrets {
		if len(secret) >= 4 {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}
