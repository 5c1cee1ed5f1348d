package gate

import (
	"fmt"
	"strings"

	"github.com/flyball-io/flyball"
)

// killSwitch stops everything within its scope, essential rules too.
type killSwitch struct{}

func (killSwitch) Name() string { return "kill_switch" }

func (killSwitch) Judge(c *Case) (bool, string) {
	if len(c.Kills) == 0 {
		return true, "no kill switch is on"
	}
	return false, words(c.Kills)
}

// words says which controls hold a command, all of them.
func words(list []flyball.Control) string {
	texts := make([]string, len(list))
	for i, s := range list {
		texts[i] = fmt.Sprintf("%s of %s by %s since %s: %s", s.Kind, s.Scope, s.Who, s.At, s.Why)
	}
	return strings.Join(texts, "; ")
}
