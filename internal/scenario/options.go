package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/scenario/input"
)

// options are what the part -- options -- sets.
type options struct {
	// config is a configuration directory or file, relative to the scenario's.
	config     string
	configLine int
	// origin is the event time and wall clock that offsets count from.
	origin flyball.Time
	// flush is the time between two transactions of a member.
	flush time.Duration
	// members is how many members aggregate (per source) and evaluate have.
	members int
	// show lists the kinds of results that are printed and expected.
	show []string
	// without lists the variants that the scenario rules out.
	without []string
}

func defaultOptions() options {
	return options{
		origin: flyball.TimeOf(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
		flush:  time.Second, members: 2,
		show: slices.DeleteFunc(kinds(), func(k string) bool { return k == kindSLO }),
	}
}

// readOptions reads lines "name: value".
func (s *Scenario) readOptions(p part) error {
	for i, line := range strings.Split(p.text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return s.errorAt(p.from+i, "an option is written name: value, got %q", line)
		}
		if err := s.options.set(strings.TrimSpace(name), strings.TrimSpace(value)); err != nil {
			return s.errorAt(p.from+i, "%v", err)
		}
		if name == "config" {
			s.options.configLine = p.from + i
		}
	}
	return nil
}

func (o *options) set(name, value string) (err error) {
	switch name {
	case "config":
		o.config = value
	case "origin":
		t, err := time.Parse(time.RFC3339, value)
		if err != nil {
			return fmt.Errorf("origin: want a time such as 2026-01-01T00:00:00Z, got %q", value)
		}
		o.origin = flyball.TimeOf(t)
	case "flush":
		o.flush, err = input.Duration(value)
		if err == nil && o.flush <= 0 {
			err = fmt.Errorf("flush: want a duration above 0, got %s", value)
		}
	case "members":
		o.members, err = strconv.Atoi(value)
		if err != nil || o.members < 1 {
			return fmt.Errorf("members: want a number from 1 on, got %q", value)
		}
	case "show":
		o.show = strings.Fields(value)
		for _, k := range o.show {
			if !slices.Contains(kinds(), k) {
				return fmt.Errorf("show: unknown kind %q: want some of %s", k, strings.Join(kinds(), " "))
			}
		}
	case "metamorphic":
		o.without, err = without(value)
	default:
		return fmt.Errorf("unknown option %q: want config, origin, flush, members, show or metamorphic", name)
	}
	return err
}

// without reads "off, because …" and "without flush-slow members, because …". A
// variant is never left out without a reason.
func without(value string) ([]string, error) {
	list, reason, _ := strings.Cut(value, "because")
	if strings.TrimSpace(reason) == "" {
		return nil, fmt.Errorf("metamorphic: say why, as in: off, because it stops in the middle of a crash")
	}
	words := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
	var names []string
	for _, v := range variants() {
		names = append(names, v.name)
	}
	if slices.Equal(words, []string{"off"}) {
		return names, nil
	}
	if len(words) < 2 || words[0] != "without" {
		return nil, fmt.Errorf("metamorphic: want off or without and some of %s", strings.Join(names, " "))
	}
	for _, w := range words[1:] {
		if !slices.Contains(names, w) {
			return nil, fmt.Errorf("metamorphic: unknown variant %q: want some of %s", w, strings.Join(names, " "))
		}
	}
	return words[1:], nil
}
