package manual

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestManual(t *testing.T) {
	usage := func(err error) error { return fmt.Errorf("usage: %w", err) }
	run := func(args ...string) error {
		root := &cobra.Command{Use: "flyball", Version: "v1", SilenceUsage: true, SilenceErrors: true}
		root.AddCommand(Command(usage), &cobra.Command{Use: "tune NAME", Short: "Turn the governor", Example: "  flyball tune slow", Run: func(*cobra.Command, []string) {}})
		root.SetArgs(args)
		return root.Execute()
	}
	dir := filepath.Join(t.TempDir(), "new", "man1")
	f := func(file, want string) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v, want %q in\n%s", file, err, want, text)
		}
	}
	if err := run("man", dir); err != nil {
		t.Fatal(err)
	}
	f("flyball-tune.1", "Turn the governor")
	f("flyball.1", "flyball-man(1)")
	if err := run("man", "--format", "markdown", dir); err != nil {
		t.Fatal(err)
	}
	f("flyball_tune.md", "flyball tune slow")
	for _, args := range [][]string{{"man"}, {"man", "--format", "pdf", dir}} {
		if err := run(args...); err == nil || !strings.Contains(err.Error(), "usage: ") {
			t.Errorf("%v: %v, want a usage error", args, err)
		}
	}
}
