package strictyaml

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// field is what the tags of a struct field say.
type field struct {
	name         string
	index        int
	required     bool
	defaultValue string
	enum         []string
	min, max     string
}

// fieldsOf returns the fields of a struct type, in order.
func fieldsOf(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		sf := t.Field(i)
		name, _, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		f := field{name: name, index: i, required: sf.Tag.Get("required") == "true",
			defaultValue: sf.Tag.Get("default"), min: sf.Tag.Get("min"), max: sf.Tag.Get("max")}
		if e := sf.Tag.Get("enum"); e != "" {
			f.enum = strings.Split(e, "|")
		}
		out = append(out, f)
	}
	return out
}

func find(fields []field, name string) (field, bool) {
	for _, f := range fields {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

// SetDefaults fills the struct that into points to with the defaults of its
// tags, nested structs too. Pointers stay nil, slices and maps empty.
func SetDefaults(into any) { setDefaults(reflect.ValueOf(into).Elem()) }

func setDefaults(v reflect.Value) {
	if v.Kind() != reflect.Struct {
		return
	}
	for _, f := range fieldsOf(v.Type()) {
		fv := v.Field(f.index)
		if f.defaultValue == "" {
			setDefaults(fv)
			continue
		}
		if err := setText(fv, f.defaultValue); err != nil {
			panic(fmt.Sprintf("BUG: default of %s.%s: %v", v.Type(), f.name, err))
		}
	}
}

// setText parses a tag's text into v. A list is separated by commas.
func setText(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		v.SetBool(b)
		return err
	case reflect.Int, reflect.Int64:
		i, err := strconv.ParseInt(text, 10, 64)
		v.SetInt(i)
		return err
	case reflect.Slice:
		for _, item := range strings.Split(text, ",") {
			e := reflect.New(v.Type().Elem()).Elem()
			if err := setText(e, item); err != nil {
				return err
			}
			v.Set(reflect.Append(v, e))
		}
	default:
		return fmt.Errorf("cannot set a %s from text", v.Type())
	}
	return nil
}

// check holds the value of a field against its enum and range; only the code,
// message and hint of the problem are set.
func (f field) check(v reflect.Value) *Problem {
	if len(f.enum) > 0 && !slices.Contains(f.enum, v.String()) {
		return &Problem{Code: CodeInvalidValue, Message: fmt.Sprintf("unknown value %q", v.String()),
			Hint: DidYouMean(v.String(), f.enum)}
	}
	if !v.CanInt() {
		return nil
	}
	bound := func(text string) reflect.Value {
		b := reflect.New(v.Type()).Elem()
		if err := setText(b, text); err != nil {
			panic(fmt.Sprintf("BUG: range of %s: %v", f.name, err))
		}
		return b
	}
	if f.min != "" && v.Int() < bound(f.min).Int() {
		return &Problem{Code: CodeOutOfRange, Message: fmt.Sprintf("%v is below the minimum %s", v.Interface(), f.min)}
	}
	if f.max != "" && v.Int() > bound(f.max).Int() {
		return &Problem{Code: CodeOutOfRange, Message: fmt.Sprintf("%v is above the maximum %s", v.Interface(), f.max)}
	}
	return nil
}

// absentHint says what happens when the key is left out.
func (f field) absentHint() string {
	if f.defaultValue != "" {
		return "delete the line to get the default " + f.defaultValue
	}
	if f.required {
		return ""
	}
	return "delete the line or give it a value"
}
