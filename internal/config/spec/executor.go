package spec

// Executor is the spec of kind Executor: which commands `flyball executor` obeys, and
// how.
type Executor struct {
	// Keys are the files of the public keys whose signatures are trusted (PEM), by the
	// id that signatures name.
	Keys map[string]string `yaml:"keys,omitempty"`
	// AllowUnsigned obeys commands without a signature too. It is for trying things out.
	AllowUnsigned bool `yaml:"allowUnsigned,omitempty"`
	// Targets are patterns of what may be acted on, such as deploy/checkout or deploy/*;
	// * stands for anything but a slash. A command for another target is rejected.
	Targets []string `yaml:"targets" required:"true"`
	// Actions are what can be done. A command for another action is rejected.
	Actions []ExecutorAction `yaml:"actions" required:"true"`
}

// ExecutorAction is one action, done in one of three ways.
type ExecutorAction struct {
	// Name of the action, as in commands.
	Name string `yaml:"name" required:"true"`
	// Timeout after which it is given up. What it did by then is not known.
	Timeout Duration `yaml:"timeout" default:"30s" min:"1s" max:"1h"`
	// Idempotent says that doing it twice is the same as once: after a crash in the
	// middle it is done again. Without it such an attempt is reported as failed.
	Idempotent bool `yaml:"idempotent,omitempty"`
	// Exec runs a program.
	Exec *ExecutorProgram `yaml:"exec,omitempty"`
	// Webhook calls an HTTP address.
	Webhook *ExecutorWebhook `yaml:"webhook,omitempty"`
	// Kubernetes changes a workload.
	Kubernetes *ExecutorKubernetes `yaml:"kubernetes,omitempty"`
}

// ExecutorProgram is a program that is run without a shell.
type ExecutorProgram struct {
	// Program is its absolute path.
	Program string `yaml:"program" required:"true"`
	// Args may have places: {{target}}, {{target.name}} (what is behind the last slash),
	// {{params.NAME}}, {{operation_id}}, {{attempt}}, {{reason}}.
	Args []string `yaml:"args,omitempty"`
	// Env is its whole environment; it inherits nothing. Values are secrets: they are
	// taken out of what is reported.
	Env map[string]Secret `yaml:"env,omitempty"`
	// TransientExitCodes say that nothing was changed and a repetition may work.
	TransientExitCodes []int `yaml:"transientExitCodes,omitempty"`
}

// ExecutorWebhook is an HTTP address that is called with the command as JSON.
type ExecutorWebhook struct {
	// URL that is called by POST.
	URL string `yaml:"url" required:"true"`
	// Headers that are added. Values are secrets.
	Headers map[string]Secret `yaml:"headers,omitempty"`
}

// ExecutorKubernetes is a change of a workload. The target is kind/name or
// kind/namespace/name, such as deploy/checkout.
type ExecutorKubernetes struct {
	// Operation is scale (to params.replicas), restart (a rollout), undo (a rollout, to
	// the revision before) or delete (a pod).
	Operation string `yaml:"operation" required:"true" enum:"scale|restart|undo|delete"`
	// Namespace of targets that name none.
	Namespace string `yaml:"namespace" default:"default"`
	// Namespaces that may be acted in, besides Namespace.
	Namespaces []string `yaml:"namespaces,omitempty"`
	// MinReplicas is the least that scale may set.
	MinReplicas int `yaml:"minReplicas" default:"1" min:"0" max:"10000"`
	// MaxReplicas is the most.
	MaxReplicas int `yaml:"maxReplicas" default:"50" min:"1" max:"10000"`
	// Kubeconfig is a file; without it the service account of the pod is used.
	Kubeconfig string `yaml:"kubeconfig,omitempty"`
}
