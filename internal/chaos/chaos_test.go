package chaos

import (
	"errors"
	"log/slog"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/flyball-io/flyball/internal/embedded/apachekafka"
)

// shortSeed is one whose first dozen has a kill, a leave, a kill of the broker, and
// every kind of fault that changes no members.
const shortSeed = 90

// A short run: what make chaos does a thousand times, a dozen times.
func TestShortChaos(t *testing.T) {
	apachekafka.SkipUnlessEnabled(t)
	cfg := Default()
	cfg.Seed, cfg.Faults, cfg.Rate, cfg.BrokerTimeout = shortSeed, 12, 200, 5*time.Minute
	cfg.Dir, cfg.Log = t.TempDir(), slog.New(slog.NewTextHandler(t.Output(), nil))
	cfg.Binary = filepath.Join(t.TempDir(), "flyball")
	if out, err := exec.Command("go", "build", "-o", cfg.Binary, "../../cmd/flyball").CombinedOutput(); err != nil {
		t.Fatalf("cannot build flyball: %v\n%s", err, out)
	}
	r, err := Run(t.Context(), cfg)
	if errors.Is(err, errHanging) { // that is Kafka's, and another run does not have it
		t.Log(err)
		cfg.Dir = t.TempDir()
		r, err = Run(t.Context(), cfg)
	}
	if err != nil {
		t.Fatal(err)
	}
	r.Print(t.Output())
	if n := r.Wrong(); n != 0 {
		t.Errorf("%d things are wrong", n)
	}
	if r.Faults != cfg.Faults || r.Commands == 0 || r.Takeover.Number == 0 {
		t.Errorf("%d faults, %d commands, %d takeovers", r.Faults, r.Commands, r.Takeover.Number)
	}
}
