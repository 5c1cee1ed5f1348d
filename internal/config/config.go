package config

import (
	"fmt"
	"os"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
	"github.com/flyball-io/flyball/processors/remediation/condition"
	"github.com/flyball-io/flyball/processors/remediation/gate"
)

// Config is a whole configuration. Its lists are sorted by name.
type Config struct {
	// Pipeline says how Flyball itself runs.
	Pipeline Pipeline
	// Sources is the telemetry that is read.
	Sources []flyball.Source
	// Indicators is what is measured.
	Indicators []flyball.Indicator
	// SLOs are the objectives on indicators; an OpenSLO document with several
	// objectives gives several.
	SLOs []flyball.SLO
	// Canaries say how new versions are compared with old ones.
	Canaries []flyball.Canary
	// Detectors say which series are watched for anomalies; without one none are.
	Detectors []flyball.Detector
	// Rules turn findings into commands.
	Rules []flyball.Rule
	// Guardrails say where rules may act, and how much.
	Guardrails []gate.Guardrail
	// Topology says which services need which.
	Topology gate.Topology
	// Actions are what executors can do, by name; empty when that is not said.
	Actions map[string][]spec.ActionParam
	// Executors obey commands.
	Executors []Executor
	// Receivers are told of findings and decisions.
	Receivers []Receiver
}

// Problem is one thing that is wrong with a configuration, and where.
type Problem = strictyaml.Problem

// Error is a configuration that cannot be used. It holds warnings too.
type Error struct {
	// Problems in order of file and line.
	Problems []Problem
}

// Error returns every problem, one per line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("cannot use configuration:")
	for _, p := range e.Problems {
		b.WriteString("\n" + p.String())
	}
	return b.String()
}

// ExprIssue is one thing that is wrong with an expression.
type ExprIssue struct {
	// Line and Col of the character in the expression, counted from 1.
	Line, Col int
	// Message says what is wrong.
	Message string
	// Hint says what to do about it, where that is known.
	Hint string
}

// File is one YAML file.
type File struct {
	// Name is the path as problems show it.
	Name string
	// Text is the content.
	Text []byte
}

// Options says what reading a configuration may use. The zero value reads
// references from the environment and the file system, and checks expressions
// as the language of package condition.
type Options struct {
	// CheckExpr checks the condition of a rule; nil means the language of package
	// condition.
	CheckExpr func(expr string) []ExprIssue
	// CheckTemplate checks a text with places; nil means the same language.
	CheckTemplate func(text string) []ExprIssue
	// LookupEnv serves ${env:NAME}; nil means os.LookupEnv.
	LookupEnv func(name string) (string, bool)
	// ReadFile serves ${file:/path}; nil means os.ReadFile.
	ReadFile func(path string) ([]byte, error)
	// AllowUnresolved makes a reference that gives nothing a warning, for checks
	// on a machine that does not have the secrets.
	AllowUnresolved bool
	// SLOsOnly reads the objectives, periods and tiers of SLOs for use on counts
	// that come from elsewhere: what their metric sources name need not exist, and
	// tiers that cannot fire are warnings.
	SLOsOnly bool
}

// Load reads the configuration in dir, a directory or one file. A configuration
// with an error in it gives an *Error.
func Load(dir string) (*Config, error) { return Options{}.Load(dir) }

// Lint returns everything that is wrong with the configuration in dir, a
// directory or one file. References that give nothing are warnings here.
func Lint(dir string) []Problem { return Options{AllowUnresolved: true}.Lint(dir) }

// Load is [Load] with these options.
func (o Options) Load(dir string) (*Config, error) {
	files, unread := Collect(dir)
	c, problems := o.Read(files)
	problems = append(unread, problems...)
	if strictyaml.HasErrors(problems) {
		strictyaml.Sort(problems)
		return nil, &Error{Problems: problems}
	}
	return c, nil
}

// Lint is [Lint] with these options.
func (o Options) Lint(dir string) []Problem {
	files, problems := Collect(dir)
	_, more := o.Read(files)
	problems = append(problems, more...)
	strictyaml.Sort(problems)
	return problems
}

// Read reads the documents of files. The Config is complete only when none of
// the problems is an error.
func (o Options) Read(files []File) (*Config, []Problem) {
	if o.CheckExpr == nil || o.CheckTemplate == nil {
		o = o.withLanguage()
	}
	l := newLoading(o)
	for _, f := range files {
		l.file(f)
	}
	c := l.compile()
	problems := l.allProblems()
	strictyaml.Sort(problems)
	return c, problems
}

// withLanguage fills in the checks of expressions that are not given.
func (o Options) withLanguage() Options {
	language, err := condition.NewLanguage()
	if err != nil {
		panic("BUG: " + err.Error())
	}
	if o.CheckExpr == nil {
		o.CheckExpr = func(expr string) []ExprIssue {
			_, issues := language.Compile(expr)
			return exprIssues(issues)
		}
	}
	if o.CheckTemplate == nil {
		o.CheckTemplate = func(text string) []ExprIssue {
			_, issues := language.Template(text)
			return exprIssues(issues)
		}
	}
	return o
}

func exprIssues(issues []condition.Issue) []ExprIssue {
	var out []ExprIssue
	for _, i := range issues {
		out = append(out, ExprIssue(i))
	}
	return out
}

func (o Options) decoder() strictyaml.Decoder {
	refs := strictyaml.References{Env: o.LookupEnv, ReadFile: o.ReadFile}
	if refs.Env == nil {
		refs.Env = os.LookupEnv
	}
	if refs.ReadFile == nil {
		refs.ReadFile = os.ReadFile
	}
	dec := strictyaml.Decoder{Expand: refs}
	if o.AllowUnresolved {
		dec.Unresolved = strictyaml.Warning
	}
	return dec
}

func unreadable(file string, err error) Problem {
	return Problem{File: file, Code: strictyaml.CodeUnreadable, Severity: strictyaml.Error,
		Message: fmt.Sprintf("cannot read configuration: %v", err)}
}

// Duration is a length of time; see [spec.Duration].
type Duration = spec.Duration

// Secret is text that is never printed; see [spec.Secret].
type Secret = spec.Secret
