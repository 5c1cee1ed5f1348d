package incident

import (
	"github.com/flyball-io/flyball"
)

// Events are what a report is made of. They may hold events about other things, and each
// several times.
type Events struct {
	Findings  []flyball.Finding
	Decisions []flyball.Decision
	Commands  []flyball.Command
	Outcomes  []flyball.Outcome
	// Seen is when the first event of a finding was on its topic, by finding.
	Seen map[string]flyball.Time
}

// Report is the report of one incident. Times are event times; lengths are in seconds, and
// null where nobody knows.
type Report struct {
	// ID is what was asked for. Title is a line, Entity what most of it is about.
	ID     string `json:"id"`
	Title  string `json:"title"`
	Entity string `json:"entity"`
	// Severity is the highest that a finding had, State open or resolved.
	Severity string `json:"severity"`
	State    string `json:"state"`
	// OpenedAt is when the first finding opened, ResolvedAt when the last was resolved,
	// null while one is open.
	OpenedAt   flyball.Time `json:"opened_at"`
	ResolvedAt flyball.Time `json:"resolved_at"`
	// Findings in the order in which they opened, in their latest states.
	Findings []flyball.Finding `json:"findings"`
	// Operations in the order in which they began.
	Operations []Operation `json:"operations"`
	// Timeline is everything in the order of its time.
	Timeline []Moment `json:"timeline"`
	// Outcome is effective, ineffective, worse, unknown, under_way, or nothing_done, for
	// all operations together; Verdict says it in a sentence.
	Outcome string `json:"outcome"`
	Verdict string `json:"verdict"`
	// Times of the incident.
	Times Times `json:"times"`
	// FollowUps are what is to be mended for good.
	FollowUps []string `json:"follow_ups"`
}

// Operation is what one rule did, or would have done, about a finding.
type Operation struct {
	ID      string         `json:"operation_id"`
	Rule    string         `json:"rule"`
	Finding string         `json:"finding"`
	Target  string         `json:"target"`
	Action  flyball.Action `json:"action"`
	Mode    flyball.Mode   `json:"mode"`
	// Compensates is the operation that it undoes.
	Compensates string `json:"compensates,omitempty"`
	// Attempts counts commands.
	Attempts int `json:"attempts"`
	// Result is the last verb of the operation, Why its reason, Who the people in it.
	Result flyball.Verb `json:"result"`
	Why    string       `json:"why,omitempty"`
	Who    []string     `json:"who,omitempty"`
}

// Moment is one line of the timeline.
type Moment struct {
	At flyball.Time `json:"at"`
	// Kind is finding, decision, command or outcome; What is its state, verb or class.
	Kind string `json:"kind"`
	What string `json:"what"`
	// ID of the event's subject: the finding, decision, command or operation.
	ID   string `json:"id"`
	Text string `json:"text"`
}

// Times are lengths in seconds.
type Times struct {
	// Detect is from the first finding's event time until it was on its topic.
	Detect *float64 `json:"detect_seconds"`
	// Decide is from the first finding to the first command.
	Decide *float64 `json:"decide_seconds"`
	// Remediate is from the first command until an executor had succeeded.
	Remediate *float64 `json:"remediate_seconds"`
	// Recover is from the first finding until all were resolved.
	Recover *float64 `json:"recover_seconds"`
}
