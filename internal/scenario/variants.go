package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/scenario/engine"
)

// variant is another way to run a scenario, which must come to the same.
type variant struct {
	name string
	// loose variants change in which transaction a sample is read, and with it how
	// many corrections a window gets: only its last revision is compared.
	loose  bool
	change func(*engine.Config)
}

// variants lists the other ways in which every scenario is run.
func variants() []variant {
	list := []variant{
		{"partitions-1", false, func(c *engine.Config) { c.Panes, c.Evaluators = 1, 1 }},
		{"partitions-5", false, func(c *engine.Config) { c.Panes, c.Evaluators = 5, 3 }},
		{"batch-1", false, func(c *engine.Config) { c.Batch = 1 }},
		{"members", true, func(c *engine.Config) { c.Aggregators, c.Backwards = c.Aggregators+1, true }},
		{"flush-slow", true, func(c *engine.Config) { c.Flush *= 3 }},
		{"flush-fast", true, func(c *engine.Config) { c.Flush /= 2 }},
	}
	faults := []struct {
		name  string
		fault engine.Fault
	}{
		{"abort", engine.Abort}, {"crash-before", engine.CrashBefore},
		{"crash-after", engine.CrashAfter}, {"rebalance", engine.Rebalanced},
	}
	for _, f := range faults {
		list = append(list,
			variant{f.name, false, strike(f.fault, engine.Evaluate, engine.Decide, engine.Recorder)},
			variant{f.name + "-aggregate", true, strike(f.fault, engine.Aggregate)})
	}
	return list
}

// strike lets a fault befall the first attempt at every transaction of some
// roles. A rebalance concerns a whole role, and comes once at a time.
func strike(f engine.Fault, roles ...engine.Role) func(*engine.Config) {
	return func(c *engine.Config) {
		last := map[engine.Role]flyball.Time{}
		c.Fault = func(a engine.Attempt) engine.Fault {
			at, known := last[a.Role]
			if a.Try > 0 || !slices.Contains(roles, a.Role) || f == engine.Rebalanced && known && at == a.Now {
				return engine.None
			}
			last[a.Role] = a.Now
			return f
		}
	}
}

// vary runs the scenario in every other way and reports those that come to
// something else.
func (s *Scenario) vary() ([]Failure, error) {
	base, err := s.whole(s.config())
	if err != nil {
		return nil, err
	}
	failures := s.broken("", base)
	for _, v := range variants() {
		if slices.Contains(s.options.without, v.name) {
			continue
		}
		cfg := s.config()
		v.change(&cfg)
		out, err := s.whole(cfg)
		if err != nil {
			return failures, fmt.Errorf("variant %s: %w", v.name, err)
		}
		failures = append(failures, s.broken(v.name, out)...)
		if want, got := base.lines(v.loose), out.lines(v.loose); !slices.Equal(want, got) {
			failures = append(failures, Failure{1, fmt.Sprintf("run as %s, which must not matter, something else comes out:\n"+
				"    - as usual, + as %s\n%s", v.name, v.name, onlyChanges(want, got))})
		}
	}
	return failures, nil
}

// broken reports promises that a run broke.
func (s *Scenario) broken(name string, o outcome) []Failure {
	var out []Failure
	for _, text := range o.broken {
		if name != "" {
			text = "run as " + name + ": " + text
		}
		out = append(out, Failure{1, text})
	}
	return out
}

// whole runs the script to its end, and on until every partition that can be is
// idle, so that what is due comes out.
func (s *Scenario) whole(cfg engine.Config) (outcome, error) {
	r, err := s.start(cfg)
	if err != nil {
		return outcome{}, err
	}
	for i := range s.steps {
		if s.steps[i].expects {
			continue
		}
		if _, err := r.do(&s.steps[i]); err != nil {
			return outcome{}, fmt.Errorf("%s:%d: %w", s.Path, s.steps[i].index+1, err)
		}
	}
	r.engine.CutInput()
	idle := time.Duration(0)
	for _, src := range s.spec.Sources {
		idle = max(idle, src.IdleTimeout)
	}
	if err := r.engine.Advance(3*idle + 20*s.options.flush); err != nil {
		return outcome{}, err
	}
	if _, err := r.take(); err != nil {
		return outcome{}, err
	}
	return r.outcome(), nil
}

// onlyChanges is diff without the lines that are the same.
func onlyChanges(want, got []string) string {
	var out []string
	for _, l := range strings.Split(diff(want, got), "\n") {
		if strings.HasPrefix(l, "    - ") || strings.HasPrefix(l, "    + ") {
			out = append(out, l)
		}
	}
	const most = 40
	if len(out) > most {
		out = append(out[:most], fmt.Sprintf("    and %d more", len(out)-most))
	}
	return strings.Join(out, "\n")
}
