package engine

import (
	"fmt"
	"slices"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/machines"
)

// Configure stops every member and starts all anew with another configuration, which
// has the same topics: as when the processes are restarted with other files.
func (e *Engine) Configure(spec *config.Config) error {
	for _, src := range machines.Measured(spec) {
		for _, topic := range src.Topics {
			if len(e.log.Partitions(topic)) == 0 {
				return fmt.Errorf("topic %q is not one of the scenario's", topic)
			}
		}
	}
	for _, m := range e.members {
		m.crash()
		if m.orphaned != nil {
			m.orphaned.End(false)
			m.orphaned = nil
		}
	}
	suspended := slices.ContainsFunc(e.of(Recorder), func(m *member) bool { return m.suspended })
	e.cfg.Spec, e.members = spec, nil
	if err := e.enlist(); err != nil {
		return err
	}
	e.Suspend(Recorder, suspended)
	for _, role := range Roles() {
		e.assign(role)
	}
	return nil
}
