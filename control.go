package flyball

// ControlKind is what a person (or a tool for one) tells the decide role.
type ControlKind string

// The kinds of control. Each takes effect before the next decision.
const (
	// ControlKill stops all commands within its scope, those of essential rules too.
	ControlKill ControlKind = "kill"
	// ControlPause stops commands within its scope. There may be several, each with its own
	// reason; all must be taken back.
	ControlPause ControlKind = "pause"
	// ControlResume takes back what holds its scope: kills, pauses, maintenances and modes.
	ControlResume ControlKind = "resume"
	// ControlApprove starts an operation that waits for a person.
	ControlApprove ControlKind = "approve"
	// ControlReject ends an operation that waits for a person.
	ControlReject ControlKind = "reject"
	// ControlResetBreaker closes the circuit breaker of a guardrail.
	ControlResetBreaker ControlKind = "reset_breaker"
	// ControlMaintenance holds commands within its scope until a time.
	ControlMaintenance ControlKind = "maintenance"
	// ControlMode lowers the mode of rules within its scope; auto lifts it again.
	ControlMode ControlKind = "mode"
	// ControlRelease frees a target whose last command has an unknown outcome.
	ControlRelease ControlKind = "release"
	// ControlChange says that a person has changed a target.
	ControlChange ControlKind = "change"
)

// ControlKinds returns every kind.
func ControlKinds() []ControlKind {
	return []ControlKind{ControlKill, ControlPause, ControlResume, ControlApprove, ControlReject,
		ControlResetBreaker, ControlMaintenance, ControlMode, ControlRelease, ControlChange}
}

// Scope is what a control applies to.
type Scope struct {
	// Kind is global, service, customer or action.
	Kind string `json:"kind"`
	// Name of the service, customer or action; "" when global.
	Name string `json:"name,omitempty"`
}

// The kinds of scopes.
const (
	ScopeGlobal   = "global"
	ScopeService  = "service"
	ScopeCustomer = "customer"
	ScopeAction   = "action"
)

// String returns global, or kind/name.
func (s Scope) String() string {
	if s.Name == "" {
		return s.Kind
	}
	return s.Kind + "/" + s.Name
}

// The backlogs of a reset of a breaker.
const (
	// BacklogSkip leaves findings alone that were held.
	BacklogSkip = "skip"
	// BacklogReplay judges findings that are still open again.
	BacklogReplay = "replay"
)

// Control is one instruction: the data of dev.flyball.control.<kind>.v1.
type Control struct {
	// ID is the CloudEvent's id, Kind is in its type.
	ID   string      `json:"-"`
	Kind ControlKind `json:"-"`
	// At is when it was given.
	At Time `json:"-"`
	// Who gave it, and Why. Both are required.
	Who string `json:"who"`
	Why string `json:"why"`
	// Scope of kill, pause, resume, maintenance and mode.
	Scope Scope `json:"scope,omitzero"`
	// Until is the end of a maintenance; a pause or kill may have one, 0 is none.
	Until Time `json:"until,omitempty"`
	// Lifts is the reason of what a resume takes back; without it, all.
	Lifts string `json:"lifts,omitempty"`
	// Mode of kind mode.
	Mode Mode `json:"mode,omitempty"`
	// Operation of approve and reject: the id that the decision names.
	Operation string `json:"operation_id,omitempty"`
	// Target of release and change.
	Target string `json:"target,omitempty"`
	// Guardrail of reset_breaker, and what becomes of what was held: skip or replay.
	Guardrail string  `json:"guardrail,omitempty"`
	Backlog   string  `json:"backlog,omitempty"`
	Change    *Change `json:"change,omitempty"`
}

// Change says what was changed how. Kind is a word of who tells it: deployed, for one.
type Change struct {
	Entity  string `json:"entity"`
	Kind    string `json:"kind"`
	Version string `json:"version,omitempty"`
}
