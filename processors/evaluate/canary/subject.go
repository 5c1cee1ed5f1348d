package canary

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
)

// subject is what is known of one entity under one definition. It exists while there
// is anything to know, which is also what its durable state consists of.
type subject struct {
	def    *definition
	entity string
	subjectState
	past past // what its cohorts counted of late
	// pastSaved is the past as of the last commit, nil while it did not change, and
	// pastReported that of which the state was told.
	pastSaved    *past
	pastReported past
	saved        *saved    // as of the last commit, of those changed since
	restored     *restored // while it is restored
}

// subjectState is the durable state but for the looks of the analysis.
type subjectState struct {
	// Seen are the cohorts with samples, and about when each was last seen.
	Seen map[string]flyball.Time `json:"seen,omitempty"`
	// Run is the analysis under way.
	Run *run `json:"run,omitempty"`
	// Finding is the open finding about a canary that failed.
	Finding *finding `json:"finding,omitempty"`
	// Pending are requests for the next look, Recent the last analyses.
	Pending []flyball.CanaryRequest `json:"pending,omitempty"`
	Recent  []string                `json:"recent,omitempty"`
}

// What is remembered, and how long.
const (
	maxPending = 20
	maxRecent  = 20
	maxCohorts = 50
	// seenEvery is how exactly it is known when a cohort was last seen: the state
	// would be written at every look otherwise.
	seenEvery = 10 * time.Minute
	// versionFor is how long a version without samples is known still: it may come
	// back, and is not new then. A cohort that is selected comes with every release.
	versionFor  = 24 * time.Hour
	selectedFor = 20 * time.Minute
	// quietFor is how long a canary that failed must be without samples for its
	// finding to be resolved.
	quietFor = 5 * time.Minute
)

// subject returns that of an entity, which it adds if need be.
func (d *definition) subject(entity string) *subject {
	s := d.subjects[entity]
	if s == nil {
		s = &subject{def: d, entity: strings.Clone(entity)}
		s.saved = &saved{isNew: true, written: map[string]int{}}
		d.subjects[s.entity] = s
		d.touched = append(d.touched, s)
	}
	return s
}

// active reports whether it must be looked at although it may have no samples.
func (s *subject) active() bool { return s.Run != nil || s.Finding != nil || len(s.Pending) > 0 }

func (s *subject) full() bool { return len(s.Pending) >= maxPending }

// empty reports whether there is nothing to know, blank whether there is nothing but
// its past.
func (s *subject) empty() bool { return s.blank() && s.past.empty() }
func (s *subject) blank() bool { return len(s.Seen) == 0 && len(s.Recent) == 0 && !s.active() }

// look does what one edge asks for.
func (s *subject) look(m *Machine, l look) {
	if s.Run != nil && s.Run.Revision != s.def.spec.Revision {
		reason := "the configuration of the canary changed"
		if s.Run.Revision == unreadable {
			reason = "not all that was seen of it could be restored"
		}
		s.cancel(m, l.at, reason)
	}
	appeared := s.notice(m, l)
	s.follow(m, l)
	if appeared != "" && s.def.spec.Auto && (s.Run == nil || s.Run.Version != appeared) {
		if base := s.mostTraffic(l, appeared); base != "" {
			s.start(m, l, flyball.CanaryRequest{Version: appeared, Baseline: base})
		}
	}
	if s.Run != nil {
		s.touch()
		s.advance(m, l)
	}
	s.track(m, l)
	s.count(m, l)
}

// notice keeps which cohorts are there, and returns a new one: that with the most
// samples, where another is known already.
func (s *subject) notice(m *Machine, l look) (appeared string) {
	first := len(s.Seen) == 0
	keep := versionFor
	if s.def.spec.Canary != nil {
		keep = selectedFor
	}
	about := l.at.Floor(seenEvery)
	most := int64(0)
	for _, c := range cohorts(l.data) {
		was, known := s.Seen[c]
		if known && was.Add(keep) > l.at {
			if was == about {
				continue
			}
		} else if n := samples(l.cohort(c)); !first && n > most && (s.def.spec.Canary == nil || c == cohortCanary) {
			appeared, most = c, n
		}
		s.touch()
		if s.Seen == nil {
			s.Seen = map[string]flyball.Time{}
		}
		s.Seen[c] = about
	}
	for _, c := range slices.Sorted(maps.Keys(s.Seen)) {
		if s.Seen[c].Add(keep) <= l.at {
			s.touch()
			delete(s.Seen, c)
		}
	}
	if len(s.Seen) > maxCohorts {
		m.out.CohortsLost++
	}
	for len(s.Seen) > maxCohorts {
		s.touch()
		delete(s.Seen, s.oldest())
	}
	return appeared
}

// oldest returns the cohort that was seen the longest ago.
func (s *subject) oldest() string {
	names := slices.Sorted(maps.Keys(s.Seen))
	return slices.MinFunc(names, func(a, b string) int { return cmp.Compare(s.Seen[a], s.Seen[b]) })
}

func cohorts(data []counted) []string {
	var out []string
	for _, c := range data {
		if !slices.Contains(out, c.key.cohort) {
			out = append(out, c.key.cohort)
		}
	}
	return out
}

// mostTraffic returns the cohort with the most samples but for one, "" without any.
func (s *subject) mostTraffic(l look, but string) (name string) {
	if s.def.spec.Canary != nil {
		return cohortBaseline
	}
	most := int64(0)
	for _, c := range cohorts(l.data) {
		if n := samples(l.cohort(c)); c != but && n > most {
			name, most = c, n
		}
	}
	return name
}

// newest returns the cohort that is not the one with the most traffic and has some.
func (s *subject) newest(l look) string {
	if s.def.spec.Canary != nil {
		return cohortCanary
	}
	all := cohorts(l.data)
	base := s.mostTraffic(l, "")
	for _, c := range slices.Backward(all) {
		if c != base {
			return c
		}
	}
	return ""
}

// follow does what was asked for.
func (s *subject) follow(m *Machine, l look) {
	if len(s.Pending) == 0 {
		return
	}
	s.touch()
	requests := s.Pending
	s.Pending = nil
	for _, r := range requests {
		running := s.Run != nil && s.Run.ID == r.ID
		switch {
		case r.Cancel && running:
			s.cancel(m, l.at, "it was cancelled"+by(r.By))
		case r.Cancel || running || slices.Contains(s.Recent, r.ID):
		default:
			s.start(m, l, r)
		}
	}
}

func by(who string) string {
	if who == "" {
		return ""
	}
	return " by " + who
}

// start begins an analysis at the start of the interval that is looked at.
func (s *subject) start(m *Machine, l look, r flyball.CanaryRequest) {
	spec := &s.def.spec
	if spec.Canary != nil {
		r.Version, r.Baseline = cohortCanary, cohortBaseline
	}
	if r.Version == "" {
		r.Version = s.newest(l)
	}
	if r.Baseline == "" {
		r.Baseline = s.mostTraffic(l, r.Version)
	}
	s.touch()
	if s.Run != nil {
		s.cancel(m, l.at, fmt.Sprintf("an analysis of version %q took its place", r.Version))
	}
	begin := l.at.Add(-spec.Interval)
	length := spec.Duration
	if r.Seconds > 0 {
		length = max((time.Duration(r.Seconds) * time.Second).Truncate(spec.Interval), spec.Warmup+spec.Interval)
		length = min(length, maxLooks*spec.Interval)
	}
	if r.ID == "" {
		r.ID = strings.Map(plain, fmt.Sprintf("%s-%s-%s-%d", spec.Name, s.entity, r.Version, begin.Std().Unix()))
	}
	s.Run = &run{ID: r.ID, Revision: spec.Revision, Version: r.Version, Baseline: r.Baseline, By: r.By,
		StartedAt: begin, EndsAt: begin.Add(length), StepAt: begin, Pass: r.Pass, Marginal: r.Marginal}
	if len(spec.Steps) > 0 {
		s.Run.Step = 1
	}
	s.remember(l)
	s.lend()
	s.Recent = append(s.Recent, r.ID)
	if n := len(s.Recent); n > maxRecent {
		s.Recent = slices.Clone(s.Recent[n-maxRecent:])
	}
}

// maxLooks bounds the looks of an analysis, whatever is asked for.
const maxLooks = 2880

// plain keeps what needs no escape in a path.
func plain(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_' {
		return r
	}
	return '_'
}

// maxBefore is how many intervals before the analysis are remembered.
const maxBefore = 60

// remember takes what the baseline had before the analysis, as far as panes that may
// still be corrected go.
func (s *subject) remember(l look) {
	d := s.def
	for edge := s.Run.StartedAt; len(s.Run.before) < maxBefore; edge = edge.Add(-d.spec.Interval) {
		if l.known != flyball.NoTime && d.feeds[0].store.Expired(edge.Add(-d.spec.Interval), l.known) {
			break
		}
		s.Run.before = append(s.Run.before, s.baselineOf(look{data: d.gather(edge, s.entity)[s.entity]}))
	}
	slices.Reverse(s.Run.before)
	s.Run.Before = len(s.Run.before)
}
