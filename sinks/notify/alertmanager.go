package notify

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
)

// Alertmanager is Prometheus Alertmanager, API v2: every finding is an alert, and so is
// every decision that tells people. It does its own grouping and silencing, by labels.
type Alertmanager struct {
	// URL is its address without /api/v2/alerts.
	URL string
	// Header is added to requests; it may hold secrets.
	Header http.Header
	// Repeat is how often open alerts are sent again: Alertmanager takes one for over
	// that it has not heard of for some time. Alerts end by themselves after four times
	// that.
	Repeat time.Duration
	// Link is a template of the address of more about it.
	Link string
}

// alert is postableAlert of api/v2/openapi.yaml of Alertmanager.
type alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	StartsAt     flyball.Time      `json:"startsAt"`
	EndsAt       flyball.Time      `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// Encode implements [Format]. An acknowledgement is nothing that Alertmanager knows.
func (a Alertmanager) Encode(n *Notification, now time.Time) (*Request, error) {
	if n.Status == Acknowledged {
		return nil, nil
	}
	until := flyball.TimeOf(now.Add(4 * a.Repeat))
	link := n.link(a.Link)
	var alerts []alert
	ends := map[string]flyball.Time{} // of findings that are over
	for i := range n.Findings {
		f := &n.Findings[i]
		end := until
		if f.State == flyball.FindingResolved {
			end = f.At
			ends[f.ID] = end
		}
		if f.Before != "" && f.Before != f.Severity { // its labels are others now: it is another alert
			old := *f
			old.Severity = f.Before
			alerts = append(alerts, findingAlert(&old, f.At, link))
		}
		alerts = append(alerts, findingAlert(f, end, link))
	}
	for i := range n.Decisions {
		d := &n.Decisions[i]
		if d.Severity == "" {
			continue
		}
		end, over := ends[d.Finding]
		if !over {
			end = until
		}
		alerts = append(alerts, decisionAlert(n, d, end, link))
	}
	if len(alerts) == 0 {
		return nil, nil
	}
	// What is over comes first: one that is open may have the same labels.
	slices.SortStableFunc(alerts, func(x, y alert) int { return cmp.Compare(x.EndsAt, y.EndsAt) })
	r, err := jsonRequest(strings.TrimSuffix(a.URL, "/")+"/api/v2/alerts", alerts)
	if err == nil {
		maps.Copy(r.Header, a.Header)
	}
	return r, err
}

func findingAlert(f *Finding, end flyball.Time, link string) alert {
	labels := map[string]string{}
	for _, l := range f.Labels {
		labels[labelName(l.Name)] = l.Value
	}
	set(labels, "alertname", f.Detector)
	set(labels, "kind", f.Kind)
	set(labels, "tier", f.Tier)
	set(labels, "severity", f.Severity)
	set(labels, "entity", f.Entity)
	annotations := map[string]string{}
	set(annotations, "summary", f.Summary)
	set(annotations, "description", evidence(f.Evidence))
	set(annotations, "finding", f.ID)
	return alert{Labels: labels, Annotations: annotations, StartsAt: f.OpenedAt, EndsAt: max(end, f.OpenedAt), GeneratorURL: link}
}

func decisionAlert(n *Notification, d *Decision, end flyball.Time, link string) alert {
	labels := map[string]string{"alertname": "FlyballAutomation"}
	set(labels, "verb", string(d.Verb))
	set(labels, "severity", d.Severity)
	set(labels, "entity", n.Entity)
	set(labels, "rule", d.Rule)
	set(labels, "action", d.Action.Name)
	set(labels, "target", d.Target)
	annotations := map[string]string{"summary": d.sentence()}
	set(annotations, "finding", d.Finding)
	set(annotations, "operation", d.Operation)
	return alert{Labels: labels, Annotations: annotations, StartsAt: d.At, EndsAt: max(end, d.At), GeneratorURL: link}
}

// set sets what is not empty: a label without a value is none.
func set(m map[string]string, name, value string) {
	if value != "" {
		m[name] = value
	}
}

// labelName returns a name in the letters that labels of Prometheus have.
func labelName(name string) string {
	b := []byte(name)
	for i, c := range b {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9' || i == 0) {
			b[i] = '_'
		}
	}
	text := string(b)
	if slices.Contains([]string{"alertname", "severity", "entity", "kind", "tier"}, text) {
		return "label_" + text
	}
	return text
}
