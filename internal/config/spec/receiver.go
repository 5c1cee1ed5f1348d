package spec

// Receiver is the spec of kind Receiver: who is told of findings and decisions, how, and
// of which. Rules and SLOs name receivers.
type Receiver struct {
	// Severities that are told: page, ticket. Without it both are.
	Severities []string `yaml:"severities,omitempty"`
	// Services that are told of, as patterns such as checkout or pay-*; without it all.
	Services []string `yaml:"services,omitempty"`
	// CatchAll receivers are told what names no receiver, besides what names them.
	CatchAll bool `yaml:"catchAll,omitempty"`
	// GroupBy says what is told together and, in PagerDuty, is one incident: all of an
	// entity, of a service, every finding for itself, or everything.
	GroupBy string `yaml:"groupBy" default:"entity" enum:"entity|service|finding|all"`
	// Wait is how long news are gathered before they are told: what belongs together is
	// told at once, and what a running operation explains not at all.
	Wait Duration `yaml:"wait" default:"5s" min:"0s" max:"1h"`
	// Repeat is how often what is still open is told again; 0 is never. Alertmanager
	// has to hear of alerts again and again: there 0 is every minute.
	Repeat Duration `yaml:"repeat" default:"0s" min:"0s" max:"7d"`
	// Timeout of one attempt to tell it.
	Timeout Duration `yaml:"timeout" default:"10s" min:"100ms" max:"1m"`
	// Link is an address where there is more about it, with the places {{finding}},
	// {{entity}} and {{operation}}.
	Link string `yaml:"link,omitempty"`
	// Alertmanager is Prometheus Alertmanager, API v2.
	Alertmanager *AlertmanagerReceiver `yaml:"alertmanager,omitempty"`
	// Webhook is any address that takes JSON.
	Webhook *WebhookReceiver `yaml:"webhook,omitempty"`
	// Slack is an incoming webhook of Slack.
	Slack *SlackReceiver `yaml:"slack,omitempty"`
	// PagerDuty is PagerDuty's Events API v2.
	PagerDuty *PagerDutyReceiver `yaml:"pagerduty,omitempty"`
}

// AlertmanagerReceiver is Prometheus Alertmanager.
type AlertmanagerReceiver struct {
	// URL is its address, without /api/v2/alerts.
	URL string `yaml:"url" required:"true"`
	// Headers that are added. Values are secrets.
	Headers map[string]Secret `yaml:"headers,omitempty"`
}

// WebhookReceiver is an address that gets a CloudEvent, or a text of one's own, by POST.
type WebhookReceiver struct {
	// URL that is called. It is a secret.
	URL Secret `yaml:"url" required:"true"`
	// Headers that are added. Values are secrets.
	Headers map[string]Secret `yaml:"headers,omitempty"`
	// Secret signs requests with HMAC-SHA-256, as Standard Webhooks says. One that
	// begins with whsec_ is the key in base64.
	Secret Secret `yaml:"secret,omitempty"`
	// Body is JSON of one's own in place of the CloudEvent, with places in its strings:
	// {{id}}, {{status}}, {{severity}}, {{entity}}, {{service}}, {{group}}, {{title}},
	// {{summary}}, {{at}}, {{link}}.
	Body string `yaml:"body,omitempty"`
}

// SlackReceiver is an incoming webhook.
type SlackReceiver struct {
	// URL of the webhook. It is a secret.
	URL Secret `yaml:"url" required:"true"`
}

// PagerDutyReceiver is an integration of type Events API v2.
type PagerDutyReceiver struct {
	// RoutingKey is the integration's key. It is a secret.
	RoutingKey Secret `yaml:"routingKey" required:"true"`
	// URL of the API; https://events.eu.pagerduty.com/v2/enqueue in the EU.
	URL string `yaml:"url" default:"https://events.pagerduty.com/v2/enqueue"`
}
