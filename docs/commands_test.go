package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// built makes bin/flyball as a reader does.
var built = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("make", "-C", root, "build").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("make build: %w\n%s", err, out)
	}
	return filepath.Abs(filepath.Join(root, "bin", "flyball"))
})

// commands is the command line: the flags of every command by its words, such as
// "flyball slo status".
type commands map[string]map[string]bool

var flagLine = regexp.MustCompile(`(?m)^ +(?:(-\w), )?(--[\w-]+)?`)

// tree reads it from the manual that the program writes about itself.
func tree(t *testing.T) commands {
	t.Helper()
	binary, err := built()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if out, err := exec.Command(binary, "man", "--format", "markdown", dir).CombinedOutput(); err != nil {
		t.Fatalf("flyball man: %v\n%s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil || len(files) < 20 {
		t.Fatalf("the manual has %d pages: %v", len(files), err)
	}
	all := commands{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		flags := map[string]bool{"-h": true, "--help": true}
		for _, b := range parse(file, string(text)).blocks {
			for _, m := range flagLine.FindAllStringSubmatch(b.text, -1) {
				flags[m[1]], flags[m[2]] = true, true
			}
		}
		all[strings.ReplaceAll(strings.TrimSuffix(filepath.Base(file), ".md"), "_", " ")] = flags
	}
	all["flyball"]["--version"] = true
	return all
}

// wrong says what is wrong with a command, given as words behind "flyball".
func (c commands) wrong(words []string) string {
	name := "flyball"
	for i, w := range words {
		if _, ok := c[name+" "+w]; ok && !strings.HasPrefix(w, "-") {
			name += " " + w
			continue
		}
		if i == 0 && !strings.HasPrefix(w, "-") && !placeholder(w) {
			return fmt.Sprintf("there is no command %q", w)
		}
		break
	}
	if group := name != "flyball" && name == "flyball "+words[0] && len(words) > 1; group {
		// slo, canary, topics, schema, findings do nothing by themselves.
		if _, args := c[name]["--config"]; !args && c.hasBelow(name) && !strings.HasPrefix(words[1], "-") && !placeholder(words[1]) {
			return fmt.Sprintf("%s has no command %q", name, words[1])
		}
	}
	for _, w := range words {
		if w == "--" {
			break
		}
		flag, _, _ := strings.Cut(w, "=")
		if strings.HasPrefix(flag, "-") && flag != "-" && !c[name][flag] {
			return fmt.Sprintf("%s has no flag %s", name, flag)
		}
	}
	return ""
}

func (c commands) hasBelow(name string) bool {
	for other := range c {
		if strings.HasPrefix(other, name+" ") {
			return true
		}
	}
	return false
}

// placeholder reports whether a word stands for another one.
func placeholder(w string) bool {
	return w == strings.ToUpper(w) || strings.ContainsAny(w, "…{<[")
}

// invocations finds what is called flyball in a piece of shell, as words without flyball.
func invocations(shell string) (all [][]string) {
	shell = strings.ReplaceAll(shell, "\\\n", " ")
	for _, line := range strings.Split(shell, "\n") {
		words, start := []string(nil), true // start: the next word is a command
		inside := false
		flush := func() {
			if inside && len(words) > 0 {
				all = append(all, words)
			}
			words, inside, start = nil, false, true
		}
		for _, token := range tokens(line) {
			switch {
			case token == "|" || token == ";" || token == "(" || token == ")" || token == "&":
				flush()
			case inside:
				words = append(words, token)
			case start && (token == "flyball" || strings.HasSuffix(token, "/flyball")):
				inside = true
			case start && strings.Contains(token, "=") || token == "exec" || token == "!":
			default:
				start = false
			}
		}
		flush()
	}
	return all
}

// tokens splits a line of shell into words and operators; comments and where output goes
// are left out.
func tokens(line string) (list []string) {
	var word strings.Builder
	any := false
	end := func() {
		if any {
			list = append(list, word.String())
		}
		word.Reset()
		any = false
	}
	quote := rune(0)
	redirected := false
	for i, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == '"' && r == '(' && strings.HasSuffix(line[:i], "$"), quote == 0 && r == '(':
			word.Reset()
			any = false
			quote = 0
			list = append(list, "(")
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, any = r, true
		case r == '#' && !any:
			end()
			return list
		case r == ' ' || r == '\t':
			if redirected && any {
				word.Reset()
				any, redirected = false, false
			}
			end()
		case r == '>' || r == '<':
			word.Reset()
			any, redirected = false, true
		case strings.ContainsRune("|;)&", r):
			if redirected {
				word.Reset()
				any, redirected = false, false
			}
			end()
			list = append(list, string(r))
		default:
			word.WriteRune(r)
			any = true
		}
	}
	if redirected {
		return list
	}
	end()
	return list
}

// TestCommands: every command that a page shows exists, with its flags.
func TestCommands(t *testing.T) {
	c := tree(t)
	seen := 0
	check := func(where string, line int, shell string) {
		t.Helper()
		for _, words := range invocations(shell) {
			seen++
			if problem := c.wrong(words); problem != "" {
				t.Errorf("%s:%d: flyball %s: %s", where, line, strings.Join(words, " "), problem)
			}
		}
	}
	for _, p := range pages() {
		for _, b := range p.blocks {
			if b.lang == "sh" || b.lang == "bash" || b.lang == "" {
				check(p.path, b.line, b.text)
			}
		}
		for _, s := range p.spans {
			if strings.HasPrefix(s.text, "flyball ") {
				check(p.path, s.line, s.text)
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d commands were found", seen)
	}
}

func TestInvocations(t *testing.T) {
	c := tree(t)
	f := func(shell, want string) {
		t.Helper()
		var got []string
		for _, words := range invocations(shell) {
			got = append(got, c.wrong(words))
		}
		if s := strings.Join(got, "|"); s != want || got == nil {
			t.Errorf("%s: %q (%d commands), want %q", shell, s, len(got), want)
		}
	}
	f("flyball lint ./config         # every mistake", "")
	f("flyball lnit ./config", `there is no command "lnit"`)
	f("flyball slo stauts", `flyball slo has no command "stauts"`)
	f("flyball dev --duraton 5s -o json | jq .", "flyball dev has no flag --duraton")
	f(`id=$(flyball canary start a b --version "$X") > out`, "")
	f(`echo "id=$(flyball canary strat a b)"`, `flyball canary has no command "strat"`)
	f("a=1 bin/flyball replay \\\n  --config x --nope", "flyball replay has no flag --nope")
	f("flyball version && flyball nope; flyball deadletter --config . --since 24h", `|there is no command "nope"|`)
	f(`flyball pause --config=c --why "it's --odd > really" --kill`, "")
}
