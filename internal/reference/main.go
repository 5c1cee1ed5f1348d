// Command reference writes the reference of the configuration, a page for every kind:
// go run ./internal/reference docs/reference. The types say what there is, their tags what
// is allowed, and their comments what it means.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/flyball-io/flyball/internal/config"
)

// specs is where the types are.
const specs = "internal/config/spec"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "say into which directory: go run ./internal/reference docs/reference")
		os.Exit(2)
	}
	if err := write(os.Args[1], specs); err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

// write writes all pages, from the comments in a folder.
func write(dir, specs string) error {
	all, err := pages(specs)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("cannot make directory %q: %w", dir, err)
	}
	for name, text := range all {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("cannot write page: %w", err)
		}
	}
	return nil
}

// pages are the pages by the names of their files.
func pages(specs string) (map[string]string, error) {
	meanings, err := readComments(specs)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	index := indexHead
	for _, k := range config.Kinds() {
		p := page{kind: k, meanings: meanings}
		file := fileOf(k.Name)
		all[file] = p.text()
		index += fmt.Sprintf("| [%s](%s) | `%s` | %s |\n", k.Name, file, k.APIVersion, meanings.firstSentence(k.Spec.Name()))
	}
	all["README.md"] = index
	return all, nil
}

const indexHead = `# Reference of the configuration

Every kind with its fields, made from the types that read them (` + "`make reference`" + `). How they work together is in
[configuration](../configuration.md).

| kind | apiVersion | |
|---|---|---|
`
