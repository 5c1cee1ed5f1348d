package config

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
	"github.com/flyball-io/flyball/sinks/notify"
)

// Receiver is one receiver's part of the configuration.
type Receiver struct {
	// Name of the receiver, as rules and SLOs name it.
	Name string
	spec.Receiver
}

// receiverNames returns the names that rules and SLOs may name.
func (l *loading) receiverNames() []string {
	var names []string
	for _, o := range l.receivers {
		names = append(names, o.Metadata.Name)
	}
	return names
}

// compileReceivers checks the kind Receiver. named are the receivers that something
// names.
func (l *loading) compileReceivers(named []string) []Receiver {
	var out []Receiver
	for _, o := range l.receivers {
		s := &o.Spec
		for i, severity := range s.Severities {
			at := fmt.Sprintf("spec.severities[%d]", i)
			if notify.Urgency(severity) == 0 && o.Doc.OK(at) {
				known := []string{notify.Page, notify.Ticket}
				o.Report(at, strictyaml.CodeInvalidValue, fmt.Sprintf("unknown severity %q", severity), strictyaml.DidYouMean(severity, known))
			}
		}
		for i, pattern := range s.Services {
			at := fmt.Sprintf("spec.services[%d]", i)
			if _, err := path.Match(pattern, ""); (err != nil || pattern == "") && o.Doc.OK(at) {
				o.Report(at, strictyaml.CodeInvalidValue, fmt.Sprintf("invalid pattern %q", pattern), "such as checkout or pay-*")
			}
		}
		o.NotEmpty("spec.severities", len(s.Severities), "delete the line for both")
		o.NotEmpty("spec.services", len(s.Services), "delete the line for all services")
		checkPlaces(o, "spec.link", s.Link, notify.Places())
		checkReceiverType(o)
		if !s.CatchAll && !slices.Contains(named, o.Metadata.Name) && !l.options.SLOsOnly && o.Doc.OK("metadata.name") {
			o.Warn("metadata.name", kind.CodeUnused, fmt.Sprintf("no rule and no SLO names receiver %q: it is told nothing", o.Metadata.Name), "name it in notify, or say catchAll: true")
		}
		out = append(out, Receiver{o.Metadata.Name, *s})
	}
	return out
}

// checkReceiverType checks that there is one type of receiver, and its settings.
func checkReceiverType(o *kind.Object[spec.Receiver]) {
	s, types := &o.Spec, 0
	for _, name := range []string{"alertmanager", "webhook", "slack", "pagerduty"} {
		if o.Doc.Has("spec." + name) {
			types++
		}
	}
	if a := s.Alertmanager; a != nil {
		checkAddress(o, "spec.alertmanager.url", a.URL)
	}
	if w := s.Webhook; w != nil {
		checkAddress(o, "spec.webhook.url", string(w.URL))
		if w.Secret != "" {
			checkSecret(o, "spec.webhook.secret")
			if key, ok := strings.CutPrefix(string(w.Secret), "whsec_"); ok {
				if _, err := base64.StdEncoding.DecodeString(key); err != nil {
					o.Report("spec.webhook.secret", strictyaml.CodeInvalidValue, "what follows whsec_ is no base64", "")
				}
			}
		}
		checkPlaces(o, "spec.webhook.body", w.Body, notify.BodyPlaces())
		if w.Body != "" && o.Doc.OK("spec.webhook.body") && !json.Valid([]byte(anyPlace.ReplaceAllString(w.Body, "x"))) {
			o.Report("spec.webhook.body", strictyaml.CodeInvalidValue, "the body is no JSON", "places stand inside of strings: {\"text\": \"{{title}}\"}")
		}
	}
	if s.Slack != nil {
		checkAddress(o, "spec.slack.url", string(s.Slack.URL))
		checkSecret(o, "spec.slack.url")
	}
	if p := s.PagerDuty; p != nil {
		checkAddress(o, "spec.pagerduty.url", p.URL)
		checkSecret(o, "spec.pagerduty.routingKey")
	}
	if types != 1 {
		o.Report("spec", kind.CodeConflict, fmt.Sprintf("the receiver has %d types, want one", types), "give it one of alertmanager, webhook, slack and pagerduty")
	}
}

// checkAddress checks an address without showing it. One that a reference did not give
// is not there.
func checkAddress(o *kind.Object[spec.Receiver], at, address string) {
	if address == "" || !o.Doc.OK(at) {
		return
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		o.Report(at, strictyaml.CodeInvalidValue, "want an address of http or https", "")
	} else if u.Scheme == "http" && u.Hostname() != "127.0.0.1" && u.Hostname() != "localhost" {
		o.Warn(at, kind.CodeUnusual, "the address is not encrypted", "use https")
	}
}

// checkSecret refuses a secret that is written into the file.
func checkSecret(o *kind.Object[spec.Receiver], at string) {
	text, ok := o.Doc.TextAt(at)
	if ok && o.Doc.OK(at) && !strings.Contains(text, "${env:") && !strings.Contains(text, "${file:") {
		o.Report(at, strictyaml.CodeInvalidValue, "a secret is written into the configuration", "write ${env:NAME} or ${file:/path}")
	}
}

var anyPlace = regexp.MustCompile(`\{\{[^{}]*\}\}`)

// checkPlaces reports places that are not known.
func checkPlaces(o *kind.Object[spec.Receiver], at, text string, known []string) {
	for _, place := range anyPlace.FindAllString(text, -1) {
		if !slices.Contains(known, place) && o.Doc.OK(at) {
			o.Report(at, kind.CodeInvalidTemplate, fmt.Sprintf("unknown place %s", place), strictyaml.DidYouMean(place, known))
		}
	}
}

// checkNotify reports receivers that a rule names and nothing has, once there is a
// document of kind Receiver.
func (l *loading) checkNotify(o *kind.Object[spec.Rule]) {
	names := l.receiverNames()
	for i, name := range o.Spec.Notify {
		at := fmt.Sprintf("spec.notify[%d]", i)
		if len(names) > 0 && !slices.Contains(names, name) && o.Doc.OK(at) {
			o.Report(at, kind.CodeUnknownReference, fmt.Sprintf("there is no Receiver named %q", name), strictyaml.DidYouMean(name, names))
		}
	}
}

// receiversNamed returns the receivers that rules and SLOs name.
func receiversNamed(c *Config) []string {
	var names []string
	for _, r := range c.Rules {
		names = append(names, r.Notify...)
	}
	for _, s := range c.SLOs {
		names = append(names, s.Notify...)
	}
	return names
}
