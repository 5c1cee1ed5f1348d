package shop

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Kind says what an [Incident] does.
type Kind string

// The kinds of incidents.
const (
	// ErrorBurst makes a share of the service's requests fail. Severity is that share, in (0, 1].
	ErrorBurst Kind = "error_burst"
	// LatencyRegression makes the service slower, usually one version of it. Severity is the factor on
	// the typical duration of a request, greater than 1; the time is spent in the service itself.
	LatencyRegression Kind = "latency_regression"
	// SlowDependency makes a callee slower for all its callers, databases and third parties included;
	// calls that pass their timeout fail. Severity is the factor as for a LatencyRegression.
	SlowDependency Kind = "slow_dependency"
	// Silence stops a service's exporters: requests go on, spans do not arrive. Severity is the share of
	// its pods, in (0, 1].
	Silence Kind = "silence"
)

// Incident is one planned fault.
type Incident struct {
	// Kind is one of the constants.
	Kind Kind
	// Service is the faulty service.
	Service string
	// Route limits the incident to one route; empty is all.
	Route string
	// Version limits the incident to one service.version; empty is all.
	Version string
	// Start is the offset from the start of the run.
	Start time.Duration
	// Duration is how long it lasts; greater than zero.
	Duration time.Duration
	// Severity depends on Kind; zero stands for the kind's default (0.3, 3, 10, 1).
	Severity float64
}

// Label is the ground truth about one incident, for accuracy tables.
type Label struct {
	Kind     Kind      `json:"kind"`
	Service  string    `json:"service"`
	Route    string    `json:"route,omitempty"`
	Version  string    `json:"version,omitempty"`
	Severity float64   `json:"severity"`
	Start    time.Time `json:"start"`
	// End is exclusive; earlier than planned when [Shop.Heal] ended the incident.
	End time.Time `json:"end"`
	// Affected lists the services that may show the incident: Service itself, when it exports spans, and
	// its direct and indirect callers.
	Affected []string `json:"affected"`
}

// ParseIncident reads kind:service[,route=R][,version=V]@start+duration[:severity], for instance
// "error_burst:checkout@20s+30s:0.4" or "latency_regression:payment,version=1.9.0@1m+2m:3".
func ParseIncident(s string) (Incident, error) {
	in, err := parseIncident(s)
	if err != nil {
		return Incident{}, fmt.Errorf("cannot parse incident %q: %w", s, err)
	}
	return in, nil
}

func parseIncident(s string) (Incident, error) {
	var in Incident
	kind, rest, ok := strings.Cut(s, ":")
	at := strings.LastIndexByte(rest, '@')
	if !ok || at < 0 {
		return in, fmt.Errorf("want kind:service[,route=R][,version=V]@start+duration[:severity]")
	}
	in.Kind = Kind(kind)
	for i, part := range strings.Split(rest[:at], ",") {
		key, value, ok := strings.Cut(part, "=")
		switch {
		case i == 0:
			in.Service = part
		case ok && key == "route":
			in.Route = value
		case ok && key == "version":
			in.Version = value
		default:
			return in, fmt.Errorf("unknown selector %q, want route=… or version=…", part)
		}
	}
	when, severity, hasSeverity := strings.Cut(rest[at+1:], ":")
	start, duration, ok := strings.Cut(when, "+")
	if !ok {
		return in, fmt.Errorf("time %q is not start+duration", when)
	}
	var err error
	if in.Start, err = time.ParseDuration(start); err != nil {
		return in, err
	}
	if in.Duration, err = time.ParseDuration(duration); err != nil {
		return in, err
	}
	if hasSeverity {
		if in.Severity, err = strconv.ParseFloat(severity, 64); err != nil {
			return in, err
		}
	}
	return in.withDefaults(), in.Validate()
}

// String writes the incident in the syntax of [ParseIncident].
func (in Incident) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%s", in.Kind, in.Service)
	if in.Route != "" {
		fmt.Fprintf(&b, ",route=%s", in.Route)
	}
	if in.Version != "" {
		fmt.Fprintf(&b, ",version=%s", in.Version)
	}
	fmt.Fprintf(&b, "@%s+%s", in.Start, in.Duration)
	if in.Severity != 0 {
		b.WriteString(":" + strconv.FormatFloat(in.Severity, 'g', -1, 64))
	}
	return b.String()
}

func (in Incident) withDefaults() Incident {
	if in.Severity != 0 {
		return in
	}
	switch in.Kind {
	case ErrorBurst:
		in.Severity = 0.3
	case LatencyRegression:
		in.Severity = 3
	case SlowDependency:
		in.Severity = 10
	case Silence:
		in.Severity = 1
	}
	return in
}

// Validate reports the first thing wrong with the incident by itself; whether its service exists is
// checked by [Config.Validate].
func (in Incident) Validate() error {
	in = in.withDefaults()
	switch in.Kind {
	case ErrorBurst, Silence:
		if !(in.Severity > 0 && in.Severity <= 1) {
			return fmt.Errorf("severity %v of %s is a share and must be in (0, 1]", in.Severity, in.Kind)
		}
	case LatencyRegression, SlowDependency:
		if !(in.Severity > 1 && in.Severity <= 1e6) {
			return fmt.Errorf("severity %v of %s is a factor and must be in (1, 1e6]", in.Severity, in.Kind)
		}
	default:
		return fmt.Errorf("unknown kind %q, want %s, %s, %s or %s", in.Kind, ErrorBurst, LatencyRegression, SlowDependency, Silence)
	}
	if in.Service == "" {
		return fmt.Errorf("service is empty")
	}
	if in.Start < 0 || in.Duration <= 0 {
		return fmt.Errorf("start %s must not be negative and duration %s must be positive", in.Start, in.Duration)
	}
	return nil
}
