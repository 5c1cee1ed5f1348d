package spec

import (
	"fmt"
	"regexp"

	"go.yaml.in/yaml/v4"
)

// Margin is a ratio such as 1.1, or a difference: 0.5pp, 20ms or +5.
type Margin string

var marginForm = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?(pp|ns|us|ms|s|m)?|\+[0-9]+(\.[0-9]+)?)$`)

// UnmarshalText reads one of the forms.
func (m *Margin) UnmarshalText(text []byte) error {
	if !marginForm.Match(text) {
		return fmt.Errorf("want a ratio such as 1.1, or a difference such as 0.5pp, 20ms or +5, got %q", text)
	}
	*m = Margin(text)
	return nil
}

// MarshalYAML writes a ratio without quotes.
func (m Margin) MarshalYAML() (any, error) {
	if decimalForm.MatchString(string(m)) {
		return Decimal(m).MarshalYAML()
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: string(m)}, nil
}
