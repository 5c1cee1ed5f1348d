package condition

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// The types of values with fields.
const (
	findingTypeName    = "flyball.Finding"
	seriesTypeName     = "flyball.Series"
	entityTypeName     = "flyball.Entity"
	neighboursTypeName = "flyball.Neighbours"
	historyTypeName    = "flyball.History"
	changeTypeName     = "flyball.Change"
	outcomesTypeName   = "flyball.Outcomes"
)

var (
	findingType    = types.NewObjectType(findingTypeName)
	seriesType     = types.NewObjectType(seriesTypeName)
	entityType     = types.NewObjectType(entityTypeName)
	neighboursType = types.NewObjectType(neighboursTypeName)
	historyType    = types.NewObjectType(historyTypeName)
	changeType     = types.NewObjectType(changeTypeName)
	outcomesType   = types.NewObjectType(outcomesTypeName)
)

// field is one field of a type: its type, and how to read it. The getter takes what
// the field is of: a *View for findings, an *object for anything else.
type field struct {
	typ *types.Type
	get func(of any) ref.Val
}

// fieldsOf lists what an expression can read, by the name of the type. It is a
// function, not a variable, so that nothing can change it.
func fieldsOf() map[string]map[string]field {
	return map[string]map[string]field{
		findingTypeName: findingFields(), seriesTypeName: seriesFields(), entityTypeName: entityFields(),
		neighboursTypeName: neighbourFields(), historyTypeName: {},
		changeTypeName: changeFields(), outcomesTypeName: outcomesFields(),
	}
}

// object is a value with fields that is no finding.
type object struct {
	typ  *types.Type
	data any
	text string // what it is, for a person
}

// of returns a field that is read of an object's data.
func of[T any](typ *types.Type, get func(T) ref.Val) field {
	return field{typ, func(o any) ref.Val { return get(o.(*object).data.(T)) }}
}

// ConvertToNative implements ref.Val.
func (o *object) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("cannot convert %s to %q", o.typ.TypeName(), t)
}

// ConvertToType implements ref.Val.
func (o *object) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.TypeType:
		return o.typ
	case types.StringType:
		return types.String(o.text)
	}
	return types.NewErr("cannot convert %s to %q", o.typ.TypeName(), t.TypeName())
}

// Equal implements ref.Val.
func (o *object) Equal(other ref.Val) ref.Val { return types.Bool(ref.Val(o) == other) }

// Type implements ref.Val.
func (o *object) Type() ref.Type { return o.typ }

// Value implements ref.Val.
func (o *object) Value() any { return o }

// provider tells CEL the types of this package and their fields, and leaves the rest
// to the standard registry.
type provider struct {
	*types.Registry
	types map[string]map[string]*types.FieldType
}

func newProvider() (*provider, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	p := &provider{Registry: registry, types: map[string]map[string]*types.FieldType{}}
	for typ, fields := range fieldsOf() {
		p.types[typ] = map[string]*types.FieldType{}
		for name, f := range fields {
			p.types[typ][name] = &types.FieldType{
				Type:    f.typ,
				IsSet:   func(any) bool { return true },
				GetFrom: func(target any) (any, error) { return f.get(target), nil },
			}
		}
	}
	return p, nil
}

// names returns the fields of a type in order.
func (p *provider) names(typ string) []string { return slices.Sorted(maps.Keys(p.types[typ])) }

// FindStructType implements CEL's type provider.
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := p.types[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return p.Registry.FindStructType(name)
}

// FindStructFieldNames implements CEL's type provider.
func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	if _, ok := p.types[name]; ok {
		return p.names(name), true
	}
	return p.Registry.FindStructFieldNames(name)
}

// FindStructFieldType implements CEL's type provider.
func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	if fields, ok := p.types[name]; ok {
		f, ok := fields[field]
		return f, ok
	}
	return p.Registry.FindStructFieldType(name, field)
}

// variables are what expressions can begin with.
func variables() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Variable(findingVar, findingType), cel.Variable(entityVar, entityType),
		cel.Variable(upstreamVar, neighboursType), cel.Variable(downstreamVar, neighboursType),
		cel.Variable(historyVar, historyType), cel.Variable(changesVar, types.NewListType(changeType)),
		cel.Function("change", cel.MemberOverload("history_change", []*cel.Type{historyType, cel.StringType}, changeType,
			cel.BinaryBinding(func(h, target ref.Val) ref.Val { return changeOf(h, target) }))),
		cel.Function("outcomes", cel.MemberOverload("history_outcomes", []*cel.Type{historyType, cel.StringType, cel.StringType}, outcomesType,
			cel.FunctionBinding(func(args ...ref.Val) ref.Val { return outcomesOf(args[0], args[1], args[2]) }))),
	}
}
