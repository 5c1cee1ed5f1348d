package condition

import (
	"fmt"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"github.com/flyball-io/flyball"
)

// Change is a change of what runs.
type Change struct {
	// Entity and Target say of what, Kind how, such as deployed, Version to what.
	Entity, Target, Kind, Version string
	// At is when, Who told it.
	At  flyball.Time
	Who string
	// Ours is set when it came while an operation was under way on the target.
	Ours bool
}

// change is a change as an expression sees it at a time; one whose At is NoTime never
// was.
type change struct {
	Change
	now flyball.Time
}

func changeOf(history, target ref.Val) ref.Val {
	v, name := history.(*object).data.(*View), string(target.(types.String))
	c := change{Change{Target: name, At: flyball.NoTime}, v.at}
	if v.around != nil {
		for _, last := range v.around.Changes(name, nil) {
			c.Change = last
		}
	}
	return c.object()
}

func (c change) object() *object {
	text := "nobody has changed " + c.Target
	if c.At != flyball.NoTime {
		text = fmt.Sprintf("changed by %s at %s", c.Who, c.At)
	}
	return &object{changeType, c, text}
}

// changesVal lists the recent changes of the finding's entity and service.
func (v *View) changesVal() ref.Val {
	var list []ref.Val
	if v.around != nil {
		for _, c := range v.around.Changes("", v.finding) {
			list = append(list, change{c, v.at}.object())
		}
	}
	return types.NewRefValList(types.DefaultTypeAdapter, list)
}

// never is the age of what was never changed: as long as changes are remembered.
const never = 30 * 24 * time.Hour

func changeFields() map[string]field {
	text := func(get func(change) string) field {
		return of(types.StringType, func(c change) ref.Val { return types.String(get(c)) })
	}
	return map[string]field{
		"known":   of(types.BoolType, func(c change) ref.Val { return types.Bool(c.At != flyball.NoTime) }),
		"ours":    of(types.BoolType, func(c change) ref.Val { return types.Bool(c.Ours) }),
		"who":     text(func(c change) string { return c.Who }),
		"kind":    text(func(c change) string { return c.Kind }),
		"version": text(func(c change) string { return c.Version }),
		"entity":  text(func(c change) string { return c.Entity }),
		"target":  text(func(c change) string { return c.Target }),
		"at": of(types.TimestampType, func(c change) ref.Val {
			if c.At == flyball.NoTime {
				return types.NewErr("nobody has changed it")
			}
			return types.Timestamp{Time: c.At.Std()}
		}),
		"age": of(types.DurationType, func(c change) ref.Val {
			if c.At == flyball.NoTime {
				return types.Duration{Duration: never}
			}
			return types.Duration{Duration: max(0, c.now.Sub(c.At))}
		}),
	}
}
