package condition

import (
	"fmt"
	"reflect"
	"sort"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"github.com/flyball-io/flyball"
)

const (
	findingVar      = "finding"
	findingTypeName = "flyball.Finding"
)

// findingType is how CEL knows the type of `finding`.
var findingType = types.NewObjectType(findingTypeName)

// View is a finding as expressions see it. One view serves all the rules that
// are judged on one state of a finding; it must not outlive changes of it.
type View struct {
	finding  *flyball.Finding
	labels   *dict
	evidence *dict
}

// NewView returns the view of f.
func NewView(f *flyball.Finding) *View { return &View{finding: f} }

// field is one field of `finding`: its type, and how to read it.
type field struct {
	typ *types.Type
	get func(*View) ref.Val
}

// fields lists what an expression can read. It is a function, not a variable,
// so that nothing can change it.
func fields() map[string]field {
	text := func(get func(*flyball.Finding) string) field {
		return field{types.StringType, func(v *View) ref.Val { return types.String(get(v.finding)) }}
	}
	moment := func(get func(*flyball.Finding) flyball.Time) field {
		return field{types.TimestampType, func(v *View) ref.Val { return types.Timestamp{Time: get(v.finding).Std()} }}
	}
	return map[string]field{
		"id":         text(func(f *flyball.Finding) string { return f.ID }),
		"kind":       text(func(f *flyball.Finding) string { return f.Kind }),
		"state":      text(func(f *flyball.Finding) string { return string(f.State) }),
		"severity":   text(func(f *flyball.Finding) string { return f.Severity }),
		"entity":     text(func(f *flyball.Finding) string { return f.Entity }),
		"detector":   text(func(f *flyball.Finding) string { return f.Detector }),
		"tier":       text(func(f *flyball.Finding) string { return f.Tier }),
		"summary":    text(func(f *flyball.Finding) string { return f.Summary }),
		"at":         moment(func(f *flyball.Finding) flyball.Time { return f.At }),
		"opened_at":  moment(func(f *flyball.Finding) flyball.Time { return f.OpenedAt }),
		"age":        {types.DurationType, func(v *View) ref.Val { return types.Duration{Duration: age(v.finding)} }},
		"incomplete": {types.BoolType, func(v *View) ref.Val { return types.Bool(v.finding.Incomplete) }},
		"revision":   {types.IntType, func(v *View) ref.Val { return types.Int(v.finding.Revision) }},
		"labels":     {types.NewMapType(types.StringType, types.StringType), (*View).labelsVal},
		"evidence":   {types.NewMapType(types.StringType, types.DoubleType), (*View).evidenceVal},
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

// ResolveName implements CEL's Activation: it knows one name.
func (v *View) ResolveName(name string) (any, bool) { return v, name == findingVar }

// Parent implements CEL's Activation.
func (v *View) Parent() cel.Activation { return nil }

// ConvertToNative implements ref.Val.
func (v *View) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("cannot convert finding to %q", t)
}

// ConvertToType implements ref.Val.
func (v *View) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return findingType
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

// provider tells CEL the fields of `finding`, and leaves the rest to the
// standard registry.
type provider struct {
	*types.Registry
	fields map[string]*types.FieldType
	names  []string
}

func newProvider() (*provider, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	p := &provider{Registry: registry, fields: map[string]*types.FieldType{}}
	for name, f := range fields() {
		get := f.get
		p.fields[name] = &types.FieldType{
			Type:    f.typ,
			IsSet:   func(any) bool { return true },
			GetFrom: func(target any) (any, error) { return get(target.(*View)), nil },
		}
		p.names = append(p.names, name)
	}
	sort.Strings(p.names)
	return p, nil
}

// FindStructType implements CEL's type provider.
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if name == findingTypeName {
		return types.NewTypeTypeWithParam(findingType), true
	}
	return p.Registry.FindStructType(name)
}

// FindStructFieldNames implements CEL's type provider.
func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	if name == findingTypeName {
		return p.names, true
	}
	return p.Registry.FindStructFieldNames(name)
}

// FindStructFieldType implements CEL's type provider.
func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	if name == findingTypeName {
		f, ok := p.fields[field]
		return f, ok
	}
	return p.Registry.FindStructFieldType(name, field)
}
