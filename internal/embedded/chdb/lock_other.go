//go:build !darwin && !linux

package chdb

import "context"

// lockFile does nothing where libchdb does not exist; the atomic rename alone
// keeps the cache whole.
func lockFile(context.Context, string, func()) (unlock func(), err error) {
	return func() {}, nil
}
