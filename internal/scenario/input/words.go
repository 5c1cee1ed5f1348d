package input

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/spec"
)

// Words splits a line at spaces. What is in quotes or in braces stays together,
// and # starts a comment.
func Words(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	depth := 0
	flush := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"':
			quoted, err := strconv.QuotedPrefix(line[i:])
			if err != nil {
				return nil, fmt.Errorf("the quotes at %q do not close", line[i:])
			}
			word.WriteString(quoted)
			i += len(quoted) - 1
		case c == '#' && word.Len() == 0 && depth == 0:
			flush()
			return words, nil
		case (c == ' ' || c == '\t') && depth == 0:
			flush()
		default:
			switch c {
			case '{':
				depth++
			case '}':
				depth--
			}
			word.WriteByte(c)
		}
	}
	if depth != 0 {
		return nil, fmt.Errorf("the braces in %q do not close", strings.TrimSpace(line))
	}
	flush()
	return words, nil
}

var entityForm = regexp.MustCompile(`^[A-Za-z0-9_.:/-]+$`)

// Labels reads the name of an entity, labels in braces, or both: cart,
// {http.route="/pay"}, cart{http.route="/pay"}. The bare name is the value of
// entity.
func Labels(word, entity string) (flyball.Labels, error) {
	name, rest, braces := strings.Cut(word, "{")
	var pairs []string
	if name != "" {
		if !entityForm.MatchString(name) {
			return nil, fmt.Errorf("%q is no name; write {%s=%q}", name, entity, name)
		}
		pairs = append(pairs, entity, name)
	}
	if braces {
		inner, ok := strings.CutSuffix(rest, "}")
		if !ok {
			return nil, fmt.Errorf("labels %q do not end with a brace", word)
		}
		more, err := labelPairs(inner)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, more...)
	}
	seen := map[string]bool{}
	for i := 0; i < len(pairs); i += 2 {
		if seen[pairs[i]] {
			return nil, fmt.Errorf("label %q is given twice", pairs[i])
		}
		seen[pairs[i]] = true
	}
	return flyball.LabelsOf(pairs...), nil
}

func labelPairs(s string) ([]string, error) {
	var pairs []string
	for s = strings.TrimSpace(s); s != ""; {
		name, rest, ok := strings.Cut(s, "=")
		quoted, err := strconv.QuotedPrefix(strings.TrimSpace(rest))
		if !ok || err != nil {
			return nil, fmt.Errorf(`labels are written {name="value", name="value"}, got %q`, s)
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, fmt.Errorf("cannot read label value %s: %w", quoted, err)
		}
		pairs = append(pairs, strings.TrimSpace(name), value)
		s = strings.TrimSpace(strings.TrimSpace(rest)[len(quoted):])
		if s != "" {
			if s, ok = strings.CutPrefix(s, ","); !ok {
				return nil, fmt.Errorf("a comma is missing before %q", s)
			}
			s = strings.TrimSpace(s)
		}
	}
	return pairs, nil
}

// Duration reads a length of time that may have a sign: 1m30s, -10s, +30s.
func Duration(s string) (time.Duration, error) {
	rest, negative := strings.CutPrefix(s, "-")
	if !negative {
		rest = strings.TrimPrefix(s, "+")
	}
	d, err := spec.ParseDuration(rest)
	if negative {
		d = -d
	}
	return d, err
}

// FormatDuration writes what Duration reads, in its shortest form.
func FormatDuration(d time.Duration) string {
	if d < 0 {
		return "-" + FormatDuration(-d)
	}
	if d > 24*time.Hour && d%(24*time.Hour) != 0 {
		return spec.Duration(d.Truncate(24*time.Hour)).String() + FormatDuration(d%(24*time.Hour))
	}
	return spec.Duration(d).String()
}
