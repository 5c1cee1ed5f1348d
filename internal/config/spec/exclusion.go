package spec

// Exclusion is the spec of kind Exclusion: time that budgets do not count and that
// detectors neither judge nor learn, such as a maintenance window. It may lie in the past: the budgets are recomputed from what
// was counted.
type Exclusion struct {
	// Reason is for people.
	Reason string `yaml:"reason,omitempty"`
	// SLOs names the SLOs that it holds for. Where neither SLOs nor detectors are
	// named, it holds for all.
	SLOs []string `yaml:"slos,omitempty"`
	// Detectors names the detectors that it holds for.
	Detectors []string `yaml:"detectors,omitempty"`
	// Start of the stretch, in the time zone, as 2026-01-01 02:00:00; of the first
	// one, where it recurs.
	Start Text `yaml:"start" required:"true"`
	// TimeZone is a name of the IANA time zone database.
	TimeZone string `yaml:"timeZone" default:"UTC"`
	// Duration of a stretch.
	Duration Duration `yaml:"duration" required:"true" min:"1s" max:"366d"`
	// RRule is how it recurs, as an RRULE of RFC 5545: FREQ=WEEKLY;BYDAY=SU. Hours are
	// those of the time zone, whatever the offset to UTC.
	RRule string `yaml:"rrule,omitempty"`
}
