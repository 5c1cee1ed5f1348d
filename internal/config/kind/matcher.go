package kind

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// ParseMatcher reads a matcher and refuses what would be read otherwise than it
// looks. Only message and hint of the problem are set.
func ParseMatcher(text string) (flyball.Matcher, *strictyaml.Problem) {
	m, err := flyball.ParseMatcher(text)
	if m.Op == flyball.MatchRegexp || m.Op == flyball.MatchNotRegexp {
		if _, reErr := regexp.Compile(m.Value); reErr != nil {
			return m, &strictyaml.Problem{Message: fmt.Sprintf("invalid regular expression: %s",
				strings.TrimPrefix(reErr.Error(), "error parsing regexp: ")),
				Hint: "the syntax is RE2's: no look-around and no back-references"}
		}
	}
	if name, value, ok := strings.Cut(text, "=="); err != nil && ok && !strings.ContainsAny(name, "=!<>~") {
		fixed := flyball.Matcher{Name: strings.TrimSpace(name), Op: flyball.MatchEqual, Value: strings.Trim(strings.TrimSpace(value), `"`)}
		return m, &strictyaml.Problem{Message: fmt.Sprintf("invalid matcher %q: the operator is =, not ==", text), Hint: "write " + fixed.String()}
	}
	if err != nil {
		message := strings.TrimPrefix(err.Error(), fmt.Sprintf("cannot read matcher %q: ", text))
		return m, &strictyaml.Problem{Message: fmt.Sprintf("invalid matcher %q: %s", text, message),
			Hint: `such as service.name="checkout" or duration > 300ms`}
	}
	if strings.ContainsAny(m.Name, " \t\r\n\"'`{}(),") {
		return m, &strictyaml.Problem{Message: fmt.Sprintf("invalid matcher %q: %q cannot be the name of a label", text, m.Name)}
	}
	if m.Numeric() {
		return m, nil
	}
	return m, looksOdd(text, m)
}

// looksOdd reports a value without quotes that was probably meant otherwise.
func looksOdd(text string, m flyball.Matcher) *strictyaml.Problem {
	raw := strings.TrimSpace(text[strings.Index(text, string(m.Op))+len(m.Op):])
	hint := fmt.Sprintf("write %s", m.String())
	switch {
	case strings.HasPrefix(raw, `"`) || strings.HasPrefix(raw, "`"):
		return nil
	case raw == "":
		return &strictyaml.Problem{Message: fmt.Sprintf("invalid matcher %q: the value is missing", text),
			Hint: fmt.Sprintf(`for a label that is absent write %s%s""`, m.Name, m.Op)}
	case strings.HasPrefix(raw, "'"):
		fixed := m
		fixed.Value = strings.Trim(raw, "'")
		return &strictyaml.Problem{Message: fmt.Sprintf("invalid matcher %q: a value has double quotes", text), Hint: "write " + fixed.String()}
	case strings.ContainsAny(raw, " \t\r\n\"`,"):
		return &strictyaml.Problem{Message: fmt.Sprintf("invalid matcher %q: a value with such characters needs quotes", text), Hint: hint}
	}
	return nil
}
