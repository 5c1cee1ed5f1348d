package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// commands calls each with every command of ours that does something.
func commands(c *cobra.Command, each func(*cobra.Command)) {
	for _, sub := range c.Commands() {
		if sub.Hidden || sub.Name() == "help" || sub.Name() == "completion" {
			continue
		}
		each(sub)
		commands(sub, each)
	}
}

// noData are the commands that print no data, or in a format of their own, and why.
var noData = map[string]string{
	"flyball run":                "logs",
	"flyball man":                "writes files",
	"flyball convert":            "prints a configuration",
	"flyball loadgen":            "sends telemetry",
	"flyball topics":             "has subcommands",
	"flyball topics create":      "says nothing",
	"flyball schema":             "has subcommands",
	"flyball schema check":       "says what is missing",
	"flyball slo forecast":       "prints NDJSON always",
	"flyball canary start":       "prints an id",
	"flyball canary cancel":      "says nothing",
	"flyball executor":           "logs",
	"flyball slo":                "has subcommands",
	"flyball slo replay":         "prints NDJSON always",
	"flyball judge":              "prints JSON always",
	"flyball detect":             "prints CSV",
	"flyball canary":             "has subcommands",
	"flyball pause":              "sends a control",
	"flyball resume":             "sends a control",
	"flyball approve":            "sends a control",
	"flyball reject":             "sends a control",
	"flyball findings":           "has subcommands",
	"flyball findings label":     "sends a label",
	"flyball debug":              "has subcommands",
	"flyball debug bundle":       "writes an archive",
	"flyball deadletter requeue": "sends records",
	"flyball deadletter show":    "prints the record as it is",
}

func TestEveryCommandIsExplained(t *testing.T) {
	root := newRoot()
	root.InitDefaultHelpCmd()
	known := map[string]*cobra.Command{}
	commands(root, func(c *cobra.Command) { known[c.CommandPath()] = c })
	if len(known) < 30 {
		t.Fatalf("only %d commands are found", len(known))
	}
	for path, c := range known {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: its short description is %q", path, c.Short)
		}
		if c.Example == "" {
			t.Errorf("%s has no examples", path)
		}
		output := c.Flag("output")
		if output == nil {
			output = c.InheritedFlags().Lookup("output")
		}
		if _, exempt := noData[path]; output == nil && !exempt {
			t.Errorf("%s has no -o json, and is not among those that print no data", path)
		}
		if output != nil && output.Shorthand != "o" && path != "flyball detect" { // a file, there
			t.Errorf("%s: --output has no -o", path)
		}
	}
	for path := range noData {
		if known[path] == nil {
			t.Errorf("there is no command %q", path)
		}
	}
}

// Examples name commands and flags that there are.
func TestExamplesAreRight(t *testing.T) {
	root := newRoot()
	root.InitDefaultCompletionCmd()
	commands(root, func(c *cobra.Command) {
		for line := range strings.Lines(c.Example) {
			for part := range strings.SplitSeq(line, "|") {
				words := strings.Fields(part)
				at := slices.Index(words, "flyball")
				if at < 0 {
					continue
				}
				target, rest, err := root.Find(words[at+1:])
				if err != nil || target == root {
					t.Errorf("%s: there is no command as in %q: %v", c.CommandPath(), strings.TrimSpace(line), err)
					continue
				}
				for _, w := range rest {
					name, isFlag := strings.CutPrefix(w, "--")
					if name, _, _ = strings.Cut(name, "="); !isFlag || name == "" {
						continue
					}
					if target.Flag(name) == nil && target.InheritedFlags().Lookup(name) == nil {
						t.Errorf("%s: %s has no flag --%s, as in %q", c.CommandPath(), target.CommandPath(), name, strings.TrimSpace(line))
					}
				}
			}
		}
	})
}

// What is mistyped is a usage error that says what was perhaps meant.
func TestDidYouMean(t *testing.T) {
	f := func(args, want string) {
		t.Helper()
		root := newRoot()
		var out bytes.Buffer
		root.SetOut(&out)
		root.SetErr(&out)
		root.SetArgs(strings.Fields(args))
		err := root.Execute()
		var coded *codedError
		if !errors.As(err, &coded) || coded.code != exitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("flyball %s: %v, want %q", args, err, want)
		}
	}
	f("tial findings", `unknown command "tial" for "flyball"; did you mean "tail"?`)
	f("tial findings --config x --severity page", `unknown command "tial" for "flyball"; did you mean "tail"?`)
	f("stauts", `did you mean "status"?`)
	f("slo stauts", `unknown command "stauts" for "flyball slo"; did you mean "status"?`)
	f("topics chekc", `did you mean "check"?`)
	f("migrate sttus", `did you mean "status"?`)
	f("deadletter lst", `did you mean "list"?`)
	f("run --confg x", `unknown flag: --confg; did you mean "--config"?; see flyball run --help`)
	f("tail findings --servce cart", `did you mean "--service"?`)
	f("status --zzzzzz", "unknown flag: --zzzzzz; see flyball status --help")
}

// Man pages and completions know every command.
func TestManualsAndCompletionsAreWhole(t *testing.T) {
	dir := t.TempDir()
	root := newRoot()
	root.SetArgs([]string{"man", dir})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	commands(newRoot(), func(c *cobra.Command) {
		page := filepath.Join(dir, strings.ReplaceAll(c.CommandPath(), " ", "-")+".1")
		text, err := os.ReadFile(page)
		if err != nil {
			t.Error(err)
			return
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !bytes.Contains(text, []byte(strings.ReplaceAll(f.Name, "-", `\-`))) && !bytes.Contains(text, []byte(f.Name)) {
				t.Errorf("%s does not explain --%s", page, f.Name)
			}
		})
		// Completion asks the program: __complete with the words so far.
		root := newRoot()
		var out bytes.Buffer
		root.SetOut(&out)
		root.SetErr(new(bytes.Buffer))
		words := strings.Fields(c.CommandPath())[1:]
		root.SetArgs(append(append([]string{"__complete"}, words[:len(words)-1]...), words[len(words)-1][:2]))
		if err := root.Execute(); err != nil || !strings.Contains(out.String(), c.Name()) {
			t.Errorf("completion does not offer %s: %v\n%s", c.CommandPath(), err, out.String())
		}
	})
	root = newRoot()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs([]string{"__complete", "tail", "fin"})
	if err := root.Execute(); err != nil || !strings.Contains(out.String(), "findings") {
		t.Errorf("completion does not offer kinds: %v\n%s", err, out.String())
	}
}
