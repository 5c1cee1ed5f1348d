package grouping

import (
	"cmp"
	"path"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/sinks/notify"
)

// Receiver says what a receiver is told, and when.
type Receiver struct {
	// Name, as SLOs and rules name it.
	Name string
	// Severities that it is told, and patterns of services as of path.Match; none is all.
	Severities, Services []string
	// CatchAll receivers are also told what names nobody.
	CatchAll bool
	// GroupBy is entity, service, finding or all.
	GroupBy string
	// Wait is how long news are gathered. Repeat is how often what is open is told again;
	// 0 is never.
	Wait, Repeat time.Duration
	// Resend tells at the start what is open: a receiver that forgets what it does not
	// hear of again.
	Resend bool
}

// named reports whether what names these receivers is for this one.
func (r *Receiver) named(names []string) bool {
	return slices.Contains(names, r.Name) || r.CatchAll && len(names) == 0
}

// takes reports whether the receiver is told of such things.
func (r *Receiver) takes(severity, service string) bool {
	if notify.Urgency(severity) == 0 || len(r.Severities) > 0 && !slices.Contains(r.Severities, severity) {
		return false
	}
	return len(r.Services) == 0 || slices.ContainsFunc(r.Services, func(pattern string) bool {
		ok, err := path.Match(pattern, service)
		return err == nil && ok
	})
}

// group returns the key of the group of a finding.
func (r *Receiver) group(f *flyball.Finding) string {
	switch r.GroupBy {
	case "service":
		return "service/" + serviceOf(f)
	case "finding":
		return "finding/" + f.ID
	case "all":
		return "all"
	}
	return "entity/" + f.Entity
}

// serviceOf returns the service of a finding, as gates and limits have it.
func serviceOf(f *flyball.Finding) string { return cmp.Or(f.Labels.Get("service.name"), f.Entity) }
