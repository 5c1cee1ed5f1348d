//go:build darwin || linux

package filelock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

const retryEvery = 200 * time.Millisecond

// Lock takes the lock on a file, which it creates if need be. While another
// holder has it, Lock waits until ctx is done and calls waiting once; with a
// nil waiting it returns [ErrLocked] at once. The lock ends with unlock or
// with the process, in whatever way that ends. The file stays.
func Lock(ctx context.Context, path string, waiting func()) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot open lock file: %w", err)
	}
	for first := true; ; first = false {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		held := errors.Is(err, syscall.EWOULDBLOCK)
		if held && waiting == nil {
			err = ErrLocked
		}
		if err == ErrLocked || !held && !errors.Is(err, syscall.EINTR) {
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
		case <-time.After(retryEvery):
		}
	}
}
