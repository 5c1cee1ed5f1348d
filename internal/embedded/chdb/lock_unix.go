//go:build darwin || linux

package chdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// lockFile takes an exclusive lock that the system releases when the process
// ends in whatever way. It calls waiting once if another process holds it.
func lockFile(ctx context.Context, path string, waiting func()) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot open lock file: %w", err)
	}
	for first := true; ; first = false {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, fmt.Errorf("cannot lock file %q: %w", path, err)
		}
		if first {
			waiting()
		}
		// Polling, because a blocking flock could not be interrupted by ctx.
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("cannot lock file %q: %w", path, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}
