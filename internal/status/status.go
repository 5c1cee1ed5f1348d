// Package status answers in one screen whether Flyball is healthy, and what is going on:
// asked of a running process through its API, or of Kafka where there is none to ask.
package status

import (
	"fmt"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/pipeline"
)

// Status is what is known. What could not be asked is in Missing.
type Status struct {
	// Healthy is whether there is no problem.
	Healthy  bool     `json:"healthy"`
	Problems []string `json:"problems"`
	// Missing says what could not be asked, and why.
	Missing []string `json:"missing,omitempty"`
	// From is where it comes from: the address of an API, or "kafka".
	From string    `json:"from"`
	At   time.Time `json:"at"`
	// Process is the one whose API was asked.
	Process *Process `json:"process,omitempty"`
	// Roles are what the groups of the installation do, as brokers know it, or what the
	// process asked does.
	Roles []Role `json:"roles"`
	// Sources are how far event time has come.
	Sources []Source `json:"sources"`
	// Findings that are open: how many by severity, and the latest.
	Open     map[string]int    `json:"open"`
	Findings []flyball.Finding `json:"findings"`
	// Automation is what holds it.
	Automation Automation `json:"automation"`
	// Decisions are the latest, the newest first.
	Decisions []flyball.Decision `json:"decisions"`
}

// Process is a running process.
type Process struct {
	Version   string                  `json:"version"`
	Roles     []string                `json:"roles"`
	StartedAt time.Time               `json:"started_at"`
	Ready     bool                    `json:"ready"`
	Members   []pipeline.MemberHealth `json:"members"`
}

// Role is how a consumer group does.
type Role struct {
	Role string `json:"role"`
	// Group, State and Members are of the consumer group, "" and 0 where an API was
	// asked.
	Group   string `json:"group,omitempty"`
	State   string `json:"state,omitempty"`
	Members int    `json:"members"`
	// Lag is how many records are not read.
	Lag int64 `json:"lag"`
}

// Source is how far event time of a source has come.
type Source struct {
	Name  string        `json:"name"`
	Delay time.Duration `json:"delay_ns"`
}

// Automation is what holds automation, and what waits for people.
type Automation struct {
	// State is acting, held or unknown.
	State    string   `json:"state"`
	Holds    []string `json:"holds,omitempty"`
	Breakers []string `json:"breakers,omitempty"`
	// Waiting counts operations that wait for an approval, Unknown those of which nobody
	// knows what became.
	Waiting int `json:"waiting"`
	Unknown int `json:"unknown"`
}

// Limits say from when on something is a problem.
type Limits struct {
	// Delay of event time behind the clock, Lag in records of a role.
	Delay time.Duration
	Lag   int64
	// Decisions and Findings that are shown.
	Shown int
}

// judge fills in what is wrong.
func (s *Status) judge(l Limits) {
	s.Problems = []string{}
	bad := func(format string, args ...any) { s.Problems = append(s.Problems, fmt.Sprintf(format, args...)) }
	if p := s.Process; p != nil && !p.Ready {
		var out []string
		for _, m := range p.Members {
			if !m.Joined {
				out = append(out, m.Name)
			}
		}
		bad("the process is not ready: members have not joined their groups: %v", out)
	}
	for _, r := range s.Roles {
		switch {
		case r.Group != "" && r.Members == 0:
			bad("role %s: nobody is in group %s: it does not run", r.Role, r.Group)
		case l.Lag > 0 && r.Lag > l.Lag:
			bad("role %s is %d records behind", r.Role, r.Lag)
		}
	}
	for _, x := range s.Sources {
		if x.Delay > l.Delay {
			bad("event time of source %s is %v behind the clock: telemetry has stopped, or is not read", x.Name, x.Delay.Round(time.Second))
		}
	}
	for _, f := range s.Findings {
		if f.Kind == "flyball" {
			bad("Flyball itself: %s", f.Summary)
		}
	}
	s.Healthy = len(s.Problems) == 0
}
