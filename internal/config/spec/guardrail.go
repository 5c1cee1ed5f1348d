package spec

// Guardrail is the spec of kind Guardrail: where rules may act, and how much. A
// finding that no guardrail selects is never acted on; all that select it hold.
type Guardrail struct {
	// Select are matchers on the labels of findings, such as env="prod"; all must
	// fit. The name entity means the entity of the finding.
	Select []string `yaml:"select" required:"true"`
	// Mode is the most that rules may do here, whatever they say.
	Mode string `yaml:"mode" default:"auto" enum:"observe|suggest|approve|auto-notify|auto"`
	// Freezes are stretches of time in which nothing is done.
	Freezes []Freeze `yaml:"freezes,omitempty"`
	// Limits are the most commands per stretch of time.
	Limits []RateLimit `yaml:"limits,omitempty"`
	// Concurrency is the most operations at once.
	Concurrency *Concurrency `yaml:"concurrency,omitempty"`
	// BlastRadius is the largest share of a fleet that is acted on in a stretch of
	// time. Beyond it a breaker opens, which a person has to reset.
	BlastRadius *BlastRadius `yaml:"blastRadius,omitempty"`
	// Widespread is how many entities with open findings are too many: then a person
	// is needed; 0 is no limit.
	Widespread int `yaml:"widespread" default:"50" min:"0" max:"100000"`
}

// Freeze is a stretch of time in which changes are frozen.
type Freeze struct {
	// Name is for people.
	Name string `yaml:"name" required:"true"`
	// From and To as 2026-12-24T18:00:00+01:00.
	From Text `yaml:"from" required:"true"`
	// To is the end.
	To Text `yaml:"to" required:"true"`
}

// RateLimit is the most commands in any stretch of time.
type RateLimit struct {
	// Per says whose commands are counted together: those of an action, of a
	// service, or all within the guardrail.
	Per string `yaml:"per" required:"true" enum:"action|service|guardrail"`
	// Max is how many there may be.
	Max int `yaml:"max" required:"true" min:"1" max:"100000"`
	// Window is the length of the stretch.
	Window Duration `yaml:"window" required:"true" min:"1s" max:"7d"`
}

// Concurrency is the most operations at once; 0 is no limit.
type Concurrency struct {
	// Action of one action.
	Action int `yaml:"action" default:"0" min:"0" max:"100000"`
	// Service of one service.
	Service int `yaml:"service" default:"0" min:"0" max:"100000"`
	// Total of the guardrail.
	Total int `yaml:"total" default:"0" min:"0" max:"100000"`
}

// BlastRadius is a share of a fleet.
type BlastRadius struct {
	// Fleet is how many targets there are. Without it nothing is done: a share of
	// nobody knows how many cannot be bounded.
	Fleet int `yaml:"fleet" default:"0" min:"0" max:"10000000"`
	// Percent of the fleet; at least one target may be acted on.
	Percent Decimal `yaml:"percent" required:"true"`
	// Window is the stretch of time in which different targets are counted.
	Window Duration `yaml:"window" required:"true" min:"1s" max:"7d"`
}

// Topology is the spec of kind Topology: which services need which. What is wrong
// further up is not mended further down.
type Topology struct {
	// Services and what they call.
	Services []ServiceNeeds `yaml:"services" required:"true"`
}

// ServiceNeeds is what a service calls.
type ServiceNeeds struct {
	// Name of the service, as in findings.
	Name string `yaml:"name" required:"true"`
	// Needs are the services that it calls.
	Needs []string `yaml:"needs" required:"true"`
}

// ActionKind is the spec of kind Action: something that an executor can do. When
// there is one such document, rules may name only actions that have one.
type ActionKind struct {
	// Params that the action takes; a rule may give no others.
	Params []ActionParam `yaml:"params,omitempty"`
}

// ActionParam is a parameter of an action.
type ActionParam struct {
	// Name of the parameter.
	Name string `yaml:"name" required:"true"`
	// Required parameters must be given.
	Required bool `yaml:"required,omitempty"`
}
