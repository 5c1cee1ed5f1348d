package flyball

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

// Label is one name and value.
type Label struct {
	Name, Value string
}

// Labels is a set of labels, sorted by name, names unique. In JSON it is an
// object. A label with an empty value is the same as no label.
type Labels []Label

// LabelsOf builds Labels from pairs "name", "value", …; it drops empty values.
// An odd number of strings is a bug in the caller.
func LabelsOf(pairs ...string) Labels {
	if len(pairs)%2 != 0 {
		panic("BUG: LabelsOf needs names and values in pairs")
	}
	var ls Labels
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			ls = append(ls, Label{pairs[i], pairs[i+1]})
		}
	}
	sort.Slice(ls, func(i, j int) bool { return ls[i].Name < ls[j].Name })
	return ls
}

// Get returns the value of the label name, or "".
func (ls Labels) Get(name string) string {
	for _, l := range ls {
		if l.Name == name {
			return l.Value
		}
	}
	return ""
}

// String returns {name="value", …}, as people write it in PromQL.
func (ls Labels) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, l := range ls {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s=%q", l.Name, l.Value)
	}
	b.WriteByte('}')
	return b.String()
}

// JSON returns the canonical form of ls: an object with its names sorted. Two
// label sets are equal when these strings are; it is the key of a series on the
// wire and in tables.
func (ls Labels) JSON() string {
	b, err := ls.MarshalJSON()
	if err != nil {
		panic("BUG: labels do not encode: " + err.Error())
	}
	return string(b)
}

// MarshalJSON writes the canonical form.
func (ls Labels) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, l := range ls {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSONString(b, l.Name)
		b = append(b, ':')
		b = appendJSONString(b, l.Value)
	}
	return append(b, '}'), nil
}

// UnmarshalJSON reads an object of strings.
func (ls *Labels) UnmarshalJSON(data []byte) error {
	var m map[string]string
	if err := json.Unmarshal(data, &m); err != nil {
		return fmt.Errorf("cannot read labels: %w", err)
	}
	*ls = nil
	for n, v := range m {
		*ls = append(*ls, Label{n, v})
	}
	sort.Slice(*ls, func(i, j int) bool { return (*ls)[i].Name < (*ls)[j].Name })
	return nil
}

func appendJSONString(dst []byte, s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic("BUG: a string does not encode: " + err.Error())
	}
	return append(dst, b...)
}
