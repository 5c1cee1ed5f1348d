// Package telemetry plays the telemetry of an example: as things usually are, then an
// incident, and, once its remedy was done, as they are afterwards. It writes records as
// their senders would, faster than the clock.
package telemetry

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/scenario/input"
)

// Story is the file `telemetry` of an example: a txtar archive with a comment, which says
// what is going to happen, a part `settings`, and three phases in the shorthand of
// scenarios, each with the time after which it begins anew.
type Story struct {
	// Opening says what is going to happen.
	Opening string
	// History is how long all was well before the incident begins.
	History time.Duration
	// Length is how much of event time the incident and its end take: as much is left
	// before event time has come to the present, when the incident begins.
	Length time.Duration
	// Pace is how much faster than the clock event time goes by from the incident on.
	Pace float64
	// Remedy is the action that ends the incident. Others are done and do not help.
	Remedy string
	// Said is what the executor reports, by action.
	Said map[string]string
	// Approve is how long after a command waits for approval a person gives it, by the
	// clock; 0 is never.
	Approve time.Duration

	phases [phaseCount]phase
}

// phase is one part of the story, over and over.
type phase struct {
	// text says what begins.
	text string
	// period is the time after which it begins anew.
	period time.Duration
	input  *input.Input
}

// The phases.
const (
	usual = iota
	incident
	remedied
	phaseCount
)

var phaseNames = [phaseCount]string{"usual", "incident", "remedied"}

// Parse reads the file of an example whose configuration has these sources.
func Parse(text []byte, sources []flyball.Source) (*Story, error) {
	archive := txtar.Parse(text)
	s := &Story{Opening: oneLine(string(archive.Comment)), Pace: 20, Length: time.Hour, Said: map[string]string{}}
	seen := map[string]bool{}
	for _, f := range archive.Files {
		name, period, _ := strings.Cut(f.Name, " ")
		seen[name] = true
		if name == "settings" {
			if err := s.settings(string(f.Data)); err != nil {
				return nil, err
			}
			continue
		}
		at := slices.Index(phaseNames[:], name)
		if at < 0 {
			return nil, fmt.Errorf("cannot read telemetry: unknown part %q: want settings, usual, incident or remedied", f.Name)
		}
		var err error
		p := &s.phases[at]
		if p.period, err = input.Duration(period); err != nil || p.period <= 0 {
			return nil, fmt.Errorf("cannot read telemetry: part %q: want a time after its name, such as -- usual 10m --", f.Name)
		}
		p.text = comment(string(f.Data))
		if p.input, err = input.Parse(string(f.Data), input.SourcesOf(sources)); err != nil {
			return nil, fmt.Errorf("cannot read telemetry: part %q: %w", f.Name, err)
		}
		for _, a := range p.input.Arrivals {
			if a.At < 0 || a.At >= p.period {
				return nil, fmt.Errorf("cannot read telemetry: part %q: line %d: it arrives at %s, outside of its %s", f.Name, a.Line, a.At, p.period)
			}
		}
	}
	for _, name := range append(phaseNames[:], "settings") {
		if !seen[name] {
			return nil, fmt.Errorf("cannot read telemetry: there is no part %q", name)
		}
	}
	if s.Remedy == "" || s.History <= 0 {
		return nil, fmt.Errorf("cannot read telemetry: the settings lack remedy or history")
	}
	return s, nil
}

func (s *Story) settings(text string) error {
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			if strings.TrimSpace(line) == "" {
				continue
			}
			return fmt.Errorf("cannot read telemetry: a setting is written name: value, got %q", line)
		}
		value = strings.TrimSpace(value)
		var err error
		switch action, says := strings.CutPrefix(name, "says "); {
		case says:
			s.Said[action] = value
		case name == "remedy":
			s.Remedy = value
		case name == "history":
			s.History, err = input.Duration(value)
		case name == "length":
			s.Length, err = input.Duration(value)
		case name == "approve":
			s.Approve, err = input.Duration(value)
		case name == "pace":
			s.Pace, err = strconv.ParseFloat(value, 64)
		default:
			err = fmt.Errorf("want remedy, history, length, pace, approve or says ACTION")
		}
		if err != nil {
			return fmt.Errorf("cannot read telemetry: setting %q: %w", name, err)
		}
	}
	return nil
}

// comment joins the lines at the start that are comments.
func comment(text string) string {
	var out []string
	for line := range strings.Lines(text) {
		words, ok := strings.CutPrefix(line, "#")
		if !ok {
			break
		}
		out = append(out, words)
	}
	return oneLine(strings.Join(out, " "))
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// Partitions returns how many partitions each topic has.
func (s *Story) Partitions() map[string]int32 {
	out := map[string]int32{}
	for _, p := range s.phases {
		for topic, n := range p.input.Partitions {
			out[topic] = max(out[topic], n)
		}
	}
	return out
}

// gap is the longest time in which a partition of the story is silent: watermarks are so
// far behind at times.
func (s *Story) gap() time.Duration {
	longest := time.Duration(0)
	for _, p := range s.phases {
		last := map[string]time.Duration{}
		first := map[string]time.Duration{}
		for _, a := range p.input.Arrivals {
			key := fmt.Sprint(a.Topic, "/", a.Partition)
			if before, ok := last[key]; ok {
				longest = max(longest, a.At-before)
			} else {
				first[key] = a.At
			}
			last[key] = a.At
		}
		for key, at := range last {
			longest = max(longest, p.period-at+first[key])
		}
	}
	return longest
}
