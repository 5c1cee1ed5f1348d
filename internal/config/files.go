package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Collect reads the YAML files of a directory and of those in it, in order of
// their paths, or the one file that path names, for [Options.Read]. Names that
// start with a dot are passed over: a mounted Kubernetes ConfigMap keeps its files
// a second time in such a directory, behind symbolic links.
func Collect(path string) (files []File, problems []Problem) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, []Problem{unreadable(path, err)}
	}
	if !info.IsDir() {
		return collectFile(nil, nil, path)
	}
	err = fs.WalkDir(os.DirFS(path), ".", func(name string, e fs.DirEntry, err error) error {
		full := filepath.Join(path, name)
		if err != nil {
			problems = append(problems, unreadable(full, err))
			return nil
		}
		hidden := name != "." && strings.HasPrefix(e.Name(), ".")
		switch {
		case e.IsDir() && hidden:
			return fs.SkipDir
		case e.IsDir() || hidden || !isYAML(name):
			return nil
		}
		files, problems = collectFile(files, problems, full)
		return nil
	})
	if err == nil && len(files) == 0 && len(problems) == 0 {
		err = errors.New("there is no .yaml or .yml file")
	}
	if err != nil {
		problems = append(problems, unreadable(path, err))
	}
	return files, problems
}

func collectFile(files []File, problems []Problem, name string) ([]File, []Problem) {
	text, err := os.ReadFile(name)
	if err != nil {
		return files, append(problems, unreadable(name, err))
	}
	return append(files, File{Name: name, Text: text}), problems
}

func isYAML(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".yaml" || ext == ".yml"
}
