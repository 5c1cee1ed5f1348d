package scenario

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Options says how scenarios are run.
type Options struct {
	// Update replaces outputs in the files that differ.
	Update bool
	// Once leaves out the runs with other partitions, flush intervals and faults.
	Once bool
	// Talk, when set, is told every command and what came of it.
	Talk io.Writer
}

// Report is what came of one scenario.
type Report struct {
	// Path of the file.
	Path string
	// Failures are what is not as it says.
	Failures []Failure
	// Updated is set when the file was changed.
	Updated bool
	// Took is how long it ran.
	Took time.Duration
}

// Run runs the scenario. An error means that it could not be run at all.
func (s *Scenario) Run(o Options) (Report, error) {
	started := time.Now()
	rep := Report{Path: s.Path}
	r, err := s.start(s.config())
	if err != nil {
		return rep, err
	}
	blocks := map[*golden][]string{}
	var update func(*golden, []string)
	if o.Update {
		update = func(g *golden, out []string) { blocks[g] = out }
	}
	if rep.Failures, err = r.check(update, o.Talk); err != nil {
		return rep, err
	}
	if len(blocks) > 0 {
		if err := os.WriteFile(s.Path, []byte(s.updated(blocks)), 0o644); err != nil {
			return rep, fmt.Errorf("cannot update %q: %w", s.Path, err)
		}
		rep.Updated = true
	}
	if !o.Once {
		more, err := s.vary()
		if err != nil {
			return rep, err
		}
		rep.Failures = append(rep.Failures, more...)
	}
	rep.Took = time.Since(started)
	return rep, nil
}

// Find returns the scenario files that patterns name: files, and all of a
// directory and those below it, written dir or dir/.... A .txtar file in a
// directory that has no script is none.
func Find(patterns []string) ([]string, error) {
	var out []string
	for _, pattern := range patterns {
		root := strings.TrimSuffix(strings.TrimSuffix(pattern, "..."), string(filepath.Separator))
		if root == "" {
			root = "."
		}
		info, err := os.Stat(root)
		if err != nil {
			return nil, fmt.Errorf("cannot find scenarios: %w", err)
		}
		if !info.IsDir() {
			out = append(out, root)
			continue
		}
		err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
			if d.IsDir() || filepath.Ext(path) != ".txtar" {
				return nil
			}
			ok, err := hasScript(path)
			if ok {
				out = append(out, path)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("cannot find scenarios in %q: %w", root, err)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) == 0 {
		return nil, errors.New("there is no scenario: a scenario is a .txtar file with a part -- script --")
	}
	return out, nil
}

func hasScript(path string) (bool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	_, parts := split(strings.Split(string(text), "\n"))
	return slices.ContainsFunc(parts, func(p part) bool { return p.name == "script" }), nil
}
