// Package scenario runs scenario files: one txtar file holds a configuration, the
// samples that arrive and a script of what happens and what must come of it. The
// machines are those of production; docs/scenarios.md is the manual of the
// format.
package scenario

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
	"github.com/flyball-io/flyball/internal/scenario/engine"
	"github.com/flyball-io/flyball/internal/scenario/input"
)

//go:embed default.yaml
var defaultConfig []byte

// Scenario is a scenario file that has been read.
type Scenario struct {
	// Path of the file.
	Path string
	// Comment is the text before the first part, for people.
	Comment string

	lines   []string // of the whole file
	options options
	spec    *config.Config
	later   map[string]*config.Config // that configure puts in place, by name
	input   *input.Input
	steps   []step
}

// Error is a scenario that cannot be read.
type Error struct {
	// File and Line are where the fault is.
	File string
	Line int
	// Message says what is wrong.
	Message string
}

// Error returns file, line and message.
func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message) }

// part is one file of the archive.
type part struct {
	name string
	from int // index of its first line
	text string
}

// Load reads a scenario file.
func Load(path string) (*Scenario, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read scenario: %w", err)
	}
	return Parse(path, string(text))
}

// Parse reads a scenario; path is where other files that it names are relative
// to.
func Parse(path, text string) (*Scenario, error) {
	s := &Scenario{Path: path, lines: strings.Split(text, "\n"), options: defaultOptions(), later: map[string]*config.Config{}}
	comment, parts := split(s.lines)
	s.Comment = comment
	known := map[string]part{}
	var configs []part
	later := map[string][]part{}
	for _, p := range parts {
		_, twice := known[p.name]
		switch {
		case twice:
			return nil, s.errorAt(p.from-1, "there are two parts named %s", p.name)
		case strings.HasSuffix(p.name, ".yaml"):
			if dir, _, below := strings.Cut(p.name, "/"); below {
				later[dir] = append(later[dir], p)
			} else {
				configs = append(configs, p)
			}
		case p.name != "options" && p.name != "input" && p.name != "script":
			return nil, s.errorAt(p.from-1, "unknown part %s: want options, *.yaml, input or script", p.name)
		}
		known[p.name] = p
	}
	if _, ok := known["script"]; !ok {
		return nil, s.errorAt(len(s.lines)-1, "there is no part -- script --, so this is no scenario")
	}
	if err := s.readOptions(known["options"]); err != nil {
		return nil, err
	}
	if err := s.readConfig(configs); err != nil {
		return nil, err
	}
	for name, parts := range later {
		spec, err := s.readParts(nil, parts)
		if err != nil {
			return nil, err
		}
		s.later[name] = spec
	}
	if err := s.readInput(known["input"]); err != nil {
		return nil, err
	}
	return s, s.readScript(known["script"])
}

// errorAt is an error at the line with that index.
func (s *Scenario) errorAt(index int, format string, args ...any) error {
	return &Error{File: s.Path, Line: index + 1, Message: fmt.Sprintf(format, args...)}
}

// split cuts an archive into its parts. A part begins with a line
// "-- name --".
func split(lines []string) (comment string, parts []part) {
	start := 0
	flush := func(end int) {
		text := strings.Join(lines[start:end], "\n")
		if len(parts) == 0 {
			comment = strings.TrimSpace(text)
		} else {
			parts[len(parts)-1].text = text
		}
	}
	for i, line := range lines {
		if name, ok := partName(line); ok {
			flush(i)
			parts = append(parts, part{name: name, from: i + 1})
			start = i + 1
		}
	}
	flush(len(lines))
	return comment, parts
}

func partName(line string) (string, bool) {
	rest, ok := strings.CutPrefix(strings.TrimRight(line, " \r"), "-- ")
	if !ok {
		return "", false
	}
	name, ok := strings.CutSuffix(rest, " --")
	return strings.TrimSpace(name), ok
}

// readConfig reads the directory that the options name and the YAML parts, as one
// configuration; the default one where there is neither.
func (s *Scenario) readConfig(parts []part) (err error) {
	dir := s.options.config
	if dir == "" {
		files := []config.File{{Name: "default.yaml", Text: defaultConfig}}
		if len(parts) > 0 {
			files = nil
		}
		s.spec, err = s.readParts(files, parts)
		return err
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(filepath.Dir(s.Path), dir)
	}
	files, problems := config.Collect(dir)
	for _, p := range problems {
		return s.errorAt(s.options.configLine, "cannot use configuration: %v", p)
	}
	s.spec, err = s.readParts(files, parts)
	return err
}

// readParts reads YAML parts and other files as one configuration.
func (s *Scenario) readParts(files []config.File, parts []part) (*config.Config, error) {
	offset := map[string]int{}
	for _, p := range parts {
		files = append(files, config.File{Name: p.name, Text: []byte(p.text)})
		offset[p.name] = p.from
	}
	read := config.Options{AllowUnresolved: true}
	spec, problems := read.Read(files)
	for _, p := range problems {
		from, ours := offset[p.File]
		switch {
		case p.Severity != strictyaml.Error:
		case ours:
			line := p.Line + from
			p.File, p.Line = "", 0
			return nil, s.errorAt(line-1, "%s", strings.TrimLeft(p.String(), ":0 "))
		default:
			return nil, s.errorAt(s.options.configLine, "cannot use configuration: %v", p)
		}
	}
	if err := engine.Validate(spec); err != nil {
		return nil, s.errorAt(0, "%v", err)
	}
	return spec, nil
}

func (s *Scenario) readInput(p part) error {
	in, err := input.Parse(p.text, input.SourcesOf(s.spec.Sources))
	if err != nil {
		line := 0
		if e, ok := err.(*input.Error); ok {
			line, err = e.Line, fmt.Errorf("%s", e.Message)
		}
		return s.errorAt(p.from+line-1, "%v", err)
	}
	s.input = in
	return nil
}
