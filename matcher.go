package flyball

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// MatchOp is the operator of a Matcher.
type MatchOp string

// The operators of Prometheus' matchers, on labels, and four comparisons, on
// numeric fields.
const (
	MatchEqual        MatchOp = "="
	MatchNotEqual     MatchOp = "!="
	MatchRegexp       MatchOp = "=~"
	MatchNotRegexp    MatchOp = "!~"
	MatchLess         MatchOp = "<"
	MatchLessEqual    MatchOp = "<="
	MatchGreater      MatchOp = ">"
	MatchGreaterEqual MatchOp = ">="
)

// Matcher is one condition on a sample: a label against a string or a regular
// expression, or a numeric field against a number. Make it with [ParseMatcher].
type Matcher struct {
	// Name of the label (=, !=, =~, !~) or of the numeric field (<, <=, >, >=).
	Name string
	// Op is the operator.
	Op MatchOp
	// Value is the right-hand side as written, without quotes.
	Value string
	// Number is the right-hand side of a comparison; a duration ("300ms") is in
	// nanoseconds.
	Number float64

	re *regexp.Regexp
}

// matchOps lists the operators, the longer of two with a common start first.
var matchOps = [...]MatchOp{
	MatchNotEqual, MatchRegexp, MatchNotRegexp, MatchLessEqual, MatchGreaterEqual,
	MatchEqual, MatchLess, MatchGreater,
}

// ParseMatcher reads one matcher: `service.name="checkout"`, `http.route=~"/api/.*"`,
// `duration > 300ms`. Quotes around a value are optional where it has no space.
// Regular expressions are RE2 and match the whole value, as in Prometheus.
func ParseMatcher(s string) (Matcher, error) {
	at := strings.IndexAny(s, "=!<>~")
	if at <= 0 {
		return Matcher{}, fmt.Errorf("cannot read matcher %q: want name, operator (= != =~ !~ < <= > >=) and value", s)
	}
	m := Matcher{Name: strings.TrimSpace(s[:at])}
	rest := s[at:]
	for _, op := range matchOps {
		if strings.HasPrefix(rest, string(op)) {
			m.Op = op
			break
		}
	}
	if m.Op == "" {
		return Matcher{}, fmt.Errorf("cannot read matcher %q: unknown operator at %q", s, rest)
	}
	value := strings.TrimSpace(rest[len(m.Op):])
	if strings.HasPrefix(value, `"`) || strings.HasPrefix(value, "`") {
		unquoted, err := strconv.Unquote(value)
		if err != nil {
			return Matcher{}, fmt.Errorf("cannot read matcher %q: the quotes of its value do not close", s)
		}
		value = unquoted
	} else if strings.IndexAny(value, "=!<>~") == 0 {
		return Matcher{}, fmt.Errorf("cannot read matcher %q: unknown operator at %q", s, rest)
	}
	m.Value = value
	return m, m.compile(s)
}

func (m *Matcher) compile(s string) error {
	switch m.Op {
	case MatchRegexp, MatchNotRegexp:
		re, err := regexp.Compile("^(?s:" + m.Value + ")$")
		if err != nil {
			return fmt.Errorf("cannot read matcher %q: %w", s, err)
		}
		m.re = re
	case MatchLess, MatchLessEqual, MatchGreater, MatchGreaterEqual:
		n, err := ParseQuantity(m.Value)
		if err != nil {
			return fmt.Errorf("cannot read matcher %q: %w", s, err)
		}
		m.Number = n
	}
	return nil
}

// ParseQuantity reads a number ("0.5", "1e3") or a duration ("300ms", "2s"),
// which it returns in nanoseconds.
func ParseQuantity(s string) (float64, error) {
	if n, err := strconv.ParseFloat(s, 64); err == nil && n == n {
		return n, nil
	}
	if d, err := time.ParseDuration(s); err == nil {
		return float64(d), nil
	}
	return 0, fmt.Errorf("%q is neither a number nor a duration such as 300ms", s)
}

// Numeric reports whether m compares a numeric field rather than a label.
func (m *Matcher) Numeric() bool {
	switch m.Op {
	case MatchLess, MatchLessEqual, MatchGreater, MatchGreaterEqual:
		return true
	}
	return false
}

// MatchString reports whether a label with this value (empty when absent) fits.
func (m *Matcher) MatchString(v string) bool {
	switch m.Op {
	case MatchEqual:
		return v == m.Value
	case MatchNotEqual:
		return v != m.Value
	case MatchRegexp:
		return m.re.MatchString(v)
	case MatchNotRegexp:
		return !m.re.MatchString(v)
	}
	panic("BUG: string matched by a comparison: " + m.String())
}

// MatchNumber reports whether a numeric field with this value fits. A field
// that is absent is NaN and fits nothing.
func (m *Matcher) MatchNumber(v float64) bool {
	switch m.Op {
	case MatchLess:
		return v < m.Number
	case MatchLessEqual:
		return v <= m.Number
	case MatchGreater:
		return v > m.Number
	case MatchGreaterEqual:
		return v >= m.Number
	}
	panic("BUG: number matched by a label operator: " + m.String())
}

// String returns the matcher in the form that ParseMatcher reads.
func (m *Matcher) String() string {
	if m.Numeric() {
		return m.Name + " " + string(m.Op) + " " + m.Value
	}
	return m.Name + string(m.Op) + strconv.Quote(m.Value)
}
