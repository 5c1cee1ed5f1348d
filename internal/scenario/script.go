package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flyball-io/flyball/internal/scenario/engine"
	"github.com/flyball-io/flyball/internal/scenario/input"
	"github.com/flyball-io/flyball/internal/scenario/memlog"
	"github.com/flyball-io/flyball/internal/scenario/people"
)

// step is one command of the script.
type step struct {
	index  int // of its line in the file
	text   string
	action action
	// expects is set for a command that only looks at what came out.
	expects bool
	// golden is the output that it must have, when it has any.
	golden *golden
}

// golden is a block of expected output.
type golden struct {
	from, to int // its lines in the file, without the dashes
	lines    []string
}

// action does what a command says.
type action func(r *run) error

const (
	dashes  = "----"
	nothing = "(nothing)" // what an empty output is written as
)

// readScript reads commands, and the blocks of output that follow them: a line
// of four dashes, then lines up to an empty one.
func (s *Scenario) readScript(p part) error {
	lines := strings.Split(p.text, "\n")
	for i := 0; i < len(lines); i++ {
		text := strings.TrimSpace(lines[i])
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if text == dashes {
			return s.errorAt(p.from+i, "%s follows no command", dashes)
		}
		st := step{index: p.from + i, text: text}
		var err error
		if st.action, st.expects, err = s.parseCommand(text); err != nil {
			return s.errorAt(st.index, "%v", err)
		}
		if i+1 < len(lines) && strings.TrimSpace(lines[i+1]) == dashes {
			i += 2
			g := &golden{from: p.from + i}
			for ; i < len(lines) && strings.TrimSpace(lines[i]) != ""; i++ {
				g.lines = append(g.lines, strings.TrimRight(lines[i], " \r"))
			}
			g.to = p.from + i
			if st.expects {
				return s.errorAt(st.index, "expect has no output")
			}
			st.golden = g
		}
		s.steps = append(s.steps, st)
	}
	return nil
}

func (s *Scenario) parseCommand(text string) (act action, expects bool, err error) {
	words, err := input.Words(text)
	if err != nil {
		return nil, false, err
	}
	args := words[1:]
	switch words[0] {
	case "advance":
		act, err = parseAdvance(args)
	case "flush":
		act, err = func(r *run) error { return r.engine.Flush() }, noMore(args)
	case "crash":
		act, err = parseCrash(args)
	case "abort":
		act, err = parseAbort(args)
	case "rebalance":
		act, err = parseRebalance(args)
	case "idle", "lag", "resume":
		act, err = parsePartition(words[0], args)
	case "new":
		act, err = parseNew(args)
	case "clickhouse":
		act, err = parseClickHouse(args)
	case "canary":
		act, err = parseCanary(args)
	case "configure":
		act, err = s.parseConfigure(args)
	case "outcome":
		act, err = parseOutcome(args)
	case "control":
		act, err = parseControl(args)
	case "show":
		act, err = parseShow(args)
	case "expect":
		act, err = parseExpect(args)
		return act, true, err
	default:
		err = fmt.Errorf("unknown command %q: want advance, flush, crash, abort, rebalance, idle, lag, resume, new, clickhouse, canary, configure, outcome, control, show or expect", words[0])
	}
	return act, false, err
}

func noMore(args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("nothing more is known here: %q", strings.Join(args, " "))
	}
	return nil
}

func parseAdvance(args []string) (action, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("want advance and a duration, such as advance 5m")
	}
	d, err := input.Duration(args[0])
	if err != nil || d <= 0 {
		return nil, fmt.Errorf("want a duration above 0, such as advance 5m, got %q", args[0])
	}
	return func(r *run) error { return r.engine.Advance(d) }, nil
}

// parseRole reads a role and, if there is one, the number of a member; -1 is all.
func parseRole(args []string) (role engine.Role, number int, rest []string, err error) {
	if len(args) == 0 || !slices.Contains(engine.Roles(), engine.Role(args[0])) {
		return "", 0, nil, fmt.Errorf("want a role: aggregate, evaluate, decide or record")
	}
	role, rest, number = engine.Role(args[0]), args[1:], -1
	if len(rest) > 0 {
		if n, err := strconv.Atoi(rest[0]); err == nil && n >= 0 {
			return role, n, rest[1:], nil
		}
	}
	return role, number, rest, nil
}

func parseCrash(args []string) (action, error) {
	role, number, rest, err := parseRole(args)
	if err != nil {
		return nil, err
	}
	fault, down := engine.None, time.Duration(0)
	if len(rest) > 0 && rest[0] != "for" {
		switch rest[0] {
		case "before-commit":
			fault = engine.CrashBefore
		case "after-commit":
			fault = engine.CrashAfter
		default:
			return nil, fmt.Errorf("want before-commit, after-commit or for, got %q", rest[0])
		}
		rest = rest[1:]
	}
	if len(rest) == 2 && rest[0] == "for" {
		if down, err = input.Duration(rest[1]); err != nil || down < 0 {
			return nil, fmt.Errorf("want a duration after for, got %q", rest[1])
		}
		rest = nil
	}
	return func(r *run) error {
		if fault == engine.None {
			return r.engine.Crash(role, number, down)
		}
		return r.engine.Plan(role, number, fault, down)
	}, noMore(rest)
}

func parseAbort(args []string) (action, error) {
	role, number, rest, err := parseRole(args)
	if err != nil {
		return nil, err
	}
	return func(r *run) error { return r.engine.Plan(role, number, engine.Abort, 0) }, noMore(rest)
}

func parseRebalance(args []string) (action, error) {
	roles := engine.Roles()
	if len(args) > 0 {
		role, _, rest, err := parseRole(args)
		if err := noMore(rest); err != nil {
			return nil, err
		}
		if err != nil {
			return nil, err
		}
		roles = []engine.Role{role}
	}
	return func(r *run) error {
		for _, role := range roles {
			if err := r.engine.Rebalance(role); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// parsePartition reads "partition 1" and "partition orders/1".
func parsePartition(verb string, args []string) (action, error) {
	if len(args) != 2 || args[0] != "partition" {
		return nil, fmt.Errorf("want %s partition and its number, such as %s partition 1", verb, verb)
	}
	topic, number, ok := strings.Cut(args[1], "/")
	if !ok {
		topic, number = "", args[1]
	}
	n, err := strconv.ParseInt(number, 10, 16)
	if err != nil || n < 0 {
		return nil, fmt.Errorf("want the number of a partition, got %q", args[1])
	}
	return func(r *run) error {
		p := memlog.Partition{Topic: r.topic(topic), Index: int32(n)}
		switch verb {
		case "idle":
			return r.engine.Silence(p, true)
		case "lag":
			return r.engine.Lag(p, true)
		}
		if err := r.engine.Silence(p, false); err != nil {
			return err
		}
		return r.engine.Lag(p, false)
	}, nil
}

func parseNew(args []string) (action, error) {
	if len(args) == 0 || args[0] != "partition" {
		return nil, fmt.Errorf("want new partition, and the topic where there are several")
	}
	owner, topic := true, ""
	args = args[1:]
	if n := len(args); n > 0 && args[n-1] == "unowned" {
		owner, args = false, args[:n-1]
	}
	if len(args) > 0 {
		topic, args = args[0], args[1:]
	}
	return func(r *run) error { return r.engine.NewPartition(r.topic(topic), owner) }, noMore(args)
}

func parseClickHouse(args []string) (action, error) {
	if len(args) != 1 || args[0] != "up" && args[0] != "down" {
		return nil, fmt.Errorf("want clickhouse up or clickhouse down")
	}
	return func(r *run) error {
		r.engine.Suspend(engine.Recorder, args[0] == "down")
		return nil
	}, nil
}

func (s *Scenario) parseConfigure(args []string) (action, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("want configure and a name, such as configure next with a part -- next/config.yaml --")
	}
	spec := s.later[args[0]]
	if spec == nil {
		return nil, fmt.Errorf("there is no part -- %s/config.yaml --", args[0])
	}
	return func(r *run) error {
		r.printer.spec = spec
		return r.engine.Configure(spec)
	}, nil
}

func parseOutcome(args []string) (action, error) {
	target, o, err := people.Outcome(args)
	return func(r *run) error { return r.engine.Report(target, o) }, err
}

func parseControl(args []string) (action, error) {
	c, lasts, err := people.Control(args)
	return func(r *run) error {
		if lasts >= 0 {
			c.Until = r.scenario.options.origin.Add(r.engine.Now() + lasts)
		}
		return r.engine.Control(c)
	}, err
}

func parseShow(args []string) (action, error) {
	shows := map[string]func(*run){"watermarks": (*run).showWatermarks, "recorded": (*run).showRecorded}
	if len(args) != 1 || shows[args[0]] == nil {
		return nil, fmt.Errorf("want show watermarks or show recorded")
	}
	return func(r *run) error {
		shows[args[0]](r)
		return nil
	}, nil
}
