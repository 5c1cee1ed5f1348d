package strictyaml

import (
	"fmt"
	"regexp"
	"strings"
)

// Expander replaces references in text: ${env:NAME} by an environment variable,
// ${file:/path} by the content of a file without line breaks at its end. $${…}
// stands for ${…} itself. Any other text is left alone.
type Expander interface {
	// Expand returns text with its references replaced. The error names the
	// reference that gives nothing, and no content.
	Expand(text string) (string, error)
}

// References is the Expander over a lookup of variables and one of files.
type References struct {
	// Env returns the value of an environment variable, as os.LookupEnv does.
	Env func(name string) (string, bool)
	// ReadFile returns the content of a file, as os.ReadFile does.
	ReadFile func(path string) ([]byte, error)
}

var reference = regexp.MustCompile(`\$?\$\{(env|file):([^}]*)\}`)

// Expand replaces the references in text.
func (r References) Expand(text string) (string, error) {
	if !strings.Contains(text, "${") {
		return text, nil
	}
	var failed error
	out := reference.ReplaceAllStringFunc(text, func(ref string) string {
		if strings.HasPrefix(ref, "$$") {
			return ref[1:]
		}
		m := reference.FindStringSubmatch(ref)
		value, err := r.lookup(m[1], m[2])
		if err != nil && failed == nil {
			failed = err
		}
		return value
	})
	return out, failed
}

func (r References) lookup(kind, name string) (string, error) {
	if kind == "env" {
		value, ok := r.Env(name)
		if !ok {
			return "", fmt.Errorf("cannot expand ${env:%s}: the environment variable is not set", name)
		}
		return value, nil
	}
	data, err := r.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("cannot expand ${file:%s}: %w", name, err)
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}
