// Package filelock keeps two processes off one directory.
package filelock

import "errors"

// ErrLocked means that another process holds the lock.
var ErrLocked = errors.New("another process is using it")
