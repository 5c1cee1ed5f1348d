package config

import (
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// Executor is one executor's part of the configuration.
type Executor struct {
	// Name of the executor, and of its consumer group.
	Name string
	spec.Executor
}

// compileExecutors checks the kind Executor.
func (l *loading) compileExecutors() []Executor {
	var out []Executor
	for _, o := range l.executors {
		s := &o.Spec
		o.NotEmpty("spec.targets", len(s.Targets), "such as deploy/checkout: without a target nothing may be acted on")
		for i, pattern := range s.Targets {
			at := fmt.Sprintf("spec.targets[%d]", i)
			if _, err := path.Match(pattern, ""); (err != nil || pattern == "") && o.Doc.OK(at) {
				o.Report(at, strictyaml.CodeInvalidValue, fmt.Sprintf("invalid pattern %q", pattern), "such as deploy/* or deploy/checkout")
			}
		}
		if len(s.Keys) == 0 && !s.AllowUnsigned && o.Doc.OK("spec.keys") {
			o.Report("spec.keys", strictyaml.CodeMissingField, "without keys no signature can be trusted, and no command is obeyed",
				"name the public key of the pipeline's signing.keyID")
		}
		if s.AllowUnsigned {
			o.Warn("spec.allowUnsigned", kind.CodeUnusual, "whoever can write to the topic of commands can have them obeyed", "sign commands: spec.signing of the Pipeline")
		}
		o.NotEmpty("spec.actions", len(s.Actions), "")
		seen := map[string]bool{}
		for i := range s.Actions {
			a := &s.Actions[i]
			at := fmt.Sprintf("spec.actions[%d]", i)
			if seen[a.Name] {
				o.Report(at+".name", kind.CodeDuplicateItem, fmt.Sprintf("action %q is given twice", a.Name), "")
			}
			seen[a.Name] = true
			if len(l.actions) > 0 && a.Name != "" && !hasAction(l.actions, a.Name) {
				o.Warn(at+".name", kind.CodeUnknownReference, fmt.Sprintf("there is no Action named %q, so no rule can send it", a.Name), "")
			}
			checkExecutorAction(o, at, a)
		}
		out = append(out, Executor{o.Metadata.Name, *s})
	}
	return out
}

func hasAction(list []*kind.Object[spec.ActionKind], name string) bool {
	for _, o := range list {
		if o.Metadata.Name == name {
			return true
		}
	}
	return false
}

func checkExecutorAction(o *kind.Object[spec.Executor], at string, a *spec.ExecutorAction) {
	ways := 0
	if a.Exec != nil {
		ways++
		if o.Doc.OK(at+".exec.program") && a.Exec.Program != "" && !path.IsAbs(a.Exec.Program) {
			o.Report(at+".exec.program", strictyaml.CodeInvalidValue, fmt.Sprintf("%q is not an absolute path", a.Exec.Program), "such as /usr/local/bin/rollback: no PATH is searched")
		}
	}
	if a.Webhook != nil {
		ways++
		u, err := url.Parse(a.Webhook.URL)
		if (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") && o.Doc.OK(at+".webhook.url") {
			o.Report(at+".webhook.url", strictyaml.CodeInvalidValue, "want an address of http or https", "such as https://runbooks.example.com/rollback")
		} else if err == nil && u.Scheme == "http" && !strings.HasPrefix(u.Host, "127.0.0.1") && !strings.HasPrefix(u.Host, "localhost") {
			o.Warn(at+".webhook.url", kind.CodeUnusual, "the address is not encrypted", "use https")
		}
	}
	if k := a.Kubernetes; k != nil {
		ways++
		if k.MinReplicas > k.MaxReplicas {
			o.Report(at+".kubernetes.minReplicas", kind.CodeConflict, fmt.Sprintf("the least, %d, is more than the most, %d", k.MinReplicas, k.MaxReplicas), "")
		}
	}
	if ways != 1 && o.Doc.OK(at) {
		o.Report(at, kind.CodeConflict, fmt.Sprintf("action %q is done in %d ways, want one", a.Name, ways), "give it one of exec, webhook and kubernetes")
	}
}
