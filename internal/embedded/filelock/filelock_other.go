//go:build !darwin && !linux

package filelock

import "context"

// Lock does nothing on this operating system and always succeeds.
func Lock(ctx context.Context, path string, waiting func()) (unlock func(), err error) {
	return func() {}, nil
}
