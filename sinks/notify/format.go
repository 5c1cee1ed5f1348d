package notify

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"
)

// Request is what is sent to a receiver by POST.
type Request struct {
	// URL may be a secret.
	URL    string
	Header http.Header
	Body   []byte
}

// Format makes requests of one kind of receiver.
type Format interface {
	// Encode returns the request for a notification, nil when such a receiver has no use
	// for it. Now is the time of sending.
	Encode(n *Notification, now time.Time) (*Request, error)
}

// jsonRequest returns a request with v as its body, without escapes for HTML.
func jsonRequest(url string, v any) (*Request, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return &Request{URL: url, Header: http.Header{"Content-Type": {"application/json"}}, Body: bytes.TrimRight(b.Bytes(), "\n")}, nil
}
