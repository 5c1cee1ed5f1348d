package memory

import (
	"time"

	"github.com/flyball-io/flyball"
)

// Commanded remembers that a rule has sent a command for a finding.
type Commanded struct {
	Rule    string `json:"rule"`
	Finding string `json:"finding"`
	// Revision of the finding that the command was sent on.
	Revision int `json:"revision"`
	// Observed is set when the command was only recorded.
	Observed bool `json:"observed,omitempty"`
	// At is the event time of the command, OpenedAt that of the finding.
	At       flyball.Time `json:"at"`
	OpenedAt flyball.Time `json:"opened_at"`
	// ResolvedAt is when the finding was resolved; NoTime while it is open.
	ResolvedAt flyball.Time `json:"resolved_at"`
}

// Key implements Row.
func (c Commanded) Key() Key { return Key{c.Rule, c.Finding} }

// Cooling remembers the last command of an action on a target. Observed ones are
// kept apart, so that a rule that only observes never holds a command.
type Cooling struct {
	Action   string       `json:"action"`
	Target   string       `json:"target"`
	Observed bool         `json:"observed,omitempty"`
	At       flyball.Time `json:"at"`
	// Cooldown is that of the rule that sent it, in nanoseconds.
	Cooldown time.Duration `json:"cooldown"`
	Rule     string        `json:"rule"`
}

// Key implements Row.
func (c Cooling) Key() Key { return CoolingKey(c.Action, c.Target, c.Observed) }

// CoolingKey is the key of a Cooling.
func CoolingKey(action, target string, observed bool) Key {
	k := Key{action, target}
	if observed {
		k[2] = "observed"
	}
	return k
}

// OpenFinding is a finding that is open, in its latest state.
type OpenFinding struct {
	Finding flyball.Finding `json:"finding"`
	// Causes are the operations during which it opened, the latest first.
	Causes []string `json:"causes,omitempty"`
}

// Key implements Row.
func (o OpenFinding) Key() Key { return Key{o.Finding.ID} }

// Edge is a call of one service to another, learned from windows of calls and from
// findings about such.
type Edge struct {
	From string `json:"from"`
	To   string `json:"to"`
	// At is when it was last heard of.
	At flyball.Time `json:"at"`
	// Finding is the last one that told it, "" while none has.
	Finding string `json:"finding"`
}

// Key implements Row.
func (e Edge) Key() Key { return Key{e.From, e.To} }

// PeerLabel is the label of findings about calls that says what is called; the
// decoder of spans fills it.
const PeerLabel = "peer"

// Missed is an open finding that there was no room for: until it is resolved, what
// is open is not all known.
type Missed struct {
	// Finding is its id; "" stands for those that there was no room for here either.
	Finding string       `json:"finding"`
	At      flyball.Time `json:"at"`
}

// Key implements Row.
func (m Missed) Key() Key { return Key{m.Finding} }

// Failure counts failed attempts of an action on a target.
type Failure struct {
	Action string `json:"action"`
	Target string `json:"target"`
	Count  int    `json:"count"`
	// Until is how long to wait.
	Until flyball.Time `json:"until"`
}

// Key implements Row.
func (f Failure) Key() Key { return Key{f.Action, f.Target} }

// Result remembers what an action did for a target.
type Result struct {
	Action string `json:"action"`
	Target string `json:"target"`
	// Done holds when it was sent, Effective when it had helped; the newest last.
	Done      []flyball.Time `json:"done"`
	Effective []flyball.Time `json:"effective"`
	// Ineffective is when it had not helped, or done harm; Succeeded and Failed when an
	// executor said so.
	Ineffective []flyball.Time `json:"ineffective,omitempty"`
	Succeeded   []flyball.Time `json:"succeeded,omitempty"`
	Failed      []flyball.Time `json:"failed,omitempty"`
}

// Key implements Row.
func (r Result) Key() Key { return Key{r.Action, r.Target} }

// last is the latest time of any kind.
func (r Result) last() flyball.Time {
	out := flyball.NoTime
	for _, list := range [][]flyball.Time{r.Done, r.Effective, r.Ineffective, r.Succeeded, r.Failed} {
		if len(list) > 0 {
			out = max(out, list[len(list)-1])
		}
	}
	return out
}

// Control is a kill, pause, maintenance or mode that holds.
type Control struct {
	Kind    flyball.ControlKind `json:"kind"`
	ID      string              `json:"id"`
	At      flyball.Time        `json:"at"`
	Control flyball.Control     `json:"control"`
}

// Key implements Row.
func (c Control) Key() Key { return Key{string(c.Kind), c.Control.Scope.String(), c.Control.Why} }

// Instruction returns the control as it was given.
func (c Control) Instruction() flyball.Control {
	out := c.Control
	out.Kind, out.ID, out.At = c.Kind, c.ID, c.At
	return out
}

// Over says whether it has ended by itself.
func (c Control) Over(at flyball.Time) bool { return c.Control.Until > 0 && at >= c.Control.Until }

// Rate holds when the commands of one limit were sent, the newest last.
type Rate struct {
	Guardrail string         `json:"guardrail"`
	Limit     string         `json:"limit"`
	Name      string         `json:"name,omitempty"`
	Sent      []flyball.Time `json:"sent"`
}

// Key implements Row.
func (r Rate) Key() Key { return Key{r.Guardrail, r.Limit, r.Name} }

// Blast holds the targets acted on in the window of a blast radius.
type Blast struct {
	Guardrail string                  `json:"guardrail"`
	Targets   map[string]flyball.Time `json:"targets,omitempty"`
	// Tripped says why the breaker is open.
	Tripped string `json:"tripped,omitempty"`
}

// Key implements Row.
func (b Blast) Key() Key { return Key{b.Guardrail} }

// Hold is a condition that has to hold for a while.
type Hold struct {
	Rule    string `json:"rule"`
	Finding string `json:"finding"`
	// Due is when it has held for long enough; Fired that this was acted on.
	Due   flyball.Time `json:"due"`
	Fired bool         `json:"fired,omitempty"`
	// Again says why the rule is asked once more although nothing is to be held:
	// something around the finding has changed. It is "" otherwise.
	Again string `json:"again,omitempty"`
}

// Key implements Row.
func (h Hold) Key() Key { return Key{h.Rule, h.Finding} }

// Deferred is what a rule wanted to do and was held, because something that the service
// needs was in trouble itself.
type Deferred struct {
	Rule    string `json:"rule"`
	Finding string `json:"finding"`
	Service string `json:"service"`
}

// Key implements Row.
func (d Deferred) Key() Key { return Key{d.Rule, d.Finding} }

// Alarm is a page that was sent and is not over: it is sent once.
type Alarm struct {
	Kind string       `json:"kind"`
	Name string       `json:"name"`
	At   flyball.Time `json:"at"`
}

// Key implements Row.
func (a Alarm) Key() Key { return Key{a.Kind, a.Name} }
