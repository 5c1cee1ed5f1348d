// Package lint holds the rules of the house as tests: who may import whom, what
// pure packages must not use, and how large things may grow.
package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	module           = "github.com/flyball-io/flyball"
	maxFileLines     = 500
	maxFunctionLines = 70
	maxMethods       = 3
	maxPackageLines  = 2000
	maxRootLines     = 1750
)

// file is one Go source file of the project that is not a test.
type file struct {
	path string // from the root of the module
	dir  string
	fset *token.FileSet
	ast  *ast.File
	size int // lines
}

func sources(t *testing.T) []file {
	t.Helper()
	root := filepath.Join("..", "..")
	out, err := exec.Command("git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard", "*.go").Output()
	if err != nil {
		t.Fatalf("cannot list the files of the project: %v", err)
	}
	var files []file
	for _, path := range strings.Fields(string(out)) {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, path))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, path, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file{path, filepath.Dir(path), fset, parsed, strings.Count(string(text), "\n")})
	}
	if len(files) < 10 {
		t.Fatalf("found only %d files", len(files))
	}
	return files
}

// stage returns the stage that a folder belongs to, or "".
func stage(dir string) string {
	first, _, _ := strings.Cut(dir, "/")
	if slices.Contains([]string{"ingest", "processors", "detectors", "sinks"}, first) {
		return first
	}
	return ""
}

func pure(dir string) bool {
	return dir == "." || stage(dir) == "processors" || stage(dir) == "detectors"
}

func imports(f file) []string {
	var list []string
	for _, i := range f.ast.Imports {
		list = append(list, strings.Trim(i.Path.Value, `"`))
	}
	return list
}

func TestImportDirection(t *testing.T) {
	for _, f := range sources(t) {
		for _, path := range imports(f) {
			inside, ok := strings.CutPrefix(path, module+"/")
			if !ok {
				if f.dir == "." && strings.Contains(path, ".") {
					t.Errorf("%s imports %s: the root package imports the standard library only", f.path, path)
				}
				continue
			}
			switch from, to := stage(f.dir), stage(inside); {
			case f.dir == ".":
				t.Errorf("%s imports %s: the root package imports nothing of the module", f.path, path)
			case from != "" && to == "":
				t.Errorf("%s imports %s: a stage imports the root package and its own contract only", f.path, path)
			case from != "" && from != to && !(strings.HasPrefix(f.dir, "processors/evaluate") && inside == "detectors"):
				t.Errorf("%s imports %s: stages do not import each other", f.path, path)
			}
		}
	}
}

func TestPurePackagesDoNoIO(t *testing.T) {
	banned := []string{"net", "net/http", "os", "os/exec", "sync", "sync/atomic", "log", "log/slog", "context"}
	for _, f := range sources(t) {
		if !pure(f.dir) {
			continue
		}
		for _, path := range imports(f) {
			if slices.Contains(banned, path) || strings.Contains(path, "franz-go") || strings.Contains(path, "clickhouse") {
				t.Errorf("%s imports %s: this package is pure", f.path, path)
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: a pure package starts no goroutine", f.fset.Position(n.Pos()))
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker"}, n.Sel.Name) {
					t.Errorf("%s: time.%s in a pure package", f.fset.Position(n.Pos()), n.Sel.Name)
				}
			}
			return true
		})
	}
}

func TestSizes(t *testing.T) {
	packages := map[string]int{}
	for _, f := range sources(t) {
		packages[f.dir] += f.size
		if f.size > maxFileLines {
			t.Errorf("%s has %d lines, at most %d", f.path, f.size, maxFileLines)
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Body == nil {
					break
				}
				if lines := f.fset.Position(n.Body.End()).Line - f.fset.Position(n.Pos()).Line; lines > maxFunctionLines {
					t.Errorf("%s: %s has %d lines, at most %d", f.path, n.Name.Name, lines, maxFunctionLines)
				}
			case *ast.InterfaceType:
				if n.Methods.NumFields() > maxMethods {
					t.Errorf("%s: an interface has %d methods, at most %d", f.fset.Position(n.Pos()), n.Methods.NumFields(), maxMethods)
				}
			}
			return true
		})
	}
	for dir, lines := range packages {
		limit := maxPackageLines
		if dir == "." {
			limit = maxRootLines
		}
		if lines > limit {
			t.Errorf("package %s has %d lines, at most %d", dir, lines, limit)
		}
	}
}

func TestNoInitAndNoVagueNames(t *testing.T) {
	vague := []string{"util", "utils", "common", "helper", "helpers", "manager", "types", "misc"}
	for _, f := range sources(t) {
		base := strings.TrimSuffix(filepath.Base(f.path), ".go")
		if slices.Contains(vague, base) || slices.Contains(vague, f.ast.Name.Name) {
			t.Errorf("%s: its name says nothing", f.path)
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: init functions hide what is registered where", f.path)
			}
		}
	}
}

func TestExportedNamesAreDocumented(t *testing.T) {
	for _, f := range sources(t) {
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && exportedReceiver(d) && d.Doc == nil {
					t.Errorf("%s: %s has no doc comment", f.fset.Position(d.Pos()), d.Name.Name)
				}
			case *ast.GenDecl:
				undocumented(t, f, d)
			}
		}
	}
}

func undocumented(t *testing.T, f file, d *ast.GenDecl) {
	t.Helper()
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
				t.Errorf("%s: %s has no doc comment", f.fset.Position(s.Pos()), s.Name.Name)
			}
		case *ast.ValueSpec:
			if s.Names[0].IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
				t.Errorf("%s: %s has no doc comment", f.fset.Position(s.Pos()), s.Names[0].Name)
			}
		}
	}
}

// exportedReceiver reports whether a function is one that others can call:
// methods of unexported types only serve interfaces.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	x := d.Recv.List[0].Type
	for {
		switch e := x.(type) {
		case *ast.StarExpr:
			x = e.X
		case *ast.IndexExpr:
			x = e.X
		case *ast.Ident:
			return e.IsExported()
		default:
			return false
		}
	}
}
