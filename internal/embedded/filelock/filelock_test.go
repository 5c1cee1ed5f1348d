package filelock

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestLock(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("there are no locks on this operating system")
	}
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := Lock(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	// Every open file has a lock of its own, so one process will do here.
	if _, err := Lock(t.Context(), path, nil); !errors.Is(err, ErrLocked) {
		t.Errorf("a held lock gave %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Lock(ctx, path, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled wait gave %v", err)
	}
	unlock2, err := Lock(t.Context(), path, unlock) // freed once it waits
	if err != nil {
		t.Fatal(err)
	}
	unlock2()
	if _, err := Lock(t.Context(), filepath.Join(path, "below"), nil); err == nil || errors.Is(err, os.ErrExist) {
		t.Errorf("an impossible path gave %v", err)
	}
}
