package replay

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
)

// Side is the configuration that made a decision which the other did not make.
type Side string

// The sides.
const (
	OnlyOld Side = "old"
	OnlyNew Side = "new"
)

// Difference is what two configurations decide differently over the same input.
type Difference struct {
	// Only are decisions that one of them made and the other did not, in the order of
	// their times.
	Only []OneSided
	// Same is how many decisions both made.
	Same int
	// Actions is how many commands each would have sent, by action.
	Actions []ActionCount
}

// OneSided is a decision that one configuration made.
type OneSided struct {
	Side     Side             `json:"only"`
	Decision flyball.Decision `json:"decision"`
}

// ActionCount is how many commands of an action two configurations would have sent.
type ActionCount struct {
	Action string `json:"action"`
	Old    int    `json:"old"`
	New    int    `json:"new"`
}

// Tolerance is how far apart in event time two decisions may be that are the same: the
// widest pane of both configurations, and not less than ten seconds.
func Tolerance(configs ...*config.Config) time.Duration {
	d := 10 * time.Second
	for _, c := range configs {
		for _, i := range c.Indicators {
			d = max(d, i.Pane)
		}
	}
	return d
}

// match is what two decisions that are the same have in common, besides their time. Ids
// are none of it: they change with the text of a rule.
type match struct {
	entity, rule, action, target string
	verb                         flyball.Verb
}

func matchOf(d *flyball.Decision) match {
	return match{d.Entity, d.Rule, d.Action.Name, d.Target, d.Verb}
}

// Compare compares the decisions of two configurations, each in order. Two are the same
// when they have the entity, the rule, the action, the target and the verb in common and
// are no further apart than tolerance; each is the same as one other at most.
func Compare(old, next []flyball.Decision, tolerance time.Duration) Difference {
	var d Difference
	waiting := map[match][]*flyball.Decision{}
	for i := range old {
		k := matchOf(&old[i])
		waiting[k] = append(waiting[k], &old[i])
	}
	actions := map[string]*ActionCount{}
	count := func(x *flyball.Decision, side Side) {
		if x.Command == "" || x.Verb != flyball.VerbAct {
			return
		}
		a := actions[x.Action.Name]
		if a == nil {
			a = &ActionCount{Action: x.Action.Name}
			actions[x.Action.Name] = a
		}
		if side == OnlyOld {
			a.Old++
		} else {
			a.New++
		}
	}
	for i := range next {
		x := &next[i]
		count(x, OnlyNew)
		k := matchOf(x)
		at := slices.IndexFunc(waiting[k], func(o *flyball.Decision) bool { return o.At.Sub(x.At).Abs() <= tolerance })
		if at < 0 {
			d.Only = append(d.Only, OneSided{OnlyNew, *x})
			continue
		}
		waiting[k] = slices.Delete(waiting[k], at, at+1)
		d.Same++
	}
	for i := range old {
		count(&old[i], OnlyOld)
		if slices.Contains(waiting[matchOf(&old[i])], &old[i]) {
			d.Only = append(d.Only, OneSided{OnlyOld, old[i]})
		}
	}
	slices.SortStableFunc(d.Only, func(a, b OneSided) int {
		return cmp.Or(compareTime(a.Decision.At, b.Decision.At), -cmp.Compare(a.Side, b.Side))
	})
	for _, a := range actions {
		d.Actions = append(d.Actions, *a)
	}
	slices.SortFunc(d.Actions, func(a, b ActionCount) int { return cmp.Compare(a.Action, b.Action) })
	return d
}

// Differ reports whether some decision differs.
func (d *Difference) Differ() bool { return len(d.Only) > 0 }

// Sentence says it in one sentence for a reviewer.
func (d *Difference) Sentence(span time.Duration) string {
	var parts []string
	total := 0
	for _, a := range d.Actions {
		total += a.New
		more := "more"
		n := a.New - a.Old
		if n == 0 {
			continue
		}
		if n < 0 {
			n, more = -n, "fewer"
		}
		parts = append(parts, fmt.Sprintf("%d %s %s (%d instead of %d)", n, more, plural(a.Action, n), a.New, a.Old))
	}
	what := strings.Join(parts, ", ")
	if i := len(parts) - 1; i > 0 {
		what = strings.Join(parts[:i], ", ") + " and " + parts[i]
	}
	in := roughly(span)
	switch {
	case !d.Differ():
		return fmt.Sprintf("the new configuration would have decided the same in %s: %d decisions, %d %s", in, d.Same, total, plural("command", total))
	case len(parts) == 0:
		return fmt.Sprintf("the new configuration would have sent as many commands (%d) in %s, and decided differently %d %s", total, in, len(d.Only), plural("time", len(d.Only)))
	}
	return fmt.Sprintf("the new configuration would have sent %s in %s", what, in)
}

func plural(word string, n int) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// roughly is a span in the two largest units that it has.
func roughly(d time.Duration) string {
	if d < time.Minute {
		return d.Round(time.Second).String()
	}
	d = d.Round(time.Minute)
	var parts []string
	for _, u := range []struct {
		name string
		of   time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}} {
		if n := d / u.of; n > 0 && len(parts) < 2 {
			parts = append(parts, fmt.Sprintf("%d%s", n, u.name))
			d -= n * u.of
		} else if len(parts) > 0 {
			break
		}
	}
	return strings.Join(parts, " ")
}
