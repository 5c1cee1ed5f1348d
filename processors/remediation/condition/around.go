package condition

import (
	"fmt"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"github.com/flyball-io/flyball"
)

// What expressions can begin with.
const (
	findingVar    = "finding"
	entityVar     = "entity"
	upstreamVar   = "upstream"
	downstreamVar = "downstream"
	historyVar    = "history"
	changesVar    = "changes"
)

// MaxFindings is how many open findings of an entity, or of all neighbours on one
// side, an expression may look at. With more it cannot be evaluated, so that nothing
// rests on a part of them.
const MaxFindings = 100

// Side is where open findings are, as seen from a finding.
type Side string

// The sides.
const (
	// SideEntity is the finding's entity and its service, without the finding itself.
	SideEntity Side = entityVar
	// SideUpstream is what the service needs, SideDownstream what needs the service.
	SideUpstream   Side = upstreamVar
	SideDownstream Side = downstreamVar
)

// Surroundings tell what is known besides a finding, when an expression asks.
type Surroundings interface {
	// Open returns the services on a side, none for the entity, and the open findings
	// there in an order that is always the same, at most one more than MaxFindings.
	Open(f *flyball.Finding, side Side) (services []string, findings []*flyball.Finding)
	// Changes returns the last change of a target, if there is one; with a finding in
	// place of a target the recent changes of its entity and service, the latest first.
	Changes(target string, of *flyball.Finding) []Change
	// Outcomes counts what became of an action on a target.
	Outcomes(action, target string, at flyball.Time) Outcomes
}

// Outcomes counts what became of an action on a target in the last 24 hours.
type Outcomes struct {
	// Done is how often it was sent, Succeeded and Failed how that ended, Effective
	// and Ineffective what verification came to.
	Done, Succeeded, Failed, Effective, Ineffective int
	// Failures is how many attempts failed in a row.
	Failures int
}

// neighbourhood is one side.
type neighbourhood struct {
	services ref.Val
	findings ref.Val
	labels   *dict
}

func (v *View) entityVal() ref.Val {
	if v.entity == nil {
		v.entity = v.side(SideEntity, entityType)
	}
	return v.entity
}

func (v *View) neighbours(name string) ref.Val {
	if v.sides == nil {
		v.sides = map[string]*object{}
	}
	if v.sides[name] == nil {
		v.sides[name] = v.side(Side(name), neighboursType)
	}
	return v.sides[name]
}

// side gathers what is on a side.
func (v *View) side(side Side, typ *types.Type) *object {
	var services []string
	var open []*flyball.Finding
	if v.around != nil {
		services, open = v.around.Open(v.finding, side)
	}
	n := &neighbourhood{services: types.NewStringList(types.DefaultTypeAdapter, services), labels: &dict{missing: types.String("")}}
	list := make([]ref.Val, 0, len(open))
	for _, f := range append([]*flyball.Finding{v.finding}, open...) {
		for _, l := range f.Labels {
			n.labels.add(l.Name, types.String(l.Value))
		}
		if f != v.finding {
			list = append(list, NewView(f, v.at, nil))
		}
	}
	n.findings = types.NewRefValList(types.DefaultTypeAdapter, list)
	if len(open) > MaxFindings {
		n.findings = types.NewErr("more than %d findings are open there", MaxFindings)
	}
	return &object{typ, n, string(side)}
}

func entityFields() map[string]field {
	return map[string]field{
		"findings": of(types.NewListType(findingType), func(n *neighbourhood) ref.Val { return n.findings }),
		"labels":   of(types.NewMapType(types.StringType, types.StringType), func(n *neighbourhood) ref.Val { return n.labels }),
	}
}

func neighbourFields() map[string]field {
	return map[string]field{
		"findings": of(types.NewListType(findingType), func(n *neighbourhood) ref.Val { return n.findings }),
		"services": of(types.NewListType(types.StringType), func(n *neighbourhood) ref.Val { return n.services }),
	}
}

func outcomesOf(history, action, target ref.Val) ref.Val {
	v, name, on := history.(*object).data.(*View), string(action.(types.String)), string(target.(types.String))
	var o Outcomes
	if v.around != nil {
		o = v.around.Outcomes(name, on, v.at)
	}
	return &object{outcomesType, o, fmt.Sprintf("done %d, succeeded %d, failed %d, effective %d, ineffective %d, failures %d",
		o.Done, o.Succeeded, o.Failed, o.Effective, o.Ineffective, o.Failures)}
}

func outcomesFields() map[string]field {
	count := func(get func(Outcomes) int) field {
		return of(types.IntType, func(o Outcomes) ref.Val { return types.Int(get(o)) })
	}
	return map[string]field{
		"done":        count(func(o Outcomes) int { return o.Done }),
		"succeeded":   count(func(o Outcomes) int { return o.Succeeded }),
		"failed":      count(func(o Outcomes) int { return o.Failed }),
		"effective":   count(func(o Outcomes) int { return o.Effective }),
		"ineffective": count(func(o Outcomes) int { return o.Ineffective }),
		"failures":    count(func(o Outcomes) int { return o.Failures }),
	}
}
