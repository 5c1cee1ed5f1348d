package spec

import (
	"fmt"
	"regexp"

	yaml "go.yaml.in/yaml/v4"
)

// Secret is text that is never printed. It should come from ${env:NAME} or
// ${file:/path}. Convert it to string to use it.
type Secret string

// String returns "***", or "" for an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString returns String, so that no verb of fmt prints a secret.
func (s Secret) GoString() string { return s.String() }

// MarshalText returns String.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the text as it is.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(text)
	return nil
}

// Text is text for which a number, a time or a truth value is taken as written.
type Text string

// UnmarshalText takes the text as it is.
func (t *Text) UnmarshalText(text []byte) error {
	*t = Text(text)
	return nil
}

// Decimal is a number kept as it is written, such as 0.9995, so that no digit is
// lost to binary fractions.
type Decimal string

var decimalForm = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)

// UnmarshalText reads digits with an optional fraction.
func (d *Decimal) UnmarshalText(text []byte) error {
	if !decimalForm.Match(text) {
		return fmt.Errorf("want a decimal number such as 0.999, got %q", text)
	}
	*d = Decimal(text)
	return nil
}

// MarshalYAML writes the number without quotes.
func (d Decimal) MarshalYAML() (any, error) {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!float", Value: string(d)}, nil
}
