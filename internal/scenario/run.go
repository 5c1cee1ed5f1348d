package scenario

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/flyball-io/flyball/internal/scenario/engine"
)

// run is one run of a scenario.
type run struct {
	scenario *Scenario
	engine   *engine.Engine
	printer  printer
	// recent is what came out since the last expect, all is everything so far.
	recent, all []line
	results     []engine.Result
	stale       bool // the next command empties recent
	extra       []string
	problem     string // what the last expect missed
}

// Failure is one thing that is not as the scenario says.
type Failure struct {
	// Line of the file, counted from 1.
	Line int
	// Text says what was expected and what came, for a person.
	Text string
}

// config returns how the scenario is run when nothing is varied.
func (s *Scenario) config() engine.Config {
	return engine.Config{
		Spec: s.spec, Input: s.input, Origin: s.options.origin, Flush: s.options.flush,
		Panes: int32(s.spec.Pipeline.Partitions.Panes), Aggregators: s.options.members, Evaluators: s.options.members,
	}
}

func (s *Scenario) start(cfg engine.Config) (*run, error) {
	e, err := engine.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", s.Path, err)
	}
	return &run{scenario: s, engine: e, printer: printer{s.options.origin, s.spec}}, nil
}

// check runs the script and compares what comes out with what it says. update
// is given the blocks of output that differ and should be replaced; without it
// they are failures. talk, when not nil, is told everything.
func (r *run) check(update func(*golden, []string), talk io.Writer) ([]Failure, error) {
	var failures []Failure
	for i := range r.scenario.steps {
		st := &r.scenario.steps[i]
		out, err := r.do(st)
		if err != nil {
			return failures, fmt.Errorf("%s:%d: %w", r.scenario.Path, st.index+1, err)
		}
		if talk != nil {
			fmt.Fprintf(talk, "%s:%d: %s\n", r.scenario.Path, st.index+1, st.text)
			for _, l := range out {
				fmt.Fprintf(talk, "    %s\n", l)
			}
		}
		if r.problem != "" {
			failures = append(failures, Failure{st.index + 1, r.problem})
			r.problem = ""
		}
		if st.golden == nil {
			continue
		}
		if len(out) == 0 {
			out = []string{nothing}
		}
		switch {
		case slices.Equal(out, st.golden.lines):
		case update != nil:
			update(st.golden, out)
		default:
			failures = append(failures, Failure{st.index + 1, explainDiff(st.text, st.golden.lines, out)})
		}
	}
	for _, target := range r.engine.Unsaid() {
		failures = append(failures, Failure{1, "something is said about " + target + ", for which there was no command, or none that waited"})
	}
	return failures, nil
}

// do runs one step and returns what came out of it.
func (r *run) do(st *step) ([]string, error) {
	if !st.expects && r.stale {
		r.recent, r.stale = nil, false
	}
	r.extra = nil
	if err := st.action(r); err != nil {
		return nil, err
	}
	if st.expects {
		r.stale = true
		return nil, nil
	}
	lines, err := r.take()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, l := range lines {
		out = append(out, r.printer.time(l.at)+" "+l.text())
	}
	return append(out, r.extra...), nil
}

// take collects what came out, and keeps the kinds that the scenario shows.
func (r *run) take() ([]line, error) {
	results, err := r.engine.Take()
	if err != nil {
		return nil, err
	}
	r.results = append(r.results, results...)
	lines := slices.DeleteFunc(r.printer.lines(results), func(l line) bool {
		return !slices.Contains(r.scenario.options.show, l.kind)
	})
	r.recent = append(r.recent, lines...)
	r.all = append(r.all, lines...)
	return lines, nil
}

// topic returns the topic that a name means: "" is the first of the first source.
func (r *run) topic(name string) string {
	if name == "" && len(r.scenario.spec.Sources) > 0 {
		return r.scenario.spec.Sources[0].Topics[0]
	}
	return name
}

// showWatermarks prints one line per source, or one per partition where they
// differ.
func (r *run) showWatermarks() {
	list := r.engine.Watermarks()
	for len(list) > 0 {
		n, same := 0, true
		for n < len(list) && list[n].Source == list[0].Source {
			same = same && list[n].At == list[0].At
			n++
		}
		if same {
			r.extra = append(r.extra, fmt.Sprintf("watermark %s %s", word(list[0].Source), r.printer.time(list[0].At)))
		} else {
			for _, w := range list[:n] {
				r.extra = append(r.extra, fmt.Sprintf("watermark %s in partition %d %s", word(w.Source), w.Partition, r.printer.time(w.At)))
			}
		}
		list = list[n:]
	}
}

// showRecorded prints how far the database is.
func (r *run) showRecorded() {
	for _, t := range r.engine.Recorded() {
		if t.Rows > 0 || t.Behind > 0 {
			r.extra = append(r.extra, fmt.Sprintf("recorded %s rows=%d behind=%d", t.Topic, t.Rows, t.Behind))
		}
	}
}

// updated returns the file with blocks of output replaced.
func (s *Scenario) updated(blocks map[*golden][]string) string {
	lines := slices.Clone(s.lines)
	for _, st := range slices.Backward(s.steps) {
		if out, ok := blocks[st.golden]; ok && st.golden != nil {
			lines = slices.Replace(lines, st.golden.from, st.golden.to, out...)
		}
	}
	return strings.Join(lines, "\n")
}
