package scenario

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/remediation/gate"
)

// TestEveryGateHasAScenario: the file gate_NAME shows the gate refuse, alone, and a
// command that it let pass; and every class of outcomes has a file that tells what
// comes of it.
func TestEveryGateHasAScenario(t *testing.T) {
	read := func(name string) []string {
		text, err := os.ReadFile(filepath.Join("testdata", name+".txtar"))
		if err != nil {
			t.Error(err)
		}
		return strings.Split(string(text), "\n")
	}
	has := func(lines []string, kind, word string) bool {
		return slices.ContainsFunc(lines, func(line string) bool {
			words := strings.Fields(line)
			return len(words) > 2 && words[1] == kind && (word == "" || slices.Contains(words, word))
		})
	}
	for _, g := range gate.All() {
		lines := read("gate_" + g.Name())
		if !has(lines, kindDecision, "refused="+g.Name()) || !has(lines, kindCommand, "") {
			t.Errorf("scenario gate_%s does not show it saying no, and a command that passed", g.Name())
		}
	}
	for _, class := range flyball.OutcomeClasses() {
		said := func(line string) bool { return strings.HasPrefix(line, "outcome "+string(class)+" ") }
		if !slices.ContainsFunc(read("remediation_outcome_"+string(class)), said) {
			t.Errorf("scenario remediation_outcome_%s does not report it", class)
		}
	}
}
