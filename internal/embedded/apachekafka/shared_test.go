package apachekafka

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

type run func() int

func (r run) Run() int { return r() }

func TestSharedBrokerIsOneAndIsStopped(t *testing.T) {
	installFakeJava(t, "serve")
	t.Setenv(Env, "1")
	shared := Shared{Config: Config{Libs: "no-libs"}}
	var b *Broker
	code := shared.Wrap(run(func() int {
		b = shared.Broker(t)
		if again := shared.Broker(t); again != b || b.PID() == 0 {
			t.Errorf("second broker %p is not the first %p, or it does not run as %d", again, b, b.PID())
		}
		return 7
	})).Run()
	if code != 7 || b.PID() != 0 {
		t.Errorf("exit code %d, process %d; want 7 and none", code, b.PID())
	}
	if left, err := filepath.Glob(b.cfg.Dir); err != nil || len(left) != 0 {
		t.Errorf("folder %v is left, %v", left, err)
	}
}

func TestSharedWithoutUse(t *testing.T) {
	var shared Shared
	if code := shared.Wrap(run(func() int { return 0 })).Run(); code != 0 {
		t.Fatalf("unexpected exit code %d", code)
	}
}

func TestSharedSkipsUnlessEnabled(t *testing.T) {
	t.Setenv(Env, "")
	var skipped bool
	t.Run("probe", func(t *testing.T) {
		t.Cleanup(func() { skipped = t.Skipped() })
		new(Shared).Broker(t)
		t.Error("a broker without being asked")
	})
	if !skipped {
		t.Error("the test was not skipped")
	}
}

func TestPrefix(t *testing.T) {
	t.Run("odd name/é "+strings.Repeat("x", 300), func(t *testing.T) {
		a, b := kafka.Prefix(t), kafka.Prefix(t)
		if a == b || !regexp.MustCompile(`^[a-z0-9-]{20,140}\.$`).MatchString(a) {
			t.Fatalf("unexpected prefixes %q and %q", a, b)
		}
	})
}
