package executor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/spec"
)

// webhook calls an HTTP address.
type webhook struct {
	url     string
	headers map[string]spec.Secret
	client  *http.Client
}

func newWebhook(s *spec.ExecutorWebhook) *webhook {
	return &webhook{url: s.URL, headers: s.Headers, client: &http.Client{
		// A redirect would send the command, and the headers, to somebody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// call is the body of the request.
type call struct {
	*flyball.Command
	ID string `json:"id"`
}

// Run sends the command as JSON. Any 2xx is success; 429 and 503, and an address that
// cannot be reached, say that nothing was done. What else happens is permanent: after a
// connection is lost nobody knows whether it was.
func (w *webhook) Run(ctx context.Context, cmd *flyball.Command) Result {
	body, err := json.Marshal(call{cmd, cmd.ID})
	if err != nil {
		return Result{flyball.OutcomePermanent, ReasonMalformed, err.Error()}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return Result{flyball.OutcomePermanent, ReasonNotConfigured, "the URL cannot be used"}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", cmd.ID)
	var secrets []string
	for name, value := range w.headers {
		req.Header.Set(name, string(value))
		secrets = append(secrets, string(value))
		if _, token, ok := strings.Cut(string(value), " "); ok {
			secrets = append(secrets, token)
		}
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return w.failed(ctx, err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxDetail)) // what came of it is enough
	detail := fmt.Sprintf("%s: %s", resp.Status, redact(string(text), secrets))
	switch {
	case resp.StatusCode/100 == 2:
		return Result{flyball.OutcomeSucceeded, "", detail}
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable:
		return Result{flyball.OutcomeTransient, ReasonRefused, detail}
	}
	return Result{flyball.OutcomePermanent, ReasonFailed, detail}
}

func (w *webhook) failed(ctx context.Context, err error) Result {
	var dial *net.OpError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return Result{flyball.OutcomeTransient, ReasonNotReached, dial.Error()}
	case ctx.Err() != nil:
		return Result{flyball.OutcomePermanent, ReasonTimeout, "there was no answer in time; it may have been done"}
	}
	return Result{flyball.OutcomePermanent, ReasonAmbiguous, "the connection broke; it may have been done"}
}
