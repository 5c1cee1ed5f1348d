package spec

// Rule is the spec of kind Rule: which findings lead to which command.
type Rule struct {
	// When is a condition in CEL over `finding`, such as
	// `finding.kind == "burn_rate" && finding.tier == "page_fast"`.
	When string `yaml:"when" required:"true"`
	// Target is what the command acts on, with places for parts of the finding:
	// "deploy/{{finding.entity}}".
	Target string `yaml:"target" required:"true"`
	// Action is what to do.
	Action Action `yaml:"action" required:"true"`
	// Mode is observe, which records what would have been done, or auto, which
	// does it.
	Mode string `yaml:"mode" default:"observe" enum:"observe|auto"`
	// Cooldown is the shortest time between two commands of this action on one
	// target.
	Cooldown Duration `yaml:"cooldown" default:"10m" max:"30d"`
	// Deadline is how long the executor has; after it the command must be neither
	// started nor finished.
	Deadline Duration `yaml:"deadline" default:"5m" min:"1s" max:"1d"`
	// Owner is who answers for the rule: a team, a mail address, a channel.
	Owner string `yaml:"owner,omitempty"`
}

// Action is a thing that an executor can do.
type Action struct {
	// Name of the action, such as rollback.
	Name string `yaml:"name" required:"true"`
	// Params of the action, as text; numbers and truth values are taken as
	// written. They may have places as the target has.
	Params map[string]Text `yaml:"params,omitempty"`
}
