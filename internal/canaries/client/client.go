// Package client asks a running Flyball about canaries.
package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
)

// Client asks the HTTP API.
type Client struct {
	// URL of the API, such as http://127.0.0.1:8686.
	URL string
	// Token is sent as a bearer token when it is set.
	Token string
	// Every is the time between two questions of Wait.
	Every time.Duration
	// HTTP makes the requests; nil is a client with a timeout.
	HTTP *http.Client
}

// Analysis is what the API answers.
type Analysis struct {
	flyball.Verdict
	// Status is RUNNING, PASS, MARGINAL, FAIL, INCONCLUSIVE or CANCELED.
	Status string `json:"status"`
	// Message is a sentence for people.
	Message string `json:"message"`
	// History has all verdicts, when they were asked for.
	History []flyball.Verdict `json:"history,omitempty"`
}

// RefusedError is a request that will be refused again.
type RefusedError struct {
	// Code is the status, Problem what the server says.
	Code    int
	Problem string
}

// Error returns the problem.
func (e *RefusedError) Error() string { return e.Problem }

// Start asks for an analysis and returns its id.
func (c *Client) Start(ctx context.Context, r flyball.CanaryRequest) (string, error) {
	var started struct {
		ID string `json:"id"`
	}
	err := c.do(ctx, http.MethodPost, "/api/v1/canaries", r, &started)
	return started.ID, err
}

// Cancel ends an analysis.
func (c *Client) Cancel(ctx context.Context, id, by string) error {
	return c.do(ctx, http.MethodDelete, "/api/v1/canaries/"+url.PathEscape(id)+"?by="+url.QueryEscape(by), nil, nil)
}

// Get returns an analysis by its id, or the latest of the canary of that name.
func (c *Client) Get(ctx context.Context, name string, history bool) (Analysis, error) {
	var a Analysis
	path := "/api/v1/verdicts/" + url.PathEscape(name)
	if history {
		path += "?history=true"
	}
	err := c.do(ctx, http.MethodGet, path, nil, &a)
	return a, err
}

// Wait asks until the analysis is over, and tells every change. While the server is
// away it goes on asking. At the end of the context it returns what it knew last.
func (c *Client) Wait(ctx context.Context, name string, changed func(Analysis)) (Analysis, error) {
	var last Analysis
	var failure error
	for {
		a, err := c.Get(ctx, name, false)
		var refused *RefusedError
		switch {
		case errors.As(err, &refused):
			return a, err
		case err != nil:
			if ctx.Err() == nil {
				failure = err
			}
		default:
			failure = nil
			if a.ID != last.ID || a.Status != last.Status || a.Verdict.Verdict != last.Verdict.Verdict || a.Step != last.Step || a.Message != last.Message {
				changed(a)
			}
			if last = a; a.Final() {
				return a, nil
			}
		}
		select {
		case <-ctx.Done():
			return last, errors.Join(ctx.Err(), failure)
		case <-time.After(c.Every):
		}
	}
}

func (c *Client) do(ctx context.Context, method, path string, body, into any) error {
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("cannot write the request: %w", err)
		}
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(c.URL, "/")+path, in)
	if err != nil {
		return &RefusedError{0, fmt.Sprintf("cannot ask %q: %v", c.URL, err)}
	}
	req.Header.Set("Content-Type", "application/json")
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	client := c.HTTP
	if client == nil {
		client = &http.Client{Timeout: 15 * time.Second}
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("cannot ask %s: %w", c.URL, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 256<<20))
	if err != nil {
		return fmt.Errorf("cannot read the answer of %s: %w", c.URL, err)
	}
	if resp.StatusCode >= 300 {
		return refusal(c.URL, resp.StatusCode, text)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("cannot read the answer of %s: %w", c.URL, err)
	}
	return nil
}

func refusal(server string, code int, text []byte) error {
	var said struct {
		Error  string `json:"error"`
		Detail string `json:"detail"`
		Hint   string `json:"hint"`
	}
	_ = json.Unmarshal(text, &said) // what is no JSON says nothing
	said.Error = cmp.Or(said.Detail, said.Error)
	switch {
	case said.Error == "":
		said.Error = fmt.Sprintf("%s answers %d: %.200s", server, code, strings.TrimSpace(string(text)))
	case said.Hint != "":
		said.Error += "; " + said.Hint
	}
	if code >= 500 {
		return errors.New(said.Error)
	}
	return &RefusedError{code, said.Error}
}
