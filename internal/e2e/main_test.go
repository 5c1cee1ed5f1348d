package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/flyball-io/flyball/internal/embedded/apachekafka"
	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
)

// apache is the real broker, when tests run against one. It may start slowly where
// everything is tested at once.
var apache = apachekafka.Shared{Config: apachekafka.Config{ReadyTimeout: 5 * time.Minute}}

// binary is the path of the flyball that was built for the tests.
var binary string

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "flyball-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if binary, err = build(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return embeddedtest.Main(apache.Wrap(m))
}

// build compiles the real program, with the race detector if the tests have it.
func build(dir string) (string, error) {
	path := filepath.Join(dir, "flyball")
	args := []string{"build", "-o", path}
	if underRace {
		args = append(args, "-race")
	}
	c := exec.Command("go", append(args, "../../cmd/flyball")...)
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot build flyball: %w\n%s", err, out)
	}
	return path, nil
}
