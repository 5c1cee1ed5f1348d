package condition

import (
	"fmt"
	"reflect"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// dict is a small map by name with an order of its own, so that an expression
// that walks it always walks the same way. CEL's own maps walk Go maps, whose
// order changes from run to run.
//
// It deliberately is not a traits.Mapper: through an Indexer a name that is not
// there can read as a value (labels: "") while has() and `in` still see that it
// is absent. The price is that a literal map does not compare equal to it, which
// is why wholeMaps refuses such comparisons when an expression is compiled.
type dict struct {
	names   []string
	values  []ref.Val
	missing ref.Val // what an absent name reads as; nil makes it an error
}

// add appends a name; of two alike the first counts.
func (d *dict) add(name string, value ref.Val) {
	if d.index(name) < 0 {
		d.names, d.values = append(d.names, name), append(d.values, value)
	}
}

func (d *dict) index(name string) int {
	for i, n := range d.names {
		if n == name {
			return i
		}
	}
	return -1
}

// Get implements traits.Indexer.
func (d *dict) Get(name ref.Val) ref.Val {
	s, ok := name.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(name)
	}
	if i := d.index(string(s)); i >= 0 {
		return d.values[i]
	}
	if d.missing != nil {
		return d.missing
	}
	return types.NewErr("no such key: %s", string(s))
}

// IsSet implements traits.FieldTester, for has().
func (d *dict) IsSet(name ref.Val) ref.Val { return d.Contains(name) }

// Contains implements traits.Container, for `in`.
func (d *dict) Contains(name ref.Val) ref.Val {
	s, ok := name.(types.String)
	return types.Bool(ok && d.index(string(s)) >= 0)
}

// Size implements traits.Sizer.
func (d *dict) Size() ref.Val { return types.Int(len(d.names)) }

// Iterator implements traits.Iterable: the names in order.
func (d *dict) Iterator() traits.Iterator {
	return types.NewStringList(types.DefaultTypeAdapter, d.names).Iterator()
}

// ConvertToNative implements ref.Val.
func (d *dict) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("cannot convert map to %q", t)
}

// ConvertToType implements ref.Val.
func (d *dict) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.MapType:
		return d
	case types.TypeType:
		return types.MapType
	}
	return types.NewErr("cannot convert map to %q", t.TypeName())
}

// Equal implements ref.Val.
func (d *dict) Equal(other ref.Val) ref.Val { return types.Bool(ref.Val(d) == other) }

// Type implements ref.Val.
func (d *dict) Type() ref.Type { return types.MapType }

// Value implements ref.Val.
func (d *dict) Value() any { return d }
