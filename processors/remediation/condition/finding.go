package condition

import (
	"cmp"
	"fmt"
	"reflect"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"github.com/flyball-io/flyball"
)

// View is a finding, and what is known around it, as expressions see them. One view
// serves all the rules that are judged on one state of a finding at one time; it must
// not outlive changes of either.
type View struct {
	finding  *flyball.Finding
	labels   *dict
	evidence *dict
	limits   *dict
	series   ref.Val

	at     flyball.Time
	around Surroundings
	entity *object
	sides  map[string]*object
}

// NewView returns the view of f at a time. Without surroundings nothing else is known
// to be open, changed or done.
func NewView(f *flyball.Finding, at flyball.Time, around Surroundings) *View {
	return &View{finding: f, at: at, around: around}
}

// findingFields are the fields of a finding.
func findingFields() map[string]field {
	view := func(typ *types.Type, get func(*View) ref.Val) field {
		return field{typ, func(of any) ref.Val { return get(of.(*View)) }}
	}
	text := func(get func(*flyball.Finding) string) field {
		return view(types.StringType, func(v *View) ref.Val { return types.String(get(v.finding)) })
	}
	moment := func(get func(*flyball.Finding) flyball.Time) field {
		return view(types.TimestampType, func(v *View) ref.Val { return types.Timestamp{Time: get(v.finding).Std()} })
	}
	return map[string]field{
		"id":         text(func(f *flyball.Finding) string { return f.ID }),
		"kind":       text(func(f *flyball.Finding) string { return f.Kind }),
		"state":      text(func(f *flyball.Finding) string { return string(f.State) }),
		"severity":   text(func(f *flyball.Finding) string { return f.Severity }),
		"entity":     text(func(f *flyball.Finding) string { return f.Entity }),
		"service":    text(func(f *flyball.Finding) string { return cmp.Or(f.Labels.Get("service.name"), f.Entity) }),
		"detector":   text(func(f *flyball.Finding) string { return f.Detector }),
		"tier":       text(func(f *flyball.Finding) string { return f.Tier }),
		"summary":    text(func(f *flyball.Finding) string { return f.Summary }),
		"at":         moment(func(f *flyball.Finding) flyball.Time { return f.At }),
		"opened_at":  moment(func(f *flyball.Finding) flyball.Time { return f.OpenedAt }),
		"age":        view(types.DurationType, func(v *View) ref.Val { return types.Duration{Duration: age(v.finding)} }),
		"incomplete": view(types.BoolType, func(v *View) ref.Val { return types.Bool(v.finding.Incomplete) }),
		"revision":   view(types.IntType, func(v *View) ref.Val { return types.Int(v.finding.Revision) }),
		"labels":     view(types.NewMapType(types.StringType, types.StringType), (*View).labelsVal),
		"evidence":   view(types.NewMapType(types.StringType, types.DoubleType), (*View).evidenceVal),
		"thresholds": view(types.NewMapType(types.StringType, types.DoubleType), (*View).thresholdsVal),
		"series":     view(types.NewListType(seriesType), (*View).seriesVal),
	}
}

// age is how long the finding has been open, 0 when that is not known.
func age(f *flyball.Finding) time.Duration {
	if f.At == flyball.NoTime || f.OpenedAt == flyball.NoTime || f.At < f.OpenedAt {
		return 0
	}
	return f.At.Sub(f.OpenedAt)
}

func (v *View) labelsVal() ref.Val {
	if v.labels == nil {
		d := &dict{missing: types.String("")}
		for _, l := range v.finding.Labels {
			d.add(l.Name, types.String(l.Value))
		}
		v.labels = d
	}
	return v.labels
}

func (v *View) evidenceVal() ref.Val {
	if v.evidence == nil {
		d := &dict{}
		for _, e := range v.finding.Evidence {
			d.add(e.Name, types.Double(e.Value))
		}
		v.evidence = d
	}
	return v.evidence
}

func (v *View) thresholdsVal() ref.Val {
	if v.limits == nil {
		v.limits = &dict{}
		for _, e := range v.finding.Evidence {
			if e.Threshold != nil {
				v.limits.add(e.Name, types.Double(*e.Threshold))
			}
		}
	}
	return v.limits
}

func (v *View) seriesVal() ref.Val {
	if v.series == nil {
		var list []ref.Val
		for i := range v.finding.Series {
			s := &v.finding.Series[i]
			list = append(list, &object{seriesType, s, s.Indicator + "/" + string(s.Value)})
		}
		v.series = types.NewRefValList(types.DefaultTypeAdapter, list)
	}
	return v.series
}

// seriesFields are the fields of a series that an anomaly shows in: the last window
// that the finding speaks of.
func seriesFields() map[string]field {
	number := func(get func(*flyball.FindingSeries) *float64) field {
		return of(types.DoubleType, func(s *flyball.FindingSeries) ref.Val {
			if n := get(s); n != nil {
				return types.Double(*n)
			}
			return types.NewErr("the series has no such number")
		})
	}
	text := func(get func(*flyball.FindingSeries) string) field {
		return of(types.StringType, func(s *flyball.FindingSeries) ref.Val { return types.String(get(s)) })
	}
	return map[string]field{
		"indicator": text(func(s *flyball.FindingSeries) string { return s.Indicator }),
		"value":     text(func(s *flyball.FindingSeries) string { return string(s.Value) }),
		"algorithm": text(func(s *flyball.FindingSeries) string { return s.Algorithm }),
		"direction": of(types.IntType, func(s *flyball.FindingSeries) ref.Val { return types.Int(s.Direction) }),
		"digits":    number(func(s *flyball.FindingSeries) *float64 { return &s.Digits }),
		"share":     number(func(s *flyball.FindingSeries) *float64 { return &s.Share }),
		"observed":  number(func(s *flyball.FindingSeries) *float64 { return s.Observed }),
		"expected":  number(func(s *flyball.FindingSeries) *float64 { return s.Expected }),
		"at":        of(types.TimestampType, func(s *flyball.FindingSeries) ref.Val { return types.Timestamp{Time: s.At.Std()} }),
		"labels": of(types.NewMapType(types.StringType, types.StringType), func(s *flyball.FindingSeries) ref.Val {
			d := &dict{missing: types.String("")}
			for _, l := range s.Labels {
				d.add(l.Name, types.String(l.Value))
			}
			return d
		}),
	}
}

// ResolveName implements CEL's Activation.
func (v *View) ResolveName(name string) (any, bool) {
	switch name {
	case findingVar:
		return v, true
	case entityVar:
		return v.entityVal(), true
	case upstreamVar, downstreamVar:
		return v.neighbours(name), true
	case changesVar:
		return v.changesVal(), true
	case historyVar:
		return &object{historyType, v, "history"}, true
	}
	return nil, false
}

// Parent implements CEL's Activation.
func (v *View) Parent() cel.Activation { return nil }

// ConvertToNative implements ref.Val.
func (v *View) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("cannot convert finding to %q", t)
}

// ConvertToType implements ref.Val.
func (v *View) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.TypeType:
		return findingType
	case types.StringType:
		return types.String(v.finding.ID)
	}
	return types.NewErr("cannot convert finding to %q", t.TypeName())
}

// Equal implements ref.Val: one state of one finding is equal to itself.
func (v *View) Equal(other ref.Val) ref.Val {
	o, ok := other.(*View)
	return types.Bool(ok && o.finding.ID == v.finding.ID && o.finding.Revision == v.finding.Revision)
}

// Type implements ref.Val.
func (v *View) Type() ref.Type { return findingType }

// Value implements ref.Val.
func (v *View) Value() any { return v }
