package notifications

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/sinks/notify"
	"github.com/flyball-io/flyball/sinks/notify/grouping"
)

// receiver is a receiver of the configuration, ready for use.
type receiver struct {
	grouping grouping.Receiver
	sender   *notify.Sender
}

// formats make the format of a receiver, and its secrets, for each type; nil where the
// receiver has another.
func formats() []func(pipeline string, r *config.Receiver) (notify.Format, []string) {
	return []func(string, *config.Receiver) (notify.Format, []string){
		func(_ string, r *config.Receiver) (notify.Format, []string) {
			a := r.Alertmanager
			if a == nil {
				return nil, nil
			}
			header, secrets := headers(a.Headers)
			return notify.Alertmanager{URL: a.URL, Header: header, Repeat: repeatOf(r), Link: r.Link}, secrets
		},
		func(pipeline string, r *config.Receiver) (notify.Format, []string) {
			w := r.Webhook
			if w == nil {
				return nil, nil
			}
			header, secrets := headers(w.Headers)
			key := []byte(w.Secret)
			if text, ok := strings.CutPrefix(string(w.Secret), "whsec_"); ok {
				key, _ = base64.StdEncoding.DecodeString(text) // lint has read it
			}
			return notify.Webhook{URL: string(w.URL), Header: header, Secret: key, Source: "/flyball/" + pipeline, Body: w.Body, Link: r.Link},
				append(secrets, string(w.Secret), secretOf(string(w.URL)))
		},
		func(_ string, r *config.Receiver) (notify.Format, []string) {
			if r.Slack == nil {
				return nil, nil
			}
			return notify.Slack{URL: string(r.Slack.URL), Link: r.Link}, []string{secretOf(string(r.Slack.URL))}
		},
		func(pipeline string, r *config.Receiver) (notify.Format, []string) {
			p := r.PagerDuty
			if p == nil {
				return nil, nil
			}
			return notify.PagerDuty{URL: p.URL, RoutingKey: string(p.RoutingKey), Source: pipeline, Link: r.Link}, []string{string(p.RoutingKey)}
		},
	}
}

// build returns the receivers of a configuration.
func build(c *config.Config, limits notify.Limits) ([]receiver, error) {
	var out []receiver
	for i := range c.Receivers {
		r := &c.Receivers[i]
		one := receiver{grouping: grouping.Receiver{Name: r.Name, Severities: r.Severities, Services: r.Services, CatchAll: r.CatchAll,
			GroupBy: r.GroupBy, Wait: r.Wait.Std(), Repeat: repeatOf(r), Resend: r.Alertmanager != nil}}
		limits.Timeout = cmp.Or(r.Timeout.Std(), limits.Timeout)
		for _, format := range formats() {
			if f, secrets := format(c.Pipeline.Name, r); f != nil {
				one.sender = notify.NewSender(f, secrets, limits)
			}
		}
		if one.sender == nil {
			return nil, fmt.Errorf("cannot tell receiver %q: it has no type", r.Name)
		}
		out = append(out, one)
	}
	return out, nil
}

// repeatOf is how often a receiver is told again.
func repeatOf(r *config.Receiver) time.Duration {
	if r.Alertmanager != nil {
		return cmp.Or(r.Repeat.Std(), time.Minute)
	}
	return r.Repeat.Std()
}

// headers returns headers as they are sent, and what of them is secret.
func headers(list map[string]spec.Secret) (http.Header, []string) {
	out := http.Header{}
	var secrets []string
	for name, value := range list {
		out.Set(name, string(value))
		secrets = append(secrets, string(value))
		if _, token, ok := strings.Cut(string(value), " "); ok {
			secrets = append(secrets, token)
		}
	}
	return out, secrets
}

// secretOf is the part of an address that nobody may see: its path.
func secretOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return strings.Trim(u.RequestURI(), "/")
}
