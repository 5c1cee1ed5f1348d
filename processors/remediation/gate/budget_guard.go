package gate

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
)

// budgetGuard pauses automation that is not essential while the error budget of the
// service burns. A rule that answers a burn itself is not paused by it.
type budgetGuard struct{}

func (budgetGuard) Name() string { return NameBudgetGuard }

func (budgetGuard) Judge(c *Case) (bool, string) {
	switch {
	case c.World.Unknown != "":
		return false, c.World.Unknown
	case c.Rule.Essential || c.Compensates != "":
		return true, "the rule is essential"
	case c.Finding.Kind == "burn_rate":
		return true, "the rule answers the burn itself"
	}
	for _, b := range c.World.Burns {
		if b.Unknown {
			return false, fmt.Sprintf("how fast %s of %s burns is not known, and the rule is not essential", b.Detector, c.Service)
		}
		if b.Window <= time.Hour && b.Rate > maxBurn {
			return false, fmt.Sprintf("%s of %s burns %.3g times too fast over %s, and the rule is not essential", b.Detector, c.Service, b.Rate, b.Window)
		}
	}
	return true, "no budget of the service burns faster than twice the sustainable rate"
}

const (
	// maxBurn is the burn rate over an hour or less that pauses.
	maxBurn = 2.0
	// pageBurn over pageWindow or less is worth a page besides.
	pageBurn   = 4.0
	pageWindow = 15 * time.Minute
)

// Pages says whether a burn is worth a page.
func (b Burn) Pages() bool { return !b.Unknown && b.Window <= pageWindow && b.Rate > pageBurn }

// BurnsOf returns the burn rates that a finding about a burn reports: a single one
// that is not known when it reports none that can be read.
func BurnsOf(f *flyball.Finding) []Burn {
	if f.Kind != "burn_rate" {
		return nil
	}
	var out []Burn
	for _, e := range f.Evidence {
		if window, ok := windowOf(e.Window); ok && e.Unit == "x" {
			out = append(out, Burn{Finding: f.ID, Detector: f.Detector, Rate: e.Value, Window: window})
		}
	}
	if out == nil {
		out = []Burn{{Finding: f.ID, Detector: f.Detector, Unknown: true}}
	}
	return out
}

// windowOf reads the window of evidence: 30s, 5m, 1h, 3d.
func windowOf(text string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour, err == nil
	}
	window, err := time.ParseDuration(text)
	return window, err == nil
}
