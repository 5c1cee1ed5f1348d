package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
)

// TypeNotification is the type of the CloudEvent that a webhook gets.
const TypeNotification = "dev.flyball.notification.v1"

// Headers of a signed request, as Standard Webhooks has them (standardwebhooks.com).
const (
	HeaderWebhookID        = "webhook-id"
	HeaderWebhookTimestamp = "webhook-timestamp"
	HeaderWebhookSignature = "webhook-signature"
)

// Webhook is any address that takes JSON: a CloudEvent in structured mode, or a text of
// one's own.
type Webhook struct {
	// URL that is called.
	URL string
	// Header is added to requests; it may hold secrets.
	Header http.Header
	// Secret signs requests with HMAC-SHA-256; without one they are not signed.
	Secret []byte
	// Source of the CloudEvent.
	Source string
	// Body is a template of a JSON text of one's own, see [BodyPlaces]; "" is the
	// CloudEvent.
	Body string
	// Link is a template of the address of more about it.
	Link string
}

// cloudEvent is a CloudEvent 1.0 in the JSON event format.
type cloudEvent struct {
	SpecVersion string       `json:"specversion"`
	ID          string       `json:"id"`
	Source      string       `json:"source"`
	Type        string       `json:"type"`
	Subject     string       `json:"subject,omitempty"`
	Time        flyball.Time `json:"time"`
	ContentType string       `json:"datacontenttype"`
	Data        webhookData  `json:"data"`
}

type webhookData struct {
	*Notification
	Title   string `json:"title"`
	Summary string `json:"summary"`
	Link    string `json:"link,omitempty"`
}

// Encode implements [Format].
func (w Webhook) Encode(n *Notification, now time.Time) (*Request, error) {
	var r *Request
	var err error
	if w.Body == "" {
		r, err = jsonRequest(w.URL, cloudEvent{SpecVersion: "1.0", ID: n.ID, Source: w.Source, Type: TypeNotification, Subject: n.Group,
			Time: n.At, ContentType: "application/json", Data: webhookData{n, n.title(), n.summary(), n.link(w.Link)}})
		if err == nil {
			r.Header.Set("Content-Type", "application/cloudevents+json")
		}
	} else {
		r, err = w.templated(n)
	}
	if err != nil {
		return nil, err
	}
	maps.Copy(r.Header, w.Header)
	r.Header.Set("Idempotency-Key", n.ID)
	if len(w.Secret) > 0 {
		at := strconv.FormatInt(now.Unix(), 10)
		r.Header.Set(HeaderWebhookID, n.ID)
		r.Header.Set(HeaderWebhookTimestamp, at)
		r.Header.Set(HeaderWebhookSignature, "v1,"+sign(w.Secret, n.ID, at, r.Body))
	}
	return r, nil
}

// sign returns the signature of Standard Webhooks: HMAC-SHA-256 over id, time and body.
func sign(secret []byte, id, at string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// BodyPlaces returns the places that a body may have, each inside of a JSON string.
func BodyPlaces() []string {
	return []string{"{{id}}", "{{status}}", "{{severity}}", "{{entity}}", "{{service}}", "{{group}}", "{{title}}", "{{summary}}", "{{at}}", "{{link}}"}
}

// templated fills the places of a body. What they stand for is escaped, so that it stays
// in the string that it is in.
func (w Webhook) templated(n *Notification) (*Request, error) {
	values := map[string]string{"{{id}}": n.ID, "{{status}}": string(n.Status), "{{severity}}": n.Severity, "{{entity}}": n.Entity,
		"{{service}}": n.Service, "{{group}}": n.Group, "{{title}}": n.title(), "{{summary}}": n.summary(), "{{at}}": n.At.String(), "{{link}}": n.link(w.Link)}
	var pairs []string
	for place, value := range values {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("cannot write %s: %w", place, err)
		}
		pairs = append(pairs, place, string(text[1:len(text)-1]))
	}
	body := strings.NewReplacer(pairs...).Replace(w.Body)
	if !json.Valid([]byte(body)) {
		return nil, fmt.Errorf("the body of the webhook is no JSON once its places are filled")
	}
	return &Request{URL: w.URL, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}, nil
}
