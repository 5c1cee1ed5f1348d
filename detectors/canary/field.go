package canary

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// FieldError is a request that cannot be read: which field, what is wrong, and
// what to do.
type FieldError struct {
	Field   string
	Problem string
	Fix     string
}

// Error returns the sentence for a person.
func (e *FieldError) Error() string {
	return fmt.Sprintf("cannot read request field %q: %s; %s", e.Field, e.Problem, e.Fix)
}

// field is a JSON value and where it stands. The first error sticks, so that a
// reader of many fields checks once.
type field struct {
	path  string
	value any
	err   *error
}

func parse(text []byte) (field, error) {
	d := json.NewDecoder(bytes.NewReader(quoteNonNumbers(text)))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		var syntax *json.SyntaxError
		at := "its end"
		if errors.As(err, &syntax) {
			at = fmt.Sprintf("byte %d", syntax.Offset)
		}
		return field{}, &FieldError{"", fmt.Sprintf("it is not JSON at %s: %v", at, err), "give the JSON object {canaryConfig, scoreThresholds, metricSetPairList}"}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return field{}, &FieldError{"", "there is more after the JSON object", "give one request"}
	}
	return field{"", value, new(error)}, nil
}

// quoteNonNumbers puts the bare words NaN, Infinity and -Infinity, which several
// JSON writers emit, in quotes.
func quoteNonNumbers(text []byte) []byte {
	var out []byte
	inString, copied := false, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case !inString:
			for _, word := range []string{"NaN", "Infinity", "-Infinity"} {
				if bytes.HasPrefix(text[i:], []byte(word)) {
					out = append(append(append(out, text[copied:i]...), '"'), word...)
					out = append(out, '"')
					i += len(word) - 1
					copied = i + 1
					break
				}
			}
		}
	}
	return append(out, text[copied:]...)
}

func (f field) fail(problem, fix string) {
	if *f.err == nil {
		*f.err = &FieldError{f.path, problem, fix}
	}
}

func (f field) missing() bool { return f.value == nil }

// get returns a member of an object; missing when there is none.
func (f field) get(name string) field {
	path := name
	if f.path != "" {
		path = f.path + "." + name
	}
	child := field{path, nil, f.err}
	switch object := f.value.(type) {
	case nil:
	case map[string]any:
		child.value = object[name]
	default:
		f.fail(fmt.Sprintf("it is %s", describe(f.value)), "give an object")
	}
	return child
}

func (f field) members() map[string]any {
	if f.missing() {
		return nil
	}
	object, ok := f.value.(map[string]any)
	if !ok {
		f.fail(fmt.Sprintf("it is %s", describe(f.value)), "give an object")
	}
	return object
}

func (f field) list() []field {
	if f.missing() {
		return nil
	}
	values, ok := f.value.([]any)
	if !ok {
		f.fail(fmt.Sprintf("it is %s", describe(f.value)), "give a list")
	}
	list := make([]field, len(values))
	for i, v := range values {
		list[i] = field{f.path + "[" + strconv.Itoa(i) + "]", v, f.err}
	}
	return list
}

func (f field) text(otherwise string) string {
	if f.missing() {
		return otherwise
	}
	s, ok := f.value.(string)
	if !ok {
		f.fail(fmt.Sprintf("it is %s", describe(f.value)), "give a string")
	}
	return s
}

func (f field) truth() bool {
	if f.missing() {
		return false
	}
	b, ok := f.value.(bool)
	if !ok {
		f.fail(fmt.Sprintf("it is %s", describe(f.value)), "give true or false")
	}
	return b
}

func (f field) number(otherwise float64) float64 {
	if f.missing() {
		return otherwise
	}
	if n, ok := f.value.(json.Number); ok {
		if v, err := n.Float64(); err == nil {
			return v
		}
	}
	f.fail(fmt.Sprintf("it is %s", describe(f.value)), "give a number")
	return otherwise
}

// coerced takes a string that holds a number for the number, as Kayenta does where
// its types say that there is one.
func (f field) coerced() field {
	if text, ok := f.value.(string); ok {
		if _, err := strconv.ParseFloat(text, 64); err == nil && strings.Trim(text, "+-0123456789.eE") == "" {
			f.value = json.Number(text)
		}
	}
	return f
}

// within is number, and the ends of the range it must lie in.
func (f field) within(otherwise, low, high float64) float64 {
	v := f.number(otherwise)
	if !(v >= low && v <= high) {
		f.fail(fmt.Sprintf("%v is out of range", v), fmt.Sprintf("give a number from %v to %v", low, high))
	}
	return v
}

// panes is a number of panes.
func (f field) panes() int {
	n := f.within(0, 0, 1e6)
	if n != math.Trunc(n) {
		f.fail(fmt.Sprintf("%v is not a whole number", n), "give a number of panes")
	}
	return int(n)
}

// sample is a number that may be absent: null or NaN.
func (f field) sample() float64 {
	f = f.coerced()
	if text, ok := f.value.(string); ok {
		switch text {
		case "NaN":
			return math.NaN()
		case "Infinity":
			return math.Inf(1)
		case "-Infinity":
			return math.Inf(-1)
		}
		f.fail(fmt.Sprintf("%q is not a number", text), `give a number, or "NaN" where there is none`)
	}
	return f.number(math.NaN())
}

// instant is a time in RFC 3339, in milliseconds of Unix time; 0 when missing.
func (f field) instant() int64 {
	text := f.text("")
	if text == "" {
		return 0
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		f.fail(fmt.Sprintf("%q is not a time", text), "give a time such as 2026-01-31T12:00:00Z")
	}
	return at.UnixMilli()
}

func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "missing"
	case string:
		return "the string " + strconv.Quote(v)
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return "the number " + v.String()
	case []any:
		return "a list"
	}
	return "an object"
}
