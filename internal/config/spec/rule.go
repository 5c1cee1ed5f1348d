package spec

// Rule is the spec of kind Rule: which findings lead to which command.
type Rule struct {
	// When is a condition in CEL over `finding` and what is around it, such as
	// `finding.kind == "burn_rate" && finding.tier == "page_fast"`.
	When string `yaml:"when" required:"true"`
	// Target is what the command acts on, with places for parts of the finding:
	// "deploy/{{finding.entity}}".
	Target string `yaml:"target" required:"true"`
	// Action is what to do.
	Action Action `yaml:"action" required:"true"`
	// Mode is observe, which records what would have been done; suggest, which lets
	// a person start it; approve, which waits for a person for a time; auto-notify,
	// which does it and tells people; or auto, which does it.
	Mode string `yaml:"mode" default:"observe" enum:"observe|suggest|approve|auto-notify|auto"`
	// Cooldown is the shortest time between two commands of this action on one
	// target.
	Cooldown Duration `yaml:"cooldown" default:"10m" max:"30d"`
	// Deadline is how long the executor has; after it the command must be neither
	// started nor finished.
	Deadline Duration `yaml:"deadline" default:"5m" min:"1s" max:"1d"`
	// Owner is who answers for the rule: a team, a mail address, a channel.
	Owner string `yaml:"owner,omitempty"`
	// For is how long When must hold before anything is done.
	For Duration `yaml:"for,omitempty" max:"1d"`
	// Priority orders rules: of two that want the same target the higher gets it.
	Priority int `yaml:"priority,omitempty" min:"-1000" max:"1000"`
	// ApprovalTimeout is how long a person has to approve; without it 30m.
	ApprovalTimeout Duration `yaml:"approvalTimeout,omitempty" max:"7d"`
	// Verify says how it is known that the action helped.
	Verify *Verify `yaml:"verify,omitempty"`
	// Compensation undoes the action when it made things worse.
	Compensation *Action `yaml:"compensation,omitempty"`
	// Escalate says what to try when the action does not help.
	Escalate *Escalate `yaml:"escalate,omitempty"`
	// Notify names who is told.
	Notify []string `yaml:"notify,omitempty"`
	// Essential rules act also while error budgets of the service burn.
	Essential bool `yaml:"essential,omitempty"`
	// Dependency says what happens when something that the service needs has open
	// findings itself: suppress, which is what happens without it, does nothing;
	// redirect aims the action at that, as if its finding had led to it.
	Dependency string `yaml:"dependency,omitempty" enum:"suppress|redirect"`
}

// Verify says how it is known that an action helped.
type Verify struct {
	// Recovered is a condition in CEL over the finding that led to the command;
	// without it, that the finding is resolved.
	Recovered string `yaml:"recovered,omitempty"`
	// Worse is a condition in CEL over findings of the same entity; without it, that
	// the severity of the finding rises.
	Worse string `yaml:"worse,omitempty"`
	// Within is how long it may take to recover once the action is done.
	Within Duration `yaml:"within" default:"10m" min:"1s" max:"7d"`
	// Stabilisation is how long it must stay recovered.
	Stabilisation Duration `yaml:"stabilisation" default:"0s" max:"7d"`
}

// Escalate is a list of stronger actions, tried one after the other.
type Escalate struct {
	// After is the shortest time between a command and the next stronger one.
	After Duration `yaml:"after" default:"0s" max:"7d"`
	// To are the actions.
	To []Action `yaml:"to" required:"true"`
}

// Action is a thing that an executor can do.
type Action struct {
	// Name of the action, such as rollback.
	Name string `yaml:"name" required:"true"`
	// Params of the action, as text; numbers and truth values are taken as
	// written. They may have places as the target has.
	Params map[string]Text `yaml:"params,omitempty"`
}
