package executor

import (
	"crypto/ed25519"
	"fmt"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/sinks/kafka"
)

// ways are the ways in which an action can be done: each returns nil where the action is
// not done so.
func ways() []func(*spec.ExecutorAction) (Action, error) {
	return []func(*spec.ExecutorAction) (Action, error){
		func(a *spec.ExecutorAction) (Action, error) {
			if a.Exec == nil {
				return nil, nil
			}
			return newProgram(a.Exec), nil
		},
		func(a *spec.ExecutorAction) (Action, error) {
			if a.Webhook == nil {
				return nil, nil
			}
			return newWebhook(a.Webhook), nil
		},
		func(a *spec.ExecutorAction) (Action, error) {
			if a.Kubernetes == nil {
				return nil, nil
			}
			return newWorkload(a.Kubernetes)
		},
	}
}

// Build returns what an executor of the configuration obeys.
func Build(c *config.Executor) (Config, error) {
	out := Config{Keys: map[string]ed25519.PublicKey{}, Unsigned: c.AllowUnsigned, Targets: c.Targets, Actions: map[string]Bound{}}
	for id, file := range c.Keys {
		key, err := kafka.LoadPublicKey(file)
		if err != nil {
			return Config{}, err
		}
		out.Keys[id] = key
	}
	for i := range c.Actions {
		a := &c.Actions[i]
		for _, way := range ways() {
			action, err := way(a)
			if err != nil {
				return Config{}, fmt.Errorf("cannot prepare action %q: %w", a.Name, err)
			}
			if action != nil {
				out.Actions[a.Name] = Bound{Action: action, Timeout: a.Timeout.Std(), Idempotent: a.Idempotent}
			}
		}
	}
	return out, nil
}
