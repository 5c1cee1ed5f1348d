package notify

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// fast are limits for tests.
func fast() Limits {
	return Limits{Timeout: 200 * time.Millisecond, Retries: 2, Pause: time.Millisecond, MaxPause: 50 * time.Millisecond, Failures: 100, Open: time.Minute}
}

// receiver is an HTTP server that gives its answers one after the other, the last again
// and again.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex
	answers []http.HandlerFunc
	bodies  []string
}

func newReceiver(t *testing.T, answers ...http.HandlerFunc) *receiver {
	r := &receiver{answers: answers}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		r.bodies = append(r.bodies, string(body))
		answer := r.answers[0]
		if len(r.answers) > 1 {
			r.answers = r.answers[1:]
		}
		r.mu.Unlock()
		answer(w, req)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.bodies)
}

func status(code int, text string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		fmt.Fprint(w, text)
	}
}

func slow(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func TestSend(t *testing.T) {
	f := func(name string, want Result, tries int, text string, answers ...http.HandlerFunc) {
		t.Helper()
		r := newReceiver(t, answers...)
		s := NewSender(Slack{URL: r.URL + "/T0/B0/topsecret"}, []string{"topsecret"}, fast())
		got, _, err := s.Send(t.Context(), notifications()["firing"])
		if got != want || r.count() != tries {
			t.Errorf("%s: %s after %d tries, want %s after %d: %v", name, got, r.count(), want, tries, err)
		}
		if (err == nil) != (want == Sent) || err != nil && (!strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "topsecret")) {
			t.Errorf("%s: %v, want %q", name, err, text)
		}
	}
	ok := status(200, "ok")
	f("fine", Sent, 1, "", ok)
	f("accepted", Sent, 1, "", status(202, ""))
	f("once busy", Sent, 2, "", status(503, "busy"), ok)
	f("busy too long", Failed, 3, "503 Service Unavailable busy", status(503, "busy"))
	f("slow once", Sent, 2, "", slow, ok)
	f("always slow", Failed, 3, "no answer in time", slow)
	f("the connection breaks", Failed, 3, "EOF", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	f("does not want it", Refused, 1, "400 Bad Request invalid_payload", status(400, "invalid_payload"))
	f("quotes a secret", Refused, 1, "404 Not Found no service ***", status(404, "no service topsecret"))
	f("redirects", Refused, 1, "302", status(302, "", "Location", "http://127.0.0.1:1/"))
	f("wants us to wait a little", Sent, 2, "", status(429, "", "Retry-After", "0"), ok)
}

func TestNobodyListens(t *testing.T) {
	r := newReceiver(t, status(200, ""))
	r.Close()
	s := NewSender(Slack{URL: r.URL + "/topsecret"}, nil, fast())
	got, _, err := s.Send(t.Context(), notifications()["firing"])
	if got != Failed || err == nil || strings.Contains(err.Error(), "topsecret") {
		t.Errorf("%s, %v", got, err)
	}
}

// TestLongRetryAfter: what is longer than a pause between tries is waited for by
// whoever sends.
func TestLongRetryAfter(t *testing.T) {
	r := newReceiver(t, status(429, "", "Retry-After", "120"))
	got, after, err := NewSender(Slack{URL: r.URL}, nil, fast()).Send(t.Context(), notifications()["firing"])
	if got != Failed || after != 2*time.Minute || r.count() != 1 {
		t.Errorf("%s, not for %v, after %d tries: %v", got, after, r.count(), err)
	}
	date := wait(time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat))
	if date < 85*time.Second || date > 90*time.Second || wait("soon") != 0 || wait("-1") != 0 || wait("999999") != time.Hour {
		t.Errorf("Retry-After is read as %v, %v, %v, %v", date, wait("soon"), wait("-1"), wait("999999"))
	}
}

// TestCircuitBreaker: a receiver that fails is left alone for a while, then tried once.
func TestCircuitBreaker(t *testing.T) {
	r := newReceiver(t, status(500, ""), status(500, ""), status(500, ""), status(200, ""))
	l := fast()
	l.Failures, l.Open = 3, 50*time.Millisecond
	s := NewSender(Slack{URL: r.URL}, nil, l)
	n := notifications()["firing"]
	if got, _, _ := s.Send(t.Context(), n); got != Failed || !s.Open() || r.count() != 3 {
		t.Fatalf("%s, open %v after %d tries", got, s.Open(), r.count())
	}
	got, after, err := s.Send(t.Context(), n)
	if got != Failed || after <= 0 || after > l.Open || r.count() != 3 {
		t.Errorf("%s, not for %v, after %d tries: %v", got, after, r.count(), err)
	}
	for range 100 {
		if got, after, _ = s.Send(t.Context(), n); got == Sent {
			break
		}
		time.Sleep(after)
	}
	if got != Sent || s.Open() || r.count() != 4 {
		t.Errorf("%s, open %v after %d tries", got, s.Open(), r.count())
	}
}

// TestPermanentFailuresDoNotOpenTheBreaker: a receiver that answers is there.
func TestPermanentFailuresDoNotOpenTheBreaker(t *testing.T) {
	r := newReceiver(t, status(400, ""))
	l := fast()
	l.Failures = 2
	s := NewSender(Slack{URL: r.URL}, nil, l)
	for range 5 {
		if got, _, _ := s.Send(t.Context(), notifications()["firing"]); got != Refused {
			t.Fatal(got)
		}
	}
	if s.Open() || r.count() != 5 {
		t.Errorf("open %v after %d tries", s.Open(), r.count())
	}
}

func TestSendEnds(t *testing.T) {
	r := newReceiver(t, slow)
	l := fast()
	l.Timeout, l.Retries = time.Minute, 100
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if got, _, err := NewSender(Slack{URL: r.URL}, nil, l).Send(ctx, notifications()["firing"]); got != Failed || err == nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestNothingToSend(t *testing.T) {
	if got, _, err := NewSender(formats()["alertmanager"], nil, fast()).Send(t.Context(), notifications()["acknowledged"]); got != Skipped || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	if got, _, err := NewSender(Webhook{Body: "{{title}}"}, nil, fast()).Send(t.Context(), notifications()["firing"]); got != Refused || err == nil {
		t.Errorf("%s, %v", got, err)
	}
}
