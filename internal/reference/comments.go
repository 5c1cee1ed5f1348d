package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
)

// comments are the comments of types, and of their fields as Type.Field.
type comments map[string]string

// readComments reads those of the types in a folder.
func readComments(dir string) (comments, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, fmt.Errorf("cannot list the types: %w", err)
	}
	all := comments{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("cannot read the types: %w", err)
		}
		for _, d := range file.Decls {
			if types, ok := d.(*ast.GenDecl); ok && types.Tok == token.TYPE {
				all.read(types)
			}
		}
	}
	return all, nil
}

func (c comments) read(d *ast.GenDecl) {
	for _, s := range d.Specs {
		t := s.(*ast.TypeSpec)
		doc := t.Doc
		if doc == nil {
			doc = d.Doc
		}
		c[t.Name.Name] = flat(doc.Text())
		fields, ok := t.Type.(*ast.StructType)
		if !ok {
			continue
		}
		for _, f := range fields.Fields.List {
			for _, n := range f.Names {
				c[t.Name.Name+"."+n.Name] = flat(f.Doc.Text())
			}
		}
	}
}

// flat makes a comment one line.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// firstSentence is that of a type's comment, without "X is the spec of kind X: ".
func (c comments) firstSentence(name string) string {
	text := c[name]
	if _, rest, found := strings.Cut(text, ": "); found && strings.Contains(text[:len(text)-len(rest)], "spec of") {
		text = rest
	}
	first, _, _ := strings.Cut(text, ". ")
	return cell(strings.TrimSuffix(first, "."))
}
